"""The OpenAPI 3.1 description of the API, made from the very types that its answers are written from.

In: nothing. Out: the description as plain values. An answer that is not of its type cannot be written, so description
and answers cannot drift apart; the tests hold every answer against it all the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

import smtp_probe
from smtp_probe.report.web.api_types import ANSWERS, adapter

_REF = "#/components/schemas/{model}"
_PATHS: tuple[tuple[str, str, str, tuple[int, ...]], ...] = (
    ("overview", "overview", "Everything at a glance", ()),
    ("health", "health", "Whether our own side works", ()),
    ("routes", "routes", "Every route, those that need a look first", ()),
    ("routes/{name}", "route", "One route with its past", (404, 503)),
    ("probes/{probe_id}", "probe", "One probe from its first SYN to the mailbox", (404, 503)),
    ("domains", "part", "What was found of each domain", ()),
    ("domains/{name}", "subject", "What was found of one domain", (404,)),
    ("exchangers", "part", "What was found of each mail exchanger", ()),
    ("queue", "part", "What was found of the local queue", ()),
    ("drills", "part", "How the last drills went", ()),
    ("changes", "changes", "The last changes of state, newest first", ()),
    ("config", "config", "The configuration in use, secrets masked", ()),
)
_FILTERS = (
    ("state", "Only routes in this state: good, failed, unobserved or waiting."),
    ("label", "Only routes with this label, as name=value."),
    ("q", "Only routes with these words in their name or state."),
)
_ERRORS = {403: "Not allowed", 404: "Not found", 409: "Not now", 429: "Too often", 503: "Not now"}


@cache
def describe_api() -> dict[str, Any]:
    """Give the description."""
    inputs = [(name, "serialization", adapter(name)) for name in ANSWERS]
    by_input, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REF)  # type: ignore[arg-type]
    schemas = dict(definitions.get("$defs", {}))
    refs = {str(name): schema for (name, _), schema in by_input.items()}
    paths = {
        f"/api/v1/{path}": {"get": _get(path, answer, summary, errors, refs)}
        for path, answer, summary, errors in _PATHS
    }
    paths["/api/v1/routes/{name}/probe"] = {"post": _post(refs)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "smtp-probe",
            "version": smtp_probe.__version__,
            "description": (
                "Read-only, but for one request that sends a probe. Instants are RFC 3339 in UTC, durations seconds. "
                "What is not known is null, never zero."
            ),
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _get(
    path: str, answer: str, summary: str, errors: tuple[int, ...], refs: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operationId": "get_" + path.replace("/{name}", "_one").replace("/{probe_id}", "_one"),
        "summary": summary,
        "parameters": _parameters(path),
        "responses": {"200": _response("The answer", refs[answer]), **_errors(errors, refs)},
    }


def _post(refs: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "probe_route",
        "summary": "Send a probe on a configured route now",
        "description": (
            "Only where the program was started with --web.enable-lifecycle. Refused to web pages, and counted against "
            "the same budgets as scheduled probes. Takes no body."
        ),
        "parameters": _parameters("routes/{name}/probe"),
        "responses": {
            "202": _response("It is being sent", refs["accepted"]),
            **_errors((403, 404, 409, 429), refs),
        },
    }


def _parameters(path: str) -> list[dict[str, Any]]:
    if path in ("overview", "routes"):
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in _FILTERS
        ]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("name", "probe_id")
        if f"{{{name}}}" in path
    ]


def _response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(codes: tuple[int, ...], refs: dict[str, Any]) -> dict[str, Any]:
    return {str(code): _response(_ERRORS[code], refs["error"]) for code in codes}

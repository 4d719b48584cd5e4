"""The API: the facts of the pages as JSON, under `/api/v1/`; and the one request that sends a probe.

In: requests. Out: JSON of the types in `api_types`, which `openapi` describes. A probe is sent only on a configured
route, only where the lifecycle is enabled, never for a web page, and so often.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from aiohttp import web

from smtp_probe.report.archive import ArchiveError
from smtp_probe.report.doors.rate import TokenBucket
from smtp_probe.report.web.answers import Workshop, json_answer
from smtp_probe.report.web.api_types import ChangeView, dump
from smtp_probe.report.web.application import Application
from smtp_probe.report.web.checked import PARTS, view_part
from smtp_probe.report.web.instants import instant
from smtp_probe.report.web.masked import mask_config
from smtp_probe.report.web.openapi import describe_api
from smtp_probe.report.web.overview import view_overview, view_row
from smtp_probe.report.web.probe_view import view_probe
from smtp_probe.report.web.route_view import take_route_page
from smtp_probe.report.web.site import read_filter
from smtp_probe.report.web.snapshot import find_route, take_snapshot, view_observer
from smtp_probe.report.web.views import OverviewView

_PROBES_PER_SECOND, _PROBES_AT_ONCE = 0.1, 5


class Api:
    """The API of one application. `base` is the path of the pages with a slash at its end."""

    def __init__(
        self, application: Application, workshop: Workshop, base: str, now: Callable[[], float]
    ) -> None:
        self._application = application
        self._workshop = workshop
        self._base = base + "api/v1/"
        self._probes = TokenBucket(_PROBES_PER_SECOND, _PROBES_AT_ONCE, now)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take over the paths."""
        for path, handler in (
            ("openapi.json", self._description),
            ("overview", self._overview),
            ("health", self._health),
            ("routes", self._routes),
            ("routes/{name}", self._route),
            ("probes/{probe_id}", self._probe),
            ("domains/{name}", self._domain),
            (f"{{part:{'|'.join(PARTS)}}}", self._part),
            ("changes", self._changes),
            ("config", self._config),
        ):
            router.add_get(self._base + path, handler)
        router.add_post(self._base + "routes/{name}/probe", self._send_probe)

    def refuse_below(self, request: web.Request, status: int, reason: str) -> web.Response | None:
        """Say in the API's way why there is no answer at one of its paths; None for a path that is not below it."""
        if not request.path.startswith(self._base):
            return None
        if status == 404:
            reason = f"no such path: {self._base}openapi.json describes those that there are"
        return refuse(status, reason)

    async def _description(self, _: web.Request) -> web.StreamResponse:
        description = describe_api() | {"servers": [{"url": self._base.removesuffix("/api/v1/") or "/"}]}
        return json_answer(json.dumps(description).encode())

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        return await self._give("overview", await self._view(request))

    async def _routes(self, request: web.Request) -> web.StreamResponse:
        return await self._give("routes", (await self._view(request)).routes)

    async def _view(self, request: web.Request) -> OverviewView:
        application, (wanted, _) = self._application, read_filter(request)
        snapshot = take_snapshot(application.telemetry, application.config, application.checks, wanted)
        return (await self._workshop.render(view_overview, snapshot)).view

    async def _health(self, _: web.Request) -> web.StreamResponse:
        return await self._give("health", view_observer(self._application.telemetry.observations))

    async def _route(self, request: web.Request) -> web.StreamResponse:
        config = self._application.config
        found = find_route(self._application.telemetry, config, request.match_info["name"])
        if found is None:
            return refuse(404, "there is no route of this name")
        row = view_row(found)
        try:
            past = await self._application.archive.route_past(row.view.name)
        except ArchiveError as error:
            return refuse(503, str(error))
        page = await self._workshop.render(take_route_page, row.view, config, past)
        return await self._give("route", page.view)

    async def _probe(self, request: web.Request) -> web.StreamResponse:
        try:
            record = await self._application.archive.probe(request.match_info["probe_id"][:100])
        except ArchiveError as error:
            return refuse(503, str(error))
        if record is None:
            return refuse(404, "there is no probe of this id, or it is not kept any more")
        return await self._give("probe", view_probe(record, self._application.checks.queued))

    async def _part(self, request: web.Request) -> web.StreamResponse:
        return await self._give("part", view_part(self._application.checks, request.match_info["part"]))

    async def _domain(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"].lower()
        part = view_part(self._application.checks, "domains")
        subject = next((subject for subject in part.subjects if subject.name.lower() == name), None)
        if subject is None:
            return refuse(404, "no domain of this name is looked at")
        return await self._give("subject", subject)

    async def _changes(self, _: web.Request) -> web.StreamResponse:
        changes = tuple(
            ChangeView(
                route=change.route,
                at=instant(change.at_ns),
                before=change.before.value,
                state=change.state.value,
                sentence=change.sentence,
                probe_id=change.probe_id,
            )
            for change in self._application.telemetry.history.changes()
        )
        return await self._give("changes", changes)

    async def _config(self, _: web.Request) -> web.StreamResponse:
        return await self._give("config", mask_config(self._application.config))

    async def _send_probe(self, request: web.Request) -> web.StreamResponse:
        if not self._application.is_lifecycle_enabled:
            return refuse(403, "sending over HTTP is not enabled: start with --web.enable-lifecycle")
        if is_from_web_page(request):
            return refuse(403, "sending from a web page is not allowed")
        name = request.match_info["name"]
        if name not in self._application.config.routes:
            return refuse(404, "there is no route of this name")
        wait_seconds = self._probes.take()
        if wait_seconds > 0:
            refusal = refuse(429, "too many probes were asked for")
            refusal.headers["Retry-After"] = str(int(wait_seconds) + 1)
            return refusal
        reason = await self._application.probe_now(name)
        if reason is not None:
            return refuse(409, f"not sent: {reason}")
        return json_answer(json.dumps({"route": name, "accepted": True}).encode(), status=202)

    async def _give(self, answer: str, value: object) -> web.Response:
        return json_answer(await self._workshop.render(dump, answer, value))


def refuse(status: int, error: str) -> web.Response:
    """Say why there is no answer."""
    return json_answer(json.dumps({"error": error}).encode(), status=status)


def is_from_web_page(request: web.Request) -> bool:
    """Whether a browser sends this on behalf of a page: that is never allowed to change anything, not even ours.

    Browsers send `Origin` with every POST, and `Sec-Fetch-Site`, which no script can take away (Fetch, forbidden
    request-header).
    """
    return "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none"

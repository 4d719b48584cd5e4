"""The settings described: a JSON Schema for editors, and a reference for people.

In: the models of `settings`. Out: a JSON Schema (draft 2020-12) and a Markdown text, both complete by construction.
The schema says what one setting may be; the rules between settings are judged by `load` alone.
"""

from __future__ import annotations

from typing import Any

from smtp_probe.config.settings import Config
from smtp_probe.config.values import PATTERN_HELP, format_duration

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SECTIONS_OF_NAMES = {
    "Sender": "senders.NAME",
    "Mailbox": "mailboxes.NAME",
    "Route": "routes.NAME",
    "Credential": "credentials.NAME",
    "Domain": "domains.NAME",
    "BounceDrill": "drills.bounce.NAME",
    "RetryDrill": "drills.retry.NAME",
    "FailoverDrill": "drills.failover.NAME",
    "RejectionDrill": "drills.rejection.NAME",
}
_PLAIN_TYPES = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}


def json_schema() -> dict[str, Any]:
    """The schema of a configuration file. Every key has a title and a description; no other key is allowed."""
    schema = Config.model_json_schema(by_alias=True)
    for section in (schema, *schema["$defs"].values()):
        for key, setting in section.get("properties", {}).items():
            setting.setdefault("title", key.replace("_", " ").title())
            if (
                "description" not in setting
            ):  # pydantic leaves out one that is the same as that of the section
                setting["description"] = schema["$defs"][setting["$ref"].rpartition("/")[2]]["description"]
            if "patternProperties" in setting:
                setting["additionalProperties"] = False
    return {"$schema": _DRAFT, **schema, "title": "smtp-probe"}


def markdown_reference() -> str:
    """Every setting with its type, its default and its meaning, one table for each section."""
    schema = json_schema()
    parts = [_table("The file", schema, schema)]
    parts += [_table(f"`{place}`", schema["$defs"][name], schema) for name, place in _places(schema).items()]
    return "\n".join(parts)


def _places(schema: dict[str, Any]) -> dict[str, str]:
    """Where each section stands, by the name of its definition, in the order of the settings."""
    found: dict[str, str] = {}
    waiting = [(schema, "")]
    while waiting:
        section, prefix = waiting.pop(0)
        for key, setting in section["properties"].items():
            name = _section_name(setting, schema)
            if name is None:
                continue
            place = _SECTIONS_OF_NAMES.get(name, prefix + key)
            if name in found:
                found[name] += f"`, `{place}"
                continue
            found[name] = place
            waiting.append((schema["$defs"][name], place + "."))
    return found


def _section_name(setting: dict[str, Any], schema: dict[str, Any]) -> str | None:
    """The definition that a setting refers to, where it is a section."""
    names = [*setting.get("patternProperties", {}).values(), *setting.get("anyOf", []), setting]
    for part in names:
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and schema["$defs"][name].get("type") == "object":
            return name
    return None


def _table(title: str, section: dict[str, Any], schema: dict[str, Any]) -> str:
    required = section.get("required", [])
    lines = [
        f"### {title}",
        "",
        section["description"],
        "",
        "| Setting | Type | Default | Meaning |",
        "| --- | --- | --- | --- |",
    ]
    for key, setting in section["properties"].items():
        kind = _kind(setting, schema)
        default = "required" if key in required else _default(setting, kind)
        lines.append(f"| `{key}` | {kind} | {default} | {setting['description']} |")
    return "\n".join([*lines, ""])


def _kind(setting: dict[str, Any], schema: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "patternProperties" in setting:
        is_section = _section_name(setting, schema) is not None
        return "sections by name" if is_section else "texts by name" + _limits(setting, "Properties")
    options = [part for part in setting.get("anyOf", []) if part.get("type") != "null"]
    if len(options) > 1:
        return "duration"
    if options:
        return _kind(options[0], schema)
    if "$ref" in setting:
        target = schema["$defs"][setting["$ref"].rpartition("/")[2]]
        return "section" if target.get("type") == "object" else _kind(target, schema)
    if "enum" in setting:
        return ", ".join(dict.fromkeys(f"`{choice}`" for choice in setting["enum"]))
    if setting.get("type") == "array":
        return f"list: {_kind(setting['items'], schema)}"
    if "pattern" in setting:
        return PATTERN_HELP[setting["pattern"]].noun
    if setting.get("format") == "path":
        return "path"
    return _PLAIN_TYPES[setting["type"]] + _range(setting)


def _range(setting: dict[str, Any]) -> str:
    lowest, highest = setting.get("minimum"), setting.get("maximum")
    if lowest is None:
        return f", at most {highest:g}" if highest is not None else ""
    return f", {lowest} to {highest}" if highest is not None else f", {lowest} or more"


def _limits(setting: dict[str, Any], what: str) -> str:
    highest = setting.get(f"max{what}")
    return f", at most {highest}" if highest is not None else ""


def _default(setting: dict[str, Any], kind: str) -> str:
    value = setting.get("default")
    if value in (None, [], {}) or kind.startswith(("section", "texts")):
        return "none" if not kind.startswith("section") or "default" in setting else "its defaults"
    if isinstance(value, list):
        return "`[" + ", ".join(_plain(item, kind) for item in value) + "]`"
    return f"`{_plain(value, kind)}`"


def _plain(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if "duration" in kind:
        return format_duration(value)
    return f"{value:g}" if isinstance(value, float) else str(value)

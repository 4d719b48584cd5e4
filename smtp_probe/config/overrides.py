"""Settings that the environment puts over those of the file.

The rule, for administrators in docs/settings.md: `SMTP_PROBE__` and then the path of the setting, its parts joined
by two underscores, in any case; a character of a name that is no letter or digit is written as `_`. So
`SMTP_PROBE__ROUTES__DAILY_MAIL__INTERVAL=60s` is `interval` of the route `daily-mail`. A text setting takes the value
as it is (`null` for none, where none is allowed); every other setting reads it as YAML, as in the file. Names in
`senders`, `mailboxes` and `routes` must be in the file: a slip of the pen makes no new route.

In: the environment and the data of the file. Out: nested data to put over it, and which variable gave what. No
error text repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smtp_probe.config.anatomy import entry_of, is_optional, is_text, keys_of, section_of
from smtp_probe.config.document import read_document
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.settings import Config
from smtp_probe.config.wording import suggest
from smtp_probe.errors import ConfigError, ConfigProblem

PREFIX = "SMTP_PROBE__"
_JOINT = "__"
_LONGEST_VALUE = 65_536


@dataclass(slots=True)
class Overrides:
    """What the environment says: `values` as nested data, `variables` by the path that each gives."""

    values: dict[str, Any] = field(default_factory=dict)
    variables: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def source_of(self, path: KeyPath) -> str | None:
        """The variable that gave the setting at `path`, or a section around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return self.variables[path[:length]]
        return None


class _Unfit(Exception):  # noqa: N818 - it says what is the case
    """A variable names no setting, or its value cannot be read."""


def read_overrides(environ: Mapping[str, str], data: Mapping[str, Any]) -> Overrides:
    """Find the variables that are meant for us. Wrong ones become `problems`; nothing is raised."""
    found = Overrides()
    given: list[tuple[KeyPath, Any, str]] = []
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX):
            continue
        try:
            path, annotation = _locate(variable[len(PREFIX) :].upper().split(_JOINT), data)
            given.append((path, _decode(environ[variable], annotation), variable))
        except _Unfit as error:
            found.problems.append(ConfigProblem(message=str(error), file=variable))
    for path, value, variable in sorted(given, key=lambda item: len(item[0])):
        if path in found.variables:
            message = f"the same setting as {found.variables[path]}"
            found.problems.append(ConfigProblem(message=message, file=variable))
            continue
        found.variables[path] = variable
        _put(found.values, path, value)
    return found


def _put(values: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Put one value into nested data; where a longer path meets a value that is no section, it takes over."""
    for part in path[:-1]:
        below = values.get(str(part))
        if not isinstance(below, dict):
            below = values[str(part)] = {}
        values = below
    values[str(path[-1])] = value


def _locate(parts: list[str], data: Any) -> tuple[KeyPath, Any]:
    """Walk from the whole configuration to the setting that the parts of a variable's name mean."""
    annotation: Any = Config
    path: KeyPath = ()
    while parts:
        section = section_of(annotation)
        if section is not None:
            key, parts = _find_key(parts, keys_of(section))
            annotation = keys_of(section)[key].annotation
        elif entry_of(annotation) is not None:
            annotation = entry_of(annotation)
            is_fixed = section_of(annotation) is not None
            key, parts = _find_name(parts, data if isinstance(data, dict) else {}, is_fixed=is_fixed)
        else:
            message = f"{'.'.join(map(str, path))} is one value and has no settings below it"
            raise _Unfit(message)
        path = (*path, key)
        data = data.get(key) if isinstance(data, dict) else None
    if not path:
        raise _Unfit("names no setting")
    return path, annotation


def _find_key(parts: list[str], known: Mapping[str, Any]) -> tuple[str, list[str]]:
    by_variable = {key.upper(): key for key in known}
    key = by_variable.get(parts[0])
    if key is None:
        raise _Unfit(suggest(parts[0].lower(), list(known)))
    return key, parts[1:]


def _find_name(parts: list[str], known: Mapping[str, Any], *, is_fixed: bool) -> tuple[str, list[str]]:
    """Find the name that the first parts spell; the longest one, since a name may hold two underscores."""
    for length in range(len(parts), 0, -1):
        spelled = _JOINT.join(parts[:length])
        names = [name for name in known if variable_form(name) == spelled]
        if len(names) > 1:
            message = f"can mean {' and '.join(sorted(names))}: rename one of them"
            raise _Unfit(message)
        if names:
            return names[0], parts[length:]
    if is_fixed:
        raise _Unfit(suggest(parts[0].lower(), list(known), kind="name"))
    return _JOINT.join(parts).lower(), []


def variable_form(name: str) -> str:
    """A name as it stands in a variable: `daily-mail.eu` is `DAILY_MAIL_EU`."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _decode(value: str, annotation: Any) -> Any:
    if is_text(annotation):
        return None if value == "null" and is_optional(annotation) else value
    if len(value) > _LONGEST_VALUE:
        raise _Unfit("the value is too long")
    try:
        node, problems = read_document(value, "")
    except ConfigError as error:
        raise _Unfit("; ".join(problem.message for problem in error.problems)) from None
    if problems:
        raise _Unfit("; ".join(_without_line(problems)))
    return node.plain()


def _without_line(problems: list[ConfigProblem]) -> Iterator[str]:
    for problem in problems:
        yield f"{problem.path}: {problem.message}" if problem.path else problem.message

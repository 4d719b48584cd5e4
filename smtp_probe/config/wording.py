"""What is wrong with a setting, in words: what was expected, what stands there, what is allowed.

In: one error of pydantic, with the path of its setting. Out: a sentence. A value is repeated only where it is short,
no part of a section that holds credentials, and no text that a pattern refused; it is then cleaned of control
characters. Everything else is named by its kind: `found text`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from smtp_probe.config.anatomy import annotation_at, choices_of, field_at, keys_of, section_of
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.settings import Config
from smtp_probe.config.values import PATTERN_HELP

_LONGEST_ECHO = 40
_SHOWN_KEYS = 30
_SECRET_WORDS = ("password", "passwd", "passphrase", "secret", "token", "credential")
_SECRET_KEYS = ("pass", "pw", "pwd", *_SECRET_WORDS)
_INLINE_ADVICE = (
    "a secret cannot stand here: put it into a file and name that with password_file, "
    "or use password_env or password_credential"
)

_EXPECTED = {
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "path_type": "expected a path",
    "tuple_type": "expected a list",
    "dict_type": "expected a section of names",
    "model_type": "expected a section of settings",
    "wrong_kind": "{0}",
}
_LIMITS: dict[str, str] = {
    "greater_than": "must be more than {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than": "must be less than {lt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "finite_number": "must be a finite number",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_unicode": "not UTF-8 text",
    "too_short": "needs {min_length} or more entries",
    "too_long": "can have {max_length} entries at most",
    "conflict": "{reason}",
}


def describe_error(error: ErrorDetails, path: KeyPath) -> str:
    """One error as a sentence. `path` is its setting's, without what pydantic adds."""
    kind = error["type"]
    say = _SPECIAL.get(kind)
    if say is not None:
        return say(error, path)
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind in _LIMITS:
        return _LIMITS[kind].format(**context)
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format(error["msg"])
        return f"{expected}; found {_found(error['input'], path)}{_advice(kind, error['input'])}"
    return error["msg"].removeprefix("Value error, ")


def suggest(unknown: str, known: Sequence[str], kind: str = "key", *, value: object = "") -> str:
    """Say that a key is not known, which one may be meant, and which there are."""
    is_secret = any(word in unknown for word in _SECRET_WORDS) or unknown in _SECRET_KEYS
    if is_secret and not isinstance(value, bool):
        return f"unknown {kind}: {_INLINE_ADVICE}"
    near = difflib.get_close_matches(unknown, known, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    shown = ", ".join(known[:_SHOWN_KEYS]) + (", ..." if len(known) > _SHOWN_KEYS else "")
    return f"unknown {kind} {printable(unknown)!r}: {meant}allowed here: {shown or 'nothing'}"


def printable(text: str) -> str:
    """A text for a terminal: one short line, without control and direction characters."""
    cleaned = "".join(char if char.isprintable() else "?" for char in text[: _LONGEST_ECHO + 1])
    return cleaned[:_LONGEST_ECHO] + "..." if len(cleaned) > _LONGEST_ECHO else cleaned


def _unknown_key(error: ErrorDetails, path: KeyPath) -> str:
    section = section_of(annotation_at(Config, path[:-1]))
    return suggest(str(path[-1]), list(keys_of(section)) if section else [], value=error["input"])


def _missing(_error: ErrorDetails, path: KeyPath) -> str:
    field = field_at(Config, path)
    meaning = (field.description or "") if field else ""
    allowed = choices_of(annotation_at(Config, path))
    return "is required" + (f": {', '.join(allowed)}" if allowed else f": {meaning}".rstrip(".: "))


def _no_choice(error: ErrorDetails, path: KeyPath) -> str:
    allowed = ", ".join(choices_of(annotation_at(Config, path)))
    return f"expected one of {allowed}; found {_found(error['input'], path)}"


def _no_match(error: ErrorDetails, _path: KeyPath) -> str:
    return PATTERN_HELP[error["ctx"]["pattern"]].rule


_SPECIAL: dict[str, Callable[[ErrorDetails, KeyPath], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "enum": _no_choice,
    "literal_error": _no_choice,
    "string_pattern_mismatch": _no_match,
}


def _found(value: object, path: KeyPath) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list | tuple):
        return "a section" if isinstance(value, dict) else "a list"
    is_private = "auth" in path or any(word in str(path[-1:]) for word in _SECRET_WORDS)
    if isinstance(value, bool):
        return "a truth value" if is_private else str(value).lower()
    kind = "text" if isinstance(value, str) else "a number"
    if is_private or len(str(value)) > _LONGEST_ECHO or "://" in str(value) or "@" in str(value):
        return kind
    return f"the text {printable(value)!r}" if isinstance(value, str) else f"the number {value}"


def _advice(kind: str, value: object) -> str:
    if kind in ("string_type", "path_type") and isinstance(value, int | float):
        return " (put it in quotes)"
    if kind in ("int_type", "float_type") and isinstance(value, str) and value.lstrip("0").isdecimal():
        return " (write it without the leading zero)" if value[0] == "0" else " (write it without quotes)"
    if (
        kind == "bool_type"
        and isinstance(value, str)
        and value.lower() in ("yes", "no", "on", "off", "y", "n")
    ):
        return " (YAML 1.2 knows true and false only)"
    return ""

"""A header put together from fields that a web interface gives one by one.

In: names and values, as a server tells them. Out: the bytes of a header with its final empty line, bounded; no value can begin
another field. Also the second of a date. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

MAX_BYTES = 65_536
_BARE_LINE_END = re.compile(r"\r?\n(?![ \t])|\r(?!\n)|\0")


def write_header(fields: object, *, separator: str = ":") -> bytes:
    """Write what is a list of objects with `name` and `value`; anything else in it is left out.

    JMAP's raw values begin with what stands behind the colon (RFC 8621 section 4.1.2.1), Microsoft's behind the blank.
    """
    lines: list[str] = []
    for name, value in _pairs(fields):
        lines.append(f"{name}{separator}{_BARE_LINE_END.sub(' ', value)}\r\n")
    return "".join(lines).encode("utf-8", "replace")[:MAX_BYTES] + b"\r\n"


def has_field(fields: object, name: str, value: str) -> bool:
    """Whether one of the fields has this name, and `value` in it; case does not count."""
    return any(key.lower() == name.lower() and value.lower() in text.lower() for key, text in _pairs(fields))


def read_date(text: object) -> int | None:
    """The second of a date with its zone (RFC 3339), in nanoseconds; None for what is none."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) and len(text) < 40 else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else int(at.timestamp()) * 1_000_000_000


def _pairs(fields: object) -> Iterable[tuple[str, str]]:
    for each in fields if isinstance(fields, list) else ():
        name, value = (each.get("name"), each.get("value")) if isinstance(each, Mapping) else (None, None)
        if isinstance(name, str) and isinstance(value, str):
            yield name, value

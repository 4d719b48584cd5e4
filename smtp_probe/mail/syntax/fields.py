"""Splitting a raw header section into its fields.

In: the bytes of a message, or of its header alone, as a server handed them out. Out: the fields in their order, each
as its name and its unfolded raw value. Values are not decoded, read or judged here. Never raises; bounded in bytes,
fields and name length; one pass over the bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_HEADER_BYTES = 262_144
"""How much of a header section is looked at."""
MAX_FIELDS = 1000
MAX_VALUE_BYTES = 16_384
"""A longer value is cut. It is above the limits of the readers, so that they can tell a cut value."""

_REMEMBERED = 8
"""Several parts of the program read one message, one after the other: its header is split once."""
_NAME = re.compile(rb"([!-9;-~]{1,128})[ \t]*+:")
_FOLD = re.compile(rb"\n(?=[ \t])")
_BLANKS = b" \t\r\n"


@lru_cache(maxsize=_REMEMBERED)
def split_fields(header: bytes) -> tuple[tuple[str, bytes], ...]:
    """Give the fields of a header section as `(name, value)`, topmost first.

    Names are in lower case, as they mean the same in any case (RFC 5322 section 1.2.2). Values are unfolded (section
    2.2.3) and stripped of the white space around them. What is no field is passed over, with its continuation
    lines; an empty line ends the section, and what follows it is not looked at.
    """
    fields: list[tuple[str, bytes]] = []
    for line in _logical_lines(header[:MAX_HEADER_BYTES]):
        match = _NAME.match(line)
        if match is None:
            continue
        fields.append(
            (match[1].decode("ascii").lower(), line[match.end() :].strip(_BLANKS)[:MAX_VALUE_BYTES])
        )
        if len(fields) == MAX_FIELDS:
            break
    return tuple(fields)


def _logical_lines(header: bytes) -> list[bytes]:
    """Join each line with the continuation lines behind it, up to the end of the header section."""
    text = header.replace(b"\r\n", b"\n")
    if b"\r" in text:
        text = b"\n".join([line.rstrip(b"\r") for line in text.split(b"\n")])
    section = b"" if text.startswith(b"\n") else text.partition(b"\n\n")[0]
    return _FOLD.sub(b"", section).split(b"\n")

"""Lists of tags, `v=DKIM1; p=...`: DKIM signatures and keys, DMARC and BIMI records, and ARC all have this form.

In: text. Out: the tags by their names, and what is wrong with the list (RFC 6376 section 3.2). Never raises; linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_CHARACTERS = 16_384
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags, in their order; of one that stands twice, the first. `faults` are sentences without a full stop."""

    tags: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Give the value of a tag, without the white space around it."""
        return self.tags.get(name, default)

    @property
    def first(self) -> str:
        """The name of the first tag; empty where there is none."""
        return next(iter(self.tags), "")


def read_tags(text: str | bytes) -> TagList:
    """Cut a list into its tags. Names keep their case (they are case-sensitive)."""
    if isinstance(text, bytes):
        text = text[:MAX_CHARACTERS].decode("utf-8", "replace")
    tags: dict[str, str] = {}
    faults: list[str] = []
    for part in text[:MAX_CHARACTERS].split(";"):
        if not part.strip(_BLANKS):
            continue
        written, equals, value = part.partition("=")
        name = written.strip(_BLANKS)
        if not equals:
            faults.append(f"{part.strip()[:40]!r} has no equals sign")
        elif _NAME.fullmatch(name) is None:
            faults.append(f"{name[:40]!r} is no name of a tag")
        elif name in tags:
            faults.append(f"the tag {name[:40]} stands there twice")
        else:
            tags[name] = value.strip(_BLANKS)
    return TagList(tags, tuple(faults[:5]))


def squeeze(value: str) -> str:
    """Give a value without any white space, as base64 and lists of names are read."""
    return "".join(value.split())

"""Whose message it says it is: the domains of its From header and of its Return-Path.

In: the fields of a message. Out: a domain in lower case; None where there is not exactly one. Never raises; linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smtp_probe.mail.syntax.tokens import Kind, mask, read_text, tokenize

_ADDRESS = re.compile(
    r"@([A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*)\.?(?=[\s>,;]|$)"
)
Fields = Iterable[tuple[str, bytes]]


def find_author_domain(fields: Fields) -> str | None:
    """The domain of the one author (RFC 9989 section 3.2.2); None for several, or none that can be read."""
    values = [value for name, value in fields if name == "from"]
    if len(values) != 1:
        return None
    domains = _domains(values[0])
    return domains.pop() if len(domains) == 1 else None


def find_envelope_sender(fields: Fields) -> str | None:
    """The address in the topmost Return-Path: empty for the null sender, None where none is told."""
    value = next((value for name, value in fields if name == "return-path"), None)
    if value is None:
        return None
    text, _ = read_text(value)
    angle = next((token.text[1:-1] for token in tokenize(text).tokens if token.kind is Kind.ANGLE), text)
    return angle.strip()


def _domains(value: bytes) -> set[str]:
    text, _ = read_text(value)
    cut = tokenize(text)
    angles = [token.text for token in cut.tokens if token.kind is Kind.ANGLE]
    where = angles or [mask(text, cut, Kind.COMMENT, Kind.QUOTED)]
    return {match[1].lower() for part in where for match in _ADDRESS.finditer(part)}

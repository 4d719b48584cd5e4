"""Received-SPF (RFC 7208 section 9.1): a receiver's word on SPF alone.

In: the value of one header. Out: the result, the comment and the key-value pairs; None for what has no result. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtp_probe.mail.syntax.tokens import Kind, read_text, tokenize

RESULTS = frozenset({"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"})
_OLD = {"error": "temperror", "unknown": "permerror"}
"""Words of drafts, which old receivers still write."""
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,39})=(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpf:
    """One header. Names of the pairs (`client-ip`, `envelope-from`, `helo`, `receiver`, ...) are in lower case."""

    result: str
    comment: str = ""
    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Give the value of one pair; empty where there is none."""
        return next((value for key, value in self.pairs if key == name), "")


def read_received_spf(value: bytes) -> ReceivedSpf | None:
    """Read one Received-SPF header."""
    text, _ = read_text(value)
    tokens = tokenize(text).tokens
    if not tokens or tokens[0].kind is not Kind.WORD:
        return None
    result = tokens[0].text.lower()
    result = _OLD.get(result, result)
    if result not in RESULTS:
        return None
    comment = next((token.text for token in tokens if token.kind is Kind.COMMENT), "")
    return ReceivedSpf(result=result, comment=comment, pairs=tuple(_pairs(text)))


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs, of which a value may be a quoted string or an address in angle brackets."""
    pairs: list[list[str]] = []
    end = -1
    for token in tokenize(text).tokens:
        if token.kind in (Kind.COMMENT, Kind.SEMICOLON, Kind.COMMA):
            continue
        match = _PAIR.fullmatch(token.text) if token.kind is Kind.WORD else None
        if match is not None:
            pairs.append([match[1].lower(), match[2]])
        elif pairs and (token.start == end or not pairs[-1][1]):
            quoted = token.kind in (Kind.QUOTED, Kind.ANGLE)
            pairs[-1][1] += _ESCAPED.sub(r"\1", token.text[1:-1]) if quoted else token.text
        end = token.end
    return [(name, value) for name, value in pairs]

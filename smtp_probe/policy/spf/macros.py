"""The macro language of SPF (RFC 7208 section 7): its grammar, and its expansion.

In: a macro-string of a record. Out: whether it is one, and its text with the facts of a transaction put in. Asks nothing:
the validated name of `%{p}` is looked up by who evaluates, and only where `needs_validated_name` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

_LITERAL = r"[\x21-\x24\x26-\x7e]"
_EXPAND = r"%(?:\{[slodiphcrtvSLODIPHCRTV][0-9]*[rR]?[.\-+,/_=]*\}|[%_\-])"
_TOKEN = re.compile(rf"{_EXPAND}|{_LITERAL}")
_STRING = re.compile(rf"(?:{_EXPAND}|{_LITERAL})*", re.ASCII)
_EXPLANATION = re.compile(rf"(?:{_EXPAND}|{_LITERAL}| )*", re.ASCII)
_MACRO = re.compile(r"%\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}")
_TOP_LABEL = re.compile(r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])")
_EXPLANATION_ONLY = frozenset("crt")
_MOST_TEXT = 1000
"""Longest text of one macro that is worked on: senders are strangers' text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroFacts:
    """What macros stand for. `validated_name` is for `%{p}`, `receiver` and `now_seconds` are for explanations."""

    ip: IPv4Address | IPv6Address
    sender: str
    """With a local part, always."""
    domain: str
    helo: str
    validated_name: str = "unknown"
    receiver: str = "unknown"
    now_seconds: int = 0


def find_macro_fault(text: str) -> str:
    """Say what is wrong with a macro-string in a record, or nothing."""
    position = _STRING.match(text).end()  # type: ignore[union-attr]  # matches the empty text
    if position < len(text):
        return f"{text[position : position + 12]!r} is no macro and no plain character"
    for macro in _MACRO.finditer(text):
        if macro[1].lower() in _EXPLANATION_ONLY:
            return f"%{{{macro[1]}}} is for explanations only (RFC 7208 section 7.2)"
        if macro[2] and int(macro[2][:4]) == 0:
            return f"{macro[0]} asks for no parts at all"
    return ""


def find_domain_fault(text: str) -> str:
    """Say what is wrong with a domain-spec: a macro-string with a domain-end (RFC 7208 section 7.1), or nothing."""
    fault = find_macro_fault(text)
    if fault:
        return fault
    tokens = _TOKEN.findall(text)
    if not tokens:
        return "a domain name is missing"
    if tokens[-1].startswith("%"):
        return ""
    last_macro = max((index for index, token in enumerate(tokens) if token.startswith("%")), default=-1)
    tail = "".join(tokens[last_macro + 1 :]).removesuffix(".")
    _, dot, label = tail.rpartition(".")
    if not dot:
        return f"{text[:80]!r} is no domain name of two labels or more"
    return "" if _TOP_LABEL.fullmatch(label) else f"{label[:80]!r} cannot be the last label of a domain name"


def is_explanation(text: str) -> bool:
    """Whether a text is an explain-string (RFC 7208 section 6.2)."""
    return _EXPLANATION.fullmatch(text) is not None


def needs_validated_name(text: str) -> bool:
    """Whether `%{p}` is in a macro-string, which costs questions."""
    return any(macro[1] in "pP" for macro in _MACRO.finditer(text))


def has_macros(text: str) -> bool:
    """Whether the text depends on the transaction."""
    return _MACRO.search(text) is not None


def expand(text: str, facts: MacroFacts) -> str:
    """Put the facts in. The text has been found to be without fault."""
    return "".join(_expand_tokens(text, facts))


def expand_name(text: str, facts: MacroFacts) -> str:
    """Expand to a domain name; from one that is too long, labels are dropped on the left (section 7.3)."""
    name = expand(text, facts).removesuffix(".")
    while len(name) > 253 and "." in name:
        name = name.partition(".")[2]
    return name


def _expand_tokens(text: str, facts: MacroFacts) -> Iterator[str]:
    for piece in re.findall(rf"{_EXPAND}|.", text, re.DOTALL):
        if piece == "%%":
            yield "%"
        elif piece == "%_":
            yield " "
        elif piece == "%-":
            yield "%20"
        elif len(piece) > 1:
            yield _expand_macro(piece, facts)
        else:
            yield piece


def _expand_macro(token: str, facts: MacroFacts) -> str:
    macro = _MACRO.fullmatch(token)
    assert macro is not None
    letter, digits, reverses, delimiters = macro.groups()
    text = _value(letter.lower(), facts)[:_MOST_TEXT]
    if digits or reverses or delimiters:
        parts = re.split(f"[{re.escape(delimiters or '.')}]", text)
        if reverses:
            parts.reverse()
        if digits:
            parts = parts[-int(digits[:4]) :]
        text = ".".join(parts)
    return quote(text, safe="-._~") if letter.isupper() else text


def _value(letter: str, facts: MacroFacts) -> str:
    local, _, domain = facts.sender.rpartition("@")
    values = {
        "s": facts.sender,
        "l": local,
        "o": domain,
        "d": facts.domain,
        "p": facts.validated_name,
        "h": facts.helo,
        "v": "in-addr" if facts.ip.version == 4 else "ip6",
        "c": str(facts.ip),
        "r": facts.receiver,
        "t": str(facts.now_seconds),
        "i": str(facts.ip) if facts.ip.version == 4 else ".".join(facts.ip.exploded.replace(":", "")),
    }
    return values[letter]

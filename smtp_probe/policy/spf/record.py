"""The text of an SPF record as terms (RFC 7208 sections 4.5, 4.6, 5 and 6).

In: the TXT records of a domain, or the text of one. Out: `SpfRecord`, or an `SpfSyntaxError` that says what is wrong with which
term. The whole record is read before anything is evaluated: one fault anywhere makes it a permanent error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

from smtp_probe.model import DnsValue
from smtp_probe.policy.spf.macros import find_domain_fault, find_macro_fault

VERSION = "v=spf1"
_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
"""Mechanisms that cost one of the ten look-ups (RFC 7208 section 4.6.4); so does `redirect`."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_DUAL_CIDR = re.compile(r"(?P<four>/[0-9]+)?(?:/(?P<six>/[0-9]+))?$")
_CIDR = re.compile(r"/(0|[1-9][0-9]{0,2})")


class SpfSyntaxError(ValueError):
    """A record that cannot be read: which term, and why."""

    def __init__(self, term: str, reason: str) -> None:
        self.term = term
        self.reason = reason
        super().__init__(f"{term[:80]}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One mechanism. `domain` is a domain-spec, or empty for the domain that is being checked."""

    text: str
    qualifier: str
    name: str
    domain: str = ""
    network: IPv4Network | IPv6Network | None = None
    prefix4: int = 32
    prefix6: int = 128

    @property
    def asks(self) -> bool:
        """Whether it counts as one of the ten look-ups."""
        return self.name in _ASKING


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfRecord:
    """One record, read. Modifiers that nobody knows are left out."""

    text: str
    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""
    explanation: str = ""

    @property
    def all_at(self) -> int | None:
        """Where the first `all` stands among the mechanisms."""
        return next((at for at, term in enumerate(self.mechanisms) if term.name == "all"), None)


def select_records(values: Iterable[DnsValue]) -> tuple[bytes, ...]:
    """The TXT records that are SPF's: the version, alone or before a space (RFC 7208 section 4.5)."""
    return tuple(
        value
        for value in values
        if isinstance(value, bytes) and (value.lower() + b" ").startswith(f"{VERSION} ".encode())
    )


def sends_nothing(values: Iterable[DnsValue]) -> bool:
    """Whether TXT records say that no mail comes from the domain: `v=spf1 -all`."""
    return [record.lower().split() for record in select_records(values)] == [[VERSION.encode(), b"-all"]]


def parse_record(raw: bytes) -> SpfRecord:
    """Read one record. Raises SpfSyntaxError."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        term = raw.decode("ascii", "backslashreplace")
        raise SpfSyntaxError(term, "there are characters that are not ASCII") from None
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in _terms(text):
        name, equals, value = term.partition("=")
        if equals and _NAME.fullmatch(name):
            _add_modifier(modifiers, term, name.lower(), value)
        else:
            mechanisms.append(_parse_mechanism(term))
    return SpfRecord(
        text=text,
        mechanisms=tuple(mechanisms),
        redirect=modifiers.get("redirect", ""),
        explanation=modifiers.get("exp", ""),
    )


def _terms(text: str) -> Iterator[str]:
    return (term for term in text[len(VERSION) :].split(" ") if term)


def _add_modifier(modifiers: dict[str, str], term: str, name: str, value: str) -> None:
    if name in ("redirect", "exp"):
        if name in modifiers:
            raise SpfSyntaxError(term, f"{name}= stands in the record twice (RFC 7208 section 6)")
        fault = find_domain_fault(value)
        modifiers[name] = value
    else:
        fault = find_macro_fault(value)
    if fault:
        raise SpfSyntaxError(term, fault)


def _parse_mechanism(term: str) -> Mechanism:
    qualifier, rest = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
    match = re.match(r"[A-Za-z0-9]+", rest)
    name = match[0].lower() if match else ""
    if name not in _MECHANISMS:
        raise SpfSyntaxError(term, "there is no such mechanism")
    value = rest[len(name) :]
    if name == "all":
        if value:
            raise SpfSyntaxError(term, "all takes nothing after it")
        return Mechanism(text=term, qualifier=qualifier, name=name)
    if name in ("ip4", "ip6"):
        return Mechanism(text=term, qualifier=qualifier, name=name, network=_network(term, name, value))
    if name in ("a", "mx"):
        value, prefix4, prefix6 = _split_prefixes(term, value)
    else:
        prefix4, prefix6 = 32, 128
    domain = _domain(term, value, is_needed=name in ("include", "exists"))
    return Mechanism(
        text=term, qualifier=qualifier, name=name, domain=domain, prefix4=prefix4, prefix6=prefix6
    )


def _domain(term: str, value: str, *, is_needed: bool) -> str:
    if not value and not is_needed:
        return ""
    if not value.startswith(":"):
        raise SpfSyntaxError(
            term, "a colon and a domain name are expected" if is_needed else "a colon is expected here"
        )
    fault = find_domain_fault(value[1:])
    if fault:
        raise SpfSyntaxError(term, fault)
    return value[1:]


def _split_prefixes(term: str, value: str) -> tuple[str, int, int]:
    """Take the lengths off the end: `/24`, `//64`, `/24//64` (RFC 7208 section 5.3)."""
    match = _DUAL_CIDR.search(value)
    assert match is not None
    four, six = match["four"], match["six"]
    rest = value[: match.start()]
    if rest.endswith("/"):
        raise SpfSyntaxError(term, "a number is expected after the slash")
    return rest, _prefix(term, four, 32), _prefix(term, six, 128)


def _prefix(term: str, text: str | None, most: int) -> int:
    if text is None:
        return most
    match = _CIDR.fullmatch(text)
    if match is None or int(match[1]) > most:
        raise SpfSyntaxError(
            term, f"the prefix length must be a number from 0 to {most}, without a zero before it"
        )
    return int(match[1])


def _network(term: str, name: str, value: str) -> IPv4Network | IPv6Network:
    if not value.startswith(":"):
        raise SpfSyntaxError(term, "a colon and an address are expected")
    address, slash, length = value[1:].partition("/")
    try:
        if name == "ip4":
            prefix = _prefix(term, slash + length if slash else None, 32)
            return IPv4Network((int(IPv4Address(address)), prefix), strict=False)
        prefix = _prefix(term, slash + length if slash else None, 128)
        zoneless = address.replace("%", " ")  # Python would read a zone index
        return IPv6Network((int(IPv6Address(zoneless)), prefix), strict=False)
    except AddressValueError:
        raise SpfSyntaxError(term, f"{address[:60]!r} is no IPv{name[2]} address") from None

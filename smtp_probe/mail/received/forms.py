"""Reading a Received header by its form: most lines differ from one read before only in names, ids and dates.

In: the raw value of the header. Out: the same `Hop` that `header.parse_received` gives, in a third of the time. A line in
the common form of Postfix, Sendmail, Exim, Gmail or Exchange is cut into what changes from line to line (the names of
the hosts, the addresses, the id, the recipient, the date) and all the rest, its form. A form is read once, by the long
way, with names of the same shape in the gaps; where its reading gives one of these, the line's own name belongs. Every
other line goes the long way, and so does one that does not tell its software outside of those names: an id of a
certain shape could decide then.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from smtp_probe.mail.hostnames import find_provider, read_address
from smtp_probe.mail.received.client import NO_NAMES
from smtp_probe.mail.received.header import parse_received
from smtp_probe.mail.syntax.dates import parse_date
from smtp_probe.mail.syntax.tokens import read_text
from smtp_probe.model import Hop

_MAX_CHARACTERS = 1000
_MAX_NAME_CHARACTERS = 255
"""RFC 1035 section 2.3.4. Longer ones are cut, which is for the long way to do."""

_NAME = r"(?=[A-Za-z0-9])(?:[A-Za-z0-9-]++\.(?!\s))+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
"""With a dot, and so no keyword and no `unknown`; its last part begins with a letter, and so it is no address."""
_CLIENT = rf"(?:{_NAME}|localhost)"
_ADDRESS = r"[0-9A-Fa-f:.]{3,45}"
_COMMENT = r"\ \([^()\\]*+(?:\([^()\\]*+\)[^()\\]*+)*\)"
_FORM = re.compile(
    rf"""
    (?: from\ (?P<first>{_CLIENT})\ \(
        (?: (?:(?:(?P<second>{_CLIENT})(?P<root>\.?)|(?P<nameless>unknown))\ )? \[(?P<address>(?:IPv6:)?{_ADDRESS})\]
            (?:\ helo=(?P<third>{_CLIENT}))?
          | (?P<bare>{_ADDRESS}) )
        \) (?P<middle>(?:{_COMMENT})*)\  )?
    by\ (?P<by>{_NAME}) (?:\ \((?P<own>{_ADDRESS})\))?
    (?P<behind> (?: {_COMMENT} | \ tls\ [A-Z][A-Z0-9_]*+ | \ with\ (?:(?i:[a-z0-9]*[ls]mtp[sa]*)|Microsoft\ SMTP\ Server)(?!\S) )* )
    \ id\ (?P<id>(?=[A-Za-z.-]*[0-9])[A-Za-z0-9.-]{{5,64}})
    (?P<more>(?:{_COMMENT})*)
    (?: \ for\ (?P<bracket><)?(?P<for>[A-Za-z0-9][A-Za-z0-9._+=-]{{0,63}}@{_NAME})(?(bracket)>) )?
    (?P<last>(?:{_COMMENT}|\ via\ (?:Frontend|Mailbox)\ Transport)*)
    ; (?P<date>[^;()"<>]*+(?:\([^;()"<>]*+\))?)
    """,
    re.VERBOSE,
)
_SPECIAL_NAMES = NO_NAMES | {"localhost.localdomain"}
_REST = ("root", "nameless", "middle", "behind", "more", "bracket", "last")

_NAMES = ("first.example", "second.example", "third.example")
_ADDRESS_GAP, _OWN_GAP, _ID_GAP, _RECIPIENT_GAP = "192.0.2.1", "192.0.2.2", "000000", "for@example.org"
_ANY_DATE = "; Thu, 1 Jan 2026 00:00:00 +0000"


class _Form(NamedTuple):
    """A line without what changes from line to line, but with what of it decides more than its own value."""

    shape: str
    """Which of the optional parts are there: `f` from, `b` a bare address, `o` the server's own, `r` recipient."""
    second: int | None
    """The place in `_NAMES` of the name in the gap: an earlier one where the two names are the same."""
    third: int | None
    provider: str | None
    """Whose host the `by` is."""
    root: str | None
    nameless: str | None
    middle: str | None
    behind: str
    more: str
    bracket: str | None
    last: str


class _Reading(NamedTuple):
    """What the long way made of a form: a hop, and which of the names in the gaps it has for the client."""

    hop: Hop
    name: int | None
    host: int | None


def read_received(value: bytes) -> Hop:
    """Read the value of a Received or X-Received header, as `parse_received` does."""
    text, flags = read_text(value)
    if flags or len(text) > _MAX_CHARACTERS or (match := _FORM.fullmatch(text)) is None:
        return parse_received(value)
    return _fill(match) or parse_received(value)


def _fill(match: re.Match[str]) -> Hop | None:
    """Put a line's own names into the reading of its form. None where a name or the date is not of the usual kind."""
    first, second, third, bracketed, bare, by, own, id_, recipient, date = match.group(
        "first", "second", "third", "address", "bare", "by", "own", "id", "for", "date"
    )
    names = (first, second, third)
    address = read_address(bracketed or bare) if first else None
    stamp = parse_date(date)
    if (first and address is None) or (own and read_address(own) is None):
        return None
    if stamp.at_ns is None or stamp.flags or date[stamp.end :].partition("(")[0].strip():
        return None
    if not all(map(_is_plain, names)) or not _is_plain(by):
        return None
    reading = _read_form(
        _Form(
            ("f" if first else "")
            + ("b" if bare else "")
            + ("o" if own else "")
            + ("r" if recipient else ""),
            names.index(second) if second else None,
            names.index(third) if third else None,
            find_provider(by.lower()),
            *match.group(*_REST),
        )
    )
    if reading is None:
        return None
    hop = reading.hop
    return Hop(
        from_name=None if reading.name is None else names[reading.name],
        from_host=None if reading.host is None else names[reading.host],
        from_ip=address,
        by=by,
        with_=hop.with_,
        id=id_,
        for_=recipient,
        tls_version=hop.tls_version,
        tls_cipher=hop.tls_cipher,
        says_tls=hop.says_tls,
        authenticated=hop.authenticated,
        at_ns=stamp.at_ns,
        resolution_seconds=stamp.resolution_seconds,
        stamp_source="date",
        stamp_event=hop.stamp_event,
        software=hop.software,
        software_version=hop.software_version,
    )


def _is_plain(name: str | None) -> bool:
    """Whether a name means no more than itself, and is not too long to be kept whole."""
    return name is None or (len(name) <= _MAX_NAME_CHARACTERS and name.lower() not in _SPECIAL_NAMES)


@lru_cache(maxsize=512)
def _read_form(form: _Form) -> _Reading | None:
    """Read a form by the long way. None where its reading does not repeat all that stands in the gaps."""
    hop = parse_received((_write(form) + _ANY_DATE).encode())
    expected = (
        _ADDRESS_GAP if "f" in form.shape else None,
        _write_by(form.provider),
        _ID_GAP,
        _RECIPIENT_GAP if "r" in form.shape else None,
    )
    client = {None: None} | {name: place for place, name in enumerate(_NAMES)}
    is_usual = hop.software is not None and hop.by_host is None and not hop.flags
    if (
        not is_usual
        or (hop.from_ip, hop.by, hop.id, hop.for_) != expected
        or not {hop.from_name, hop.from_host} <= client.keys()
    ):
        return None
    return _Reading(hop, client[hop.from_name], client[hop.from_host])


def _write(form: _Form) -> str:
    """Write a line of this form."""
    parts: list[str] = []
    if "f" in form.shape:
        second = form.nameless if form.second is None else f"{_NAMES[form.second]}{form.root}"
        second = f"{second} " if second else ""
        third = "" if form.third is None else f" helo={_NAMES[form.third]}"
        client = _ADDRESS_GAP if "b" in form.shape else f"{second}[{_ADDRESS_GAP}]{third}"
        parts.append(f"from {_NAMES[0]} ({client}){form.middle} ")
    own = f" ({_OWN_GAP})" if "o" in form.shape else ""
    parts.append(f"by {_write_by(form.provider)}{own}{form.behind} id {_ID_GAP}{form.more}")
    if "r" in form.shape:
        parts.append(f" for <{_RECIPIENT_GAP}>" if form.bracket else f" for {_RECIPIENT_GAP}")
    return "".join([*parts, form.last])


def _write_by(provider: str | None) -> str:
    return f"by.{provider or 'example'}"

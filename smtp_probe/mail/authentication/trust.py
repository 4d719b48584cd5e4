"""Whose Authentication-Results count: those of the receiver, and of nobody else (RFC 8601 sections 1.6 and 5).

In: the header of a message, and the authserv-ids that are trusted, or the receiver's hosts. Out: the headers that count,
topmost first. Anybody can write such a header, so one counts only where its id is one of those given, or, where none is
given, belongs to the organisation whose hosts wrote the topmost Received lines; and only above the lines of others.
Exchange Online gives no id: its headers count where its own hosts are the receiver's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_probe.mail.authentication.results import AuthenticationResults, read_results
from smtp_probe.mail.path.legs import find_border
from smtp_probe.mail.path.organisations import is_own
from smtp_probe.mail.path.passages import read_passages
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.trace import read_trace

MOST_HEADERS = 20
WITHOUT_ID = "outlook.com"
"""The one receiver that writes no id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The part of a header that the receiver's own hosts wrote."""

    ids: tuple[str, ...]
    """What an authserv-id has to be, or lie in."""
    own_lines: int | None
    """How many Received lines, from the top, are the receiver's; None where that is not known."""


def find_receiver(header: bytes, ids: Sequence[str] = (), own: Sequence[str] = ()) -> Receiver:
    """Find whose word counts. `ids` are trusted as they are; `own` as `organisations.read_own` gives them."""
    passages = read_passages(read_trace(header))
    border = find_border(passages, own)
    first = border.first_own_hop
    own_lines = None if first is None else len(passages) - first + 1
    if ids:
        return Receiver(ids=tuple(name.lower() for name in ids), own_lines=None)
    hosts = () if first is None else tuple(each.host.lower() for each in passages[first - 1 :] if each.host)
    if not hosts and passages and passages[-1].host:
        hosts, own_lines = (passages[-1].host.lower(),), 1  # a host whose name shows no organisation
    return Receiver(ids=(*border.own, *hosts), own_lines=own_lines)


def find_trusted(header: bytes, receiver: Receiver) -> tuple[AuthenticationResults, ...]:
    """Give the headers that count."""
    return tuple(_select(header, receiver))


def _select(header: bytes, receiver: Receiver) -> Iterator[AuthenticationResults]:
    lines = seen = 0
    for name, value in split_fields(header):
        if name == "received":
            lines += 1
        if name != "authentication-results" or seen >= MOST_HEADERS:
            continue
        seen += 1
        # A filter of the border host may put its header directly below that host's own line.
        if receiver.own_lines is not None and lines > receiver.own_lines:
            return
        found = read_results(value)
        if is_trusted(found.authserv_id, receiver):
            yield found


def is_trusted(authserv_id: str | None, receiver: Receiver) -> bool:
    """Whether an id, or that there is none, is the receiver's."""
    if authserv_id is None:
        return any(is_own(name, (WITHOUT_ID,)) for name in receiver.ids)
    return authserv_id in receiver.ids or is_own(authserv_id, receiver.ids)

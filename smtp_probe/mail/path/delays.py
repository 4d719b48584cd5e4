"""Why a hop took long, as far as a trace shows it: put off and tried again, or held up by a content filter.

In: the passages of a message, and the fields of its header. Out: one `Delay` for each hop of which something can be said.

The rule, in this order, and only by the part of a delay that is certain (less the fineness of its stamps):

1. `greylisted`: postgrey, SQLgrey or milter-greylist says in a field of its own that it put the message off. It is the
   host whose line stands next above.
2. `retried`: between two hosts, and at least as long as the sending software waits before it tries again. The next host
   put the message off (greylisting, a limit), or could not be reached. No content scan takes as long: clients give up on
   the reply to the final dot after ten minutes (RFC 5321 section 4.5.3.2.6), and servers that scan answer far sooner.
3. `scanned`: within one host, five seconds or more and less than a retry takes, and a content filter wrote one of the two
   lines, or the next one came over the loopback, or from a program: so does a pipe filter give a message back. Two servers
   with names of their own are two hosts, also over a loopback.
4. A filter before the queue (`smtpd_proxy_filter` of Postfix) is told by the line in front of it, which has no queue id: that
   server kept nothing that it could have tried again, so `scanned` however long it took, and on whatever host.

Everything else is nobody's: a slow connection, a scan before a stamp, a clock. Then nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from smtp_probe.mail.path.encryption import is_local
from smtp_probe.mail.path.passages import Passage, has_own_name

Fields = Sequence[tuple[str, bytes]]
DelayKind = Literal["greylisted", "retried", "scanned"]

_LEAST_RETRY_SECONDS = {
    "postfix": 300.0,  # minimal_backoff_time
    "exim": 900.0,  # the first rule of the default: F,2h,15m
    "sendmail": 600.0,  # the shortest interval of queue runs that distributions set
    "qmail": 400.0,  # the first step of its quadratic schedule
    "courier": 300.0,  # retryalpha
    "exchange": 60.0,  # TransientFailureRetryInterval and the glitch retries before it
}
_USUAL_RETRY_SECONDS = 300.0
"""Of software that does not tell its name."""
_LEAST_SCAN_SECONDS = 5.0
_LONGEST_QUEUE_SECONDS = 10 * 86_400.0
"""No queue keeps mail for longer: that is a wrong clock, or an old message that was sent again."""
_FILTERS = frozenset({"amavis", "barracuda"})
_BY_PROGRAM = re.compile(rb"\(Postfix, from userid \d+\)|/Submit\) id |\bwith [a-z-]{0,32}scanned\b")
"""How Postfix, Sendmail and Exim write of what a program on the host handed to them; of Exim, by the usual name for it."""
_GREYLIST = re.compile(
    rb"(?i)\bdelayed (?:for )?(?:(\d{1,8}) seconds|(\d{1,4}):(\d\d):(\d\d)) by (postgrey|sqlgrey|milter-greylist)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What is said of one hop. `position` is None where the lines do not show whose word it is."""

    position: int | None
    kind: DelayKind
    seconds: float
    """How long it was put off, as the greylisting program says; else the delay of the hop."""
    by: str = ""
    """The program: that greylisted, that tries again, that scanned."""


def explain_delays(
    passages: Sequence[Passage], fields: Fields, doubts: Mapping[int, float] = MappingProxyType({})
) -> tuple[Delay, ...]:
    """Give what can be said of the hops, oldest first; of each, what comes first in the rule.

    `doubts` gives, by position, how many seconds of a delay may be a disagreement of the clocks.
    """
    greylisted = {delay.position: delay for delay in _read_greylisting(fields, len(passages))}
    known = {passage.position: passage for passage in passages}
    handed = _by_programs(fields, len(passages))
    inferred = (
        _infer(passage, known, doubts.get(passage.position, 0.0), is_handed=passage.position in handed)
        for passage in passages
        if passage.position not in greylisted
    )
    found = [*greylisted.values(), *(delay for delay in inferred if delay is not None)]
    return tuple(sorted(found, key=lambda delay: delay.position or 0))


def _read_greylisting(fields: Fields, hops: int) -> Iterator[Delay]:
    """Read the fields that greylisting programs write. Each stands right below the line of its own host."""
    lines = sum(name == "received" for name, _ in fields)
    above = 0
    for name, value in fields:
        above += name == "received"
        match = _GREYLIST.search(value) if name == "x-greylist" else None
        if match is None:
            continue
        seconds = (
            int(match[1])
            if match[1] is not None
            else int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])
        )
        is_placed = lines == hops and above > 0
        position = lines - above + 1 if is_placed else None
        yield Delay(
            position=position,
            kind="greylisted",
            seconds=float(seconds),
            by=match[5].decode("ascii").lower(),
        )


def _by_programs(fields: Fields, hops: int) -> frozenset[int]:
    """The hops whose lines say that a program on the host handed the message over."""
    lines = [value for name, value in fields if name == "received"]
    if len(lines) != hops:
        return frozenset()
    return frozenset(hops - above for above, line in enumerate(lines) if _BY_PROGRAM.search(line))


def _infer(passage: Passage, known: Mapping[int, Passage], doubt: float, *, is_handed: bool) -> Delay | None:
    before = known.get(passage.before or 0)
    if before is None or passage.delay_seconds is None or passage.uncertainty_seconds is None:
        return None
    certain = passage.delay_seconds - passage.uncertainty_seconds - doubt
    if passage.delay_seconds > _LONGEST_QUEUE_SECONDS:
        return None
    sender = before.hop.software or ""
    retry = _LEAST_RETRY_SECONDS.get(sender, _USUAL_RETRY_SECONDS)
    scanner = next((each for each in (passage.hop.software, before.hop.software) if each in _FILTERS), None)
    is_proxied = sender == "postfix" and before.hop.id is None and before.hop.with_ is not None
    if is_proxied or _is_within_host(before, passage):
        is_scan = is_proxied or is_handed or scanner is not None or is_local(passage.hop)
        if is_scan and certain >= _LEAST_SCAN_SECONDS and (is_proxied or certain < retry):
            return Delay(
                position=passage.position, kind="scanned", seconds=passage.delay_seconds, by=scanner or ""
            )
        return None
    if certain >= retry and _are_two_hosts(before, passage):
        return Delay(position=passage.position, kind="retried", seconds=passage.delay_seconds, by=sender)
    return None


def _is_within_host(before: Passage, passage: Passage) -> bool:
    """A filter on the same host: both lines bear one name, or it comes from the loopback.

    Two servers with names of their own may share a loopback, too: there only a line that a filter signed is one.
    """
    if before.host == passage.host and has_own_name(passage.host):
        return True
    is_signed = not _FILTERS.isdisjoint((before.hop.software, passage.hop.software))
    are_two = _are_two_hosts(before, passage) and has_own_name(before.host) and has_own_name(passage.host)
    return is_local(passage.hop) and (is_signed or not are_two)


def _are_two_hosts(before: Passage, passage: Passage) -> bool:
    return before.host != passage.host and before.host is not None and passage.host is not None

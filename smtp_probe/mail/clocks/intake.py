"""From the facts of a probe to what the estimation of clocks wants to know.

In: the hops of a trace, with the best stamps that were found for them, and the phases of a submission. Out: `HopStamp`
values and a `Dialogue`. Decodes no stamp and estimates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_probe.mail.clocks.domains import ClockDomain, DomainRule, find_domain
from smtp_probe.mail.clocks.facts import ClockStamp, Dialogue, HopStamp
from smtp_probe.mail.hostnames import normalise_by
from smtp_probe.model import Hop, Phase, PhaseTiming, Submission

_DATE_SECONDS = 1.0


def stamp_hops(hops: Sequence[Hop], rules: Sequence[DomainRule] = ()) -> tuple[HopStamp, ...]:
    """Give the hops' stamps, oldest first as they come. A hop without a time, or without a name, has none."""
    return tuple(_stamp_hop(hop, rules) for hop in hops)


def stamp_clock(domain: ClockDomain, at_ns: int, resolution_seconds: float, event: str | None) -> ClockStamp:
    """Give the stamp of a clock domain."""
    return ClockStamp(
        domain=domain.name,
        at_ns=at_ns,
        resolution_ns=max(round(resolution_seconds * 1e9), 1),
        event=event,
        looseness_ns=domain.looseness_ns,
    )


def read_dialogue(submission: Submission) -> Dialogue | None:
    """Give the instants of a submission; None where the final dot was not sent, or nobody knows when."""
    if submission.final_dot_ns is None:
        return None
    phases = {timing.phase: timing for timing in submission.phases}
    connect, mail, rcpt, data = (
        phases.get(phase) for phase in (Phase.CONNECT, Phase.MAIL, Phase.RCPT, Phase.DATA)
    )
    return Dialogue(
        final_dot_ns=submission.final_dot_ns,
        connect_ns=connect.started_ns if connect else None,
        mail_ns=mail.started_ns if mail else None,
        mail_reply_ns=_end_ns(mail),
        rcpt_ns=rcpt.started_ns if rcpt else None,
        rcpt_reply_ns=_end_ns(rcpt),
        data_ns=data.started_ns if data else None,
        accepted_ns=submission.accepted_ns,
    )


def _stamp_hop(hop: Hop, rules: Sequence[DomainRule]) -> HopStamp:
    host = hop.by_host or hop.by
    label = normalise_by(host)
    domain = find_domain(host, rules)
    if domain is None or hop.at_ns is None:
        return HopStamp(label=label)
    resolution = hop.resolution_seconds or _DATE_SECONDS
    stamp = stamp_clock(domain, hop.at_ns, resolution, hop.stamp_event)
    if hop.date_ns is None:
        return HopStamp(label=label, stamp=stamp)
    return HopStamp(label=label, stamp=stamp, date=stamp_clock(domain, hop.date_ns, _DATE_SECONDS, "mail"))


def _end_ns(timing: PhaseTiming | None) -> int | None:
    return timing.started_ns + round(timing.duration_seconds * 1e9) if timing else None

"""The view of one probe: from its first SYN to the mailbox, with what each server said.

In: what the journal has of it. Out: a view. The proof in the message's tag is struck out; lists are bounded; every text
of a server is sanitised.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import (
    Arrival,
    Authentication,
    Bounce,
    Finding,
    Hop,
    Method,
    Phase,
    PhaseTiming,
    Source,
    Span,
    Submission,
    Timing,
    Verdict,
)
from smtp_probe.model.words import spaced
from smtp_probe.report.archive import ProbeRecord
from smtp_probe.report.history import State, past_probe, state_of
from smtp_probe.report.redaction import SECRETS
from smtp_probe.report.sentences import describe_duration, describe_notice
from smtp_probe.report.web.checked import SeenInQueue
from smtp_probe.report.web.instants import instant, instant_or_none
from smtp_probe.report.web.views import (
    ArrivalView,
    BounceView,
    ClockView,
    CopyView,
    CorrectedHopView,
    FindingView,
    HopView,
    PhaseView,
    ProbeView,
    QueuedView,
    VerdictView,
)

_MOST_HOPS = 64
_MOST_VERDICTS = 40
_MOST_HEADER_LINES = 400
_HEADER_LINE = 600
_SAID = {
    Phase.RESOLVE: "(DNS look-up)",
    Phase.CONNECT: "(TCP connection)",
    Phase.TLS: "(TLS handshake)",
    Phase.GREETING: "(waiting for the greeting)",
    Phase.EHLO: "EHLO",
    Phase.STARTTLS: "STARTTLS",
    Phase.AUTH: "AUTH (the credentials are never shown)",
    Phase.MAIL: "MAIL FROM",
    Phase.RCPT: "RCPT TO",
    Phase.DATA: "DATA",
    Phase.ACCEPT: "(the message) .",
    Phase.QUIT: "QUIT",
}


def view_probe(record: ProbeRecord, seen: Sequence[SeenInQueue] = ()) -> ProbeView:
    """Give one probe, ended or open. `seen`: what stands in the queues, also of other probes."""
    probe, outcome = record.probe, record.outcome
    submission = outcome.submission if outcome is not None and outcome.submission else record.submission
    arrival = outcome.arrival if outcome is not None else None
    bounce = outcome.bounce if outcome is not None else None
    delay = outcome.delay if outcome is not None else record.delay
    was_overdue = record.is_overdue or (outcome is not None and outcome.was_overdue)
    tls = submission.tls if submission is not None else None
    timing = outcome.timing if outcome is not None else None
    path = outcome.path if outcome is not None else None
    authentication = record.authentication or Authentication()
    findings = (*(() if path is None else path.findings), *authentication.findings)
    return ProbeView(
        probe_id=probe.probe_id,
        route=probe.route,
        state=_state(record, was_overdue=was_overdue),
        kind="open" if outcome is None else outcome.kind.value,
        sentence=_sentence(record, submission),
        sequence=probe.sequence,
        sender=probe.sender,
        recipient=sanitise(probe.recipient, 320),
        mailbox=probe.mailbox,
        scheduled_at=instant(probe.scheduled_ns),
        sent_at=instant(probe.created_ns),
        deadline_seconds=probe.deadline_seconds,
        give_up_after_seconds=probe.give_up_after_seconds,
        was_overdue=was_overdue,
        ended_at=None if outcome is None else instant(outcome.ended_ns),
        delivery_seconds=None if outcome is None else outcome.delivery_seconds,
        visibility_seconds=None if outcome is None else outcome.visibility_seconds,
        disposition=None if submission is None else submission.disposition.value,
        peer_address=_text(submission.peer_address, 80) if submission is not None else None,
        local_address=_text(submission.local_address, 80) if submission is not None else None,
        queue_id=_text(submission.queue_id, 120) if submission is not None else None,
        tls=", ".join(filter(None, (tls.version, tls.cipher))) or None if tls is not None else None,
        certificate_ends_at=None if tls is None else instant_or_none(tls.not_after_ns),
        final_dot_at=None if submission is None else instant_or_none(submission.final_dot_ns),
        accepted_at=None if submission is None else instant_or_none(submission.accepted_ns),
        phases=() if submission is None else tuple(map(_view_phase, submission.phases)),
        arrival=None if arrival is None else _view_arrival(arrival),
        hops=() if arrival is None else view_hops(arrival),
        trace_flags=() if arrival is None else tuple(map(_words, arrival.trace.flags)),
        corrected_hops=() if timing is None else _view_times(timing),
        clocks=() if timing is None else _view_clocks(timing),
        verdicts=tuple(map(_view_verdict, _side_by_side(authentication)[:_MOST_VERDICTS])),
        unobserved_verdicts=tuple(_clean(each, 300) for each in authentication.unobserved[:_MOST_VERDICTS]),
        findings=tuple(_view_finding(probe.route, each) for each in findings),
        bounce=None if bounce is None else _view_bounce(bounce),
        delay=None if delay is None else _view_bounce(delay),
        copies=tuple(
            CopyView(
                after_hop=fork.after_hop,
                forked_at=sanitise(fork.host, 80),
                is_behind_last_hop=fork.is_behind_last_hop,
            )
            for fork in record.forks
        ),
        attempts=1 if submission is None else submission.attempts,
        queued=_view_queues(probe.probe_id, submission, seen),
        header_lines=view_header(record.header),
    )


def view_hops(arrival: Arrival) -> tuple[HopView, ...]:
    """Give the hops of a message, oldest first."""
    delays = {delay.position: delay.delay_seconds for delay in arrival.trace.delays}
    return tuple(
        _view_hop(position, hop, delays.get(position))
        for position, hop in enumerate(arrival.trace.hops[:_MOST_HOPS], 1)
    )


def view_header(header: bytes) -> tuple[str, ...]:
    """Give a header line by line, fit to be shown, with no proof in it that we sent the message."""
    lines = header.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n") if header else []
    shown = tuple(_header_line(line) for line in lines[:_MOST_HEADER_LINES])
    left_out = len(lines) - len(shown)
    return shown if left_out <= 0 else (*shown, f"({left_out} more lines)")


def _header_line(line: bytes) -> str:
    text = _clean(line.decode("utf-8", "replace"), _HEADER_LINE)
    return f"    {text}" if line[:1] in (b" ", b"\t") else text


def _state(record: ProbeRecord, *, was_overdue: bool) -> State:
    if record.outcome is not None:
        return state_of(record.outcome)
    return State.FAILED if was_overdue else State.WAITING


def _sentence(record: ProbeRecord, submission: Submission | None) -> str:
    if record.outcome is not None:
        return past_probe(record.outcome).sentence
    put_off = "" if record.delay is None else f"; {_clean(describe_notice(record.delay), 500)}"
    if record.is_overdue:
        deadline = describe_duration(record.probe.deadline_seconds)
        return f"overdue: not arrived within {deadline}, still awaited{put_off}"
    if record.delay is not None:
        return f"waiting for the message{put_off}"
    return (
        "being submitted"
        if submission is None
        else f"{submission.disposition.value}, waiting for the message"
    )


def _view_phase(timing: PhaseTiming) -> PhaseView:
    reply = timing.reply
    return PhaseView(
        phase=timing.phase.value,
        said=_SAID[timing.phase],
        started_at=instant(timing.started_ns),
        duration_seconds=timing.duration_seconds,
        reply=None if reply is None else _clean(str(reply), 500),
    )


def _view_arrival(arrival: Arrival) -> ArrivalView:
    return ArrivalView(
        mailbox=arrival.location.mailbox,
        folder=sanitise(arrival.location.folder, 255),
        placement=arrival.placement.value,
        stored_at=instant(arrival.stored_ns),
        stored_by=arrival.stamp.value,
        resolution_seconds=arrival.stamp_resolution_seconds,
        seen_at=instant(arrival.seen_ns),
        corrupted=arrival.corrupted,
        found_in=arrival.found_in,
        alterations=tuple(each.value for each in arrival.alterations),
    )


def _view_hop(position: int, hop: Hop, delay_seconds: float | None) -> HopView:
    sources = (hop.from_name, hop.from_host, f"[{hop.from_ip}]" if hop.from_ip else None)
    return HopView(
        position=position,
        by=sanitise(hop.by_host or hop.by or "", 255),
        from_=sanitise(" ".join(dict.fromkeys(filter(None, sources))), 300),
        protocol=sanitise(hop.with_ or "", 80),
        id=_clean(hop.id or "", 120),
        tls=sanitise(" ".join(filter(None, (hop.tls_version, hop.tls_cipher))), 120),
        software=sanitise(hop.software or "", 80),
        stamp_at=instant_or_none(hop.at_ns),
        stamp_source=_words(hop.stamp_source or ""),
        resolution_seconds=hop.resolution_seconds,
        raw_delay_seconds=delay_seconds,
    )


def _view_times(timing: Timing) -> tuple[CorrectedHopView, ...]:
    """Give what each hop took on our clock. They add up to the delivery; where one has no stamp of use, with the next."""
    return tuple(
        CorrectedHopView(
            label=sanitise(hop.by, 120),
            seconds=hop.span.seconds,
            lower_seconds=hop.span.least_ns / 1e9,
            upper_seconds=hop.span.most_ns / 1e9,
        )
        for hop in timing.hops
    )


def _view_clocks(timing: Timing) -> tuple[ClockView, ...]:
    def view(name: str, span: Span) -> ClockView:
        return ClockView(
            name=sanitise(name, 120),
            offset_seconds=span.seconds,
            lower_seconds=span.least_ns / 1e9,
            upper_seconds=span.most_ns / 1e9,
        )

    return tuple(view(clock.by, clock.span) for clock in timing.offsets)


def _side_by_side(found: Authentication) -> list[Verdict]:
    """Give the verdicts by method, ours before the receiver's."""
    methods, sources = list(Method), list(Source)
    return sorted(found.verdicts, key=lambda each: (methods.index(each.method), sources.index(each.source)))


def _view_verdict(verdict: Verdict) -> VerdictView:
    return VerdictView(
        method=verdict.method.value,
        source=verdict.source.value,
        result=verdict.result.value,
        domain=sanitise(verdict.domain, 255),
        selector=sanitise(verdict.selector, 80),
        aligned=verdict.aligned,
        detail=_clean(verdict.detail, 300),
    )


def _view_finding(route: str, finding: Finding) -> FindingView:
    return FindingView(
        check=finding.check,
        severity=finding.severity.value,
        subject=route,
        message=_clean(finding.message, 500),
        advice=_clean(finding.advice, 300),
        source=_clean(finding.source, 120),
    )


def _view_bounce(bounce: Bounce) -> BounceView:
    return BounceView(
        action=_text(bounce.action, 40) or "",
        status=_text(bounce.status, 20) or "",
        recipient=_text(bounce.recipient, 320) or "",
        reporting_mta=_text(bounce.reporting_mta, 255) or "",
        remote_mta=_text(bounce.remote_mta, 255) or "",
        diagnostic=_text(bounce.diagnostic, 1000) or "",
        seen_at=instant(bounce.seen_ns),
        reason=_text(bounce.reason, 40) or "",
        retry_until=instant_or_none(bounce.retry_until_ns),
    )


def _view_queues(
    probe_id: str, submission: Submission | None, seen: Sequence[SeenInQueue]
) -> tuple[QueuedView, ...]:
    """Give where the message waits. In the queue that has it under the id we were told, another one is not it."""
    own = [each for each in seen if each.probe.probe_id == probe_id]
    told = submission.queue_id if submission is not None else None
    sure = {each.queue for each in own if each.probe.queue_id == told}
    return tuple(_view_queued(each) for each in own if each.queue not in sure or each.probe.queue_id == told)


def _view_queued(seen: SeenInQueue) -> QueuedView:
    arrived = seen.probe.arrived_seconds
    return QueuedView(
        queue=sanitise(seen.queue, 80),
        queue_id=_clean(seen.probe.queue_id, 120),
        state=seen.probe.state.value,
        arrived_at=instant_or_none(None if arrived is None else arrived * 10**9),
        reason=_clean(seen.probe.reason, 300),
        seen_at=instant(seen.at_ns),
    )


def _words(name: str) -> str:
    return sanitise(spaced(name), 80)


def _text(value: str | None, limit: int) -> str | None:
    return None if value is None else _clean(value, limit)


def _clean(text: str, limit: int) -> str:
    return sanitise(SECRETS.redact(hide_tokens(text)), limit)

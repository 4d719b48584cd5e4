"""The waterfall of one probe: where its time went, as rows with bars.

In: a submission, an arrival, an outcome. Out: sections of rows whose bars are fractions of the section's own scale. How
wide they are drawn is the work of `drawing`. Pure.

Three sections, three clocks, and never a sum across them:

1. submission: the phases of the SMTP transaction, on our clock;
2. hops: the stamps of the Received headers, each on its host's own clock, raw. Where those clocks disagree the bars run
   backwards or beyond all measure; they are left so, and it is said;
3. mailbox: what came after the final dot, on our clock: the latency that counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from smtp_probe.cli.wording import UNKNOWN, clean, describe_delay, describe_span
from smtp_probe.model import Arrival, Hop, Outcome, PhaseTiming, Stamp, Submission

_NS = 1e9
_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From where to where, as fractions of the scale. It runs backwards where `end` is before `begin`."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what, how long, and its bar. `detail` is for those who have room for a second line."""

    label: str
    amount: str
    bar: Bar | None = None
    style: str = "cyan"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows on one scale. `note` says what the numbers are worth; `is_doubtful` that they cannot be true."""

    title: str
    amount: str
    note: str
    rows: tuple[Row, ...]
    is_doubtful: bool = False


def sections(outcome: Outcome, phase_limit: int | None = None) -> list[Section]:
    """Everything that is known of a probe that has ended, oldest first."""
    found = [describe_submission(outcome.submission, phase_limit), describe_hops(outcome), describe_mailbox(outcome)]
    return [section for section in found if section is not None]


def describe_submission(submission: Submission | None, phase_limit: int | None = None) -> Section | None:
    """The phases, each from its beginning. The shortest are put together where there are more than `phase_limit`."""
    if submission is None or not submission.phases:
        return None
    phases = submission.phases
    zero_ns = min(phase.started_ns for phase in phases)
    total = max((phase.started_ns - zero_ns) / _NS + phase.duration_seconds for phase in phases)
    kept, merged = _longest(phases, phase_limit)
    rows = [_phase_row(phase, zero_ns, total) for phase in kept]
    if merged:
        rest = sum(phase.duration_seconds for phase in merged)
        rows.append(Row(label=f"{len(merged)} others", amount=describe_span(rest), style="dim"))
    return Section(title="submission", amount=describe_span(total), note="SMTP phases, our clock", rows=tuple(rows))


def describe_hops(outcome: Outcome) -> Section | None:
    """The stamps of the Received headers, raw, oldest first; None where the message has not come."""
    arrival = outcome.arrival
    if arrival is None or not arrival.trace.hops:
        return None
    rows = tuple(_hop_rows(arrival))
    resolution = max((hop.resolution_seconds or 1.0 for hop in arrival.trace.hops), default=1.0)
    is_doubtful = _clocks_disagree(outcome, arrival)
    note = f"each host's own clock, raw, ±{resolution:g} s"
    if is_doubtful:
        note = "raw; these clocks disagree, so the delays are not real"
    return Section(title="hops", amount="", note=note, rows=rows, is_doubtful=is_doubtful)


def describe_mailbox(outcome: Outcome) -> Section | None:
    """What happened after the final dot, on our clock; None where nothing did, or the dot was never sent."""
    submission = outcome.submission
    if submission is None or submission.final_dot_ns is None:
        return None
    zero_ns = submission.final_dot_ns
    marks = [mark for mark in _marks_after_dot(outcome, submission) if mark[1] >= 0]
    if not marks:
        return None
    end = max(seconds for _, seconds, _ in marks) or 1e-9
    rows = tuple(
        Row(label=label, amount=describe_span(seconds), bar=Bar(begin=0.0, end=seconds / end), style=style)
        for label, seconds, style in marks
    )
    last_ns = zero_ns + round(end * _NS)
    return Section(
        title="mailbox", amount=describe_span((last_ns - zero_ns) / _NS), note="after the final dot, our clock", rows=rows
    )


def _longest(
    phases: Sequence[PhaseTiming], limit: int | None
) -> tuple[Sequence[PhaseTiming], Sequence[PhaseTiming]]:
    """Those that are shown, in their order, and those that are not."""
    if limit is None or len(phases) <= limit:
        return phases, ()
    ranked = sorted(range(len(phases)), key=lambda index: -phases[index].duration_seconds)
    shown = set(ranked[: max(limit - 1, 0)])
    return (
        [phase for index, phase in enumerate(phases) if index in shown],
        [phase for index, phase in enumerate(phases) if index not in shown],
    )


def _phase_row(phase: PhaseTiming, zero_ns: int, total: float) -> Row:
    begin = (phase.started_ns - zero_ns) / _NS
    refused = phase.reply is not None and (phase.reply.is_temporary or phase.reply.is_permanent)
    return Row(
        label=phase.phase.value,
        amount=describe_span(phase.duration_seconds),
        bar=_bar(begin, begin + phase.duration_seconds, total),
        style="red" if refused else "cyan",
        detail=clean(str(phase.reply)) or "" if phase.reply is not None and refused else "",
    )


def _hop_rows(arrival: Arrival) -> Iterator[Row]:
    """A row for each hop: its bar runs from the stamp before to its own, on a scale that holds all stamps."""
    hops, delays = arrival.trace.hops, arrival.trace.delays
    stamps = [hop.at_ns for hop in hops if hop.at_ns is not None]
    first_ns, span = (min(stamps), (max(stamps) - min(stamps)) / _NS) if stamps else (0, 0.0)
    before: Hop | None = None
    for hop, delay in zip(hops, delays, strict=False):
        bar = None
        if hop.at_ns is not None:
            begin_ns = hop.at_ns if before is None or before.at_ns is None else before.at_ns
            bar = _bar((begin_ns - first_ns) / _NS, (hop.at_ns - first_ns) / _NS, span)
        resolution = _coarser(hop, before)
        seconds = delay.delay_seconds
        is_backwards = seconds is not None and seconds <= -resolution
        yield Row(
            label=clean(delay.by, _NAME_CHARACTERS) or UNKNOWN,
            amount="first" if before is None and hop.at_ns is not None else describe_delay(seconds, resolution),
            bar=bar,
            style="yellow" if is_backwards else "blue",
            detail=_hop_detail(hop),
        )
        before = before if hop.at_ns is None else hop


def _hop_detail(hop: Hop) -> str:
    words = (("from", hop.from_name or hop.from_host or hop.from_ip), ("with", hop.with_), ("id", hop.id))
    said = [f"{word} {clean(value, _NAME_CHARACTERS)}" for word, value in words if value]
    return " ".join(said)


def _coarser(hop: Hop, before: Hop | None) -> float:
    """How far at most the difference of two stamps may be off."""
    known = [each.resolution_seconds or 1.0 for each in (hop, before) if each is not None]
    return max(known)


def _clocks_disagree(outcome: Outcome, arrival: Arrival) -> bool:
    """Whether the stamps cannot all be right: time ran backwards, or longer than the message was on its way."""
    whole = (arrival.seen_ns - outcome.probe.created_ns) / _NS
    hops = arrival.trace.hops
    resolution = max((hop.resolution_seconds or 1.0 for hop in hops), default=1.0)
    known = [delay.delay_seconds for delay in arrival.trace.delays if delay.delay_seconds is not None]
    return any(delay <= -resolution or delay >= whole + resolution for delay in known)


def _marks_after_dot(outcome: Outcome, submission: Submission) -> Iterator[tuple[str, float, str]]:
    """What happened when after the final dot, in seconds, and its colour."""
    zero_ns = submission.final_dot_ns or 0
    arrival, bounce = outcome.arrival, outcome.bounce
    if submission.accepted_ns is not None:
        yield "accepted", (submission.accepted_ns - zero_ns) / _NS, "cyan"
    if arrival is not None:
        if arrival.stamp is not Stamp.SEEN:
            yield "stored", (arrival.stored_ns - zero_ns) / _NS, "green"
        yield "seen", (arrival.seen_ns - zero_ns) / _NS, "green"
    if bounce is not None:
        yield "bounce seen", (bounce.seen_ns - zero_ns) / _NS, "red"


def _bar(begin: float, end: float, total: float) -> Bar:
    return Bar(begin=begin / total, end=end / total) if total > 0 else Bar(begin=0.0, end=0.0)


def shorten(section: Section, rows: int) -> Section:
    """The section with so many rows at most: the newest of them."""
    return replace(section, rows=section.rows[-rows:] if rows > 0 else ())

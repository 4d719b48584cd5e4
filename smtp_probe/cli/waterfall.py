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
from dataclasses import dataclass

from smtp_probe.cli.wording import UNKNOWN, clean, describe_delay, describe_span
from smtp_probe.model import Arrival, Hop, Outcome, PhaseTiming, Stamp, Submission

_NS = 1e9
_NAME_CHARACTERS = 80
_SMALLEST_SUBMISSION = 4
"""Lines: a heading, two phases, and the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From where to where, as fractions of the scale. It runs backwards where `end` is before `begin`."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what, how long, and its bars, for a phase may come in two parts. `detail` wants a second line."""

    label: str
    amount: str
    bars: tuple[Bar, ...] = ()
    style: str = "cyan"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows on one scale. `note` says what the numbers are worth, `brief` the same where there is little room;
    `is_doubtful` that they cannot be true.
    """

    title: str
    amount: str
    note: str
    brief: str
    rows: tuple[Row, ...]
    is_doubtful: bool = False


def sections(outcome: Outcome, lines: int | None = None) -> list[Section]:
    """Everything that is known of a probe that has ended, oldest first, in at most so many lines, headings included.

    Where it is too much, the shortest phases are put together first; then whole sections are left out, the
    submission first and the hops last.
    """
    later = [
        section for section in (describe_hops(outcome), describe_mailbox(outcome)) if section is not None
    ]
    if lines is None:
        return [*_listed(describe_submission(outcome.submission)), *later]
    room = lines - sum(map(_height, later))
    if room >= _SMALLEST_SUBMISSION:
        return [*_listed(describe_submission(outcome.submission, room - 1)), *later]
    while later and sum(map(_height, later)) > lines:
        later.pop()
    return later


def describe_submission(submission: Submission | None, phase_limit: int | None = None) -> Section | None:
    """The phases, each from its beginning. The shortest are put together where there are more than `phase_limit`."""
    if submission is None or not submission.phases:
        return None
    phases = submission.phases
    zero_ns = min(phase.started_ns for phase in phases)
    longest = _longest(phases, phase_limit)
    following: Sequence[PhaseTiming | None] = [*phases[1:], None]
    parts = [list(_parts(phase, after, zero_ns)) for phase, after in zip(phases, following, strict=True)]
    total = max(end for part in parts for _, end in part)
    rows = [_phase_row(phase, parts[index], total) for index, phase in enumerate(phases) if index in longest]
    if len(rows) < len(phases):
        rest = [phase.duration_seconds for index, phase in enumerate(phases) if index not in longest]
        rows.append(Row(label=f"{len(rest)} others", amount=describe_span(sum(rest)), style="dim"))
    return Section(
        title="submission",
        amount=describe_span(total),
        note="the phases of SMTP, on our clock",
        brief="SMTP phases",
        rows=tuple(rows),
    )


def describe_hops(outcome: Outcome) -> Section | None:
    """The stamps of the Received headers, raw, oldest first; None where the message has not come."""
    arrival = outcome.arrival
    if arrival is None or not arrival.trace.hops:
        return None
    rows = tuple(_hop_rows(arrival))
    resolution = _coarsest(arrival)
    is_doubtful = _clocks_disagree(outcome, arrival)
    note, brief = f"raw, on each host's own clock, ±{resolution:g} s", f"own clocks, ±{resolution:g} s"
    if is_doubtful:
        note, brief = "raw, and these clocks disagree: not real delays", "the clocks disagree"
    return Section(title="hops", amount="", note=note, brief=brief, rows=rows, is_doubtful=is_doubtful)


def describe_mailbox(outcome: Outcome) -> Section | None:
    """What happened after the final dot, on our clock; None where nothing did, or the dot was never sent."""
    submission = outcome.submission
    if submission is None or submission.final_dot_ns is None:
        return None
    marks = list(_marks_after_dot(outcome, submission))
    if not marks:
        return None
    end = max(seconds for _, seconds, _ in marks)
    rows = tuple(
        Row(label=label, amount=describe_span(seconds), bars=(_bar(0.0, seconds, end),), style=style)
        for label, seconds, style in marks
    )
    return Section(
        title="mailbox",
        amount=describe_span(end),
        note="after the final dot, on our clock",
        brief="after the dot",
        rows=rows,
    )


def _longest(phases: Sequence[PhaseTiming], limit: int | None) -> set[int]:
    """The places of the phases that are shown: all, or the longest and a line for the others."""
    if limit is None or len(phases) <= limit:
        return set(range(len(phases)))
    ranked = sorted(range(len(phases)), key=lambda index: -phases[index].duration_seconds)
    return set(ranked[: limit - 1])


def _phase_row(phase: PhaseTiming, parts: Sequence[tuple[float, float]], total: float) -> Row:
    is_refused = phase.reply is not None and (phase.reply.is_temporary or phase.reply.is_permanent)
    return Row(
        label=phase.phase.value,
        amount=describe_span(phase.duration_seconds),
        bars=tuple(_bar(begin, end, total) for begin, end in parts),
        style="red" if is_refused else "cyan",
        detail=clean(str(phase.reply)) or "" if is_refused else "",
    )


def _parts(phase: PhaseTiming, following: PhaseTiming | None, zero_ns: int) -> Iterator[tuple[float, float]]:
    """From when to when a phase ran. One that is longer than it lasts to the next went on after that: the second EHLO."""
    begin = (phase.started_ns - zero_ns) / _NS
    if following is not None:
        first = (following.started_ns - phase.started_ns) / _NS
        rest = phase.duration_seconds - first
        if rest > 0:
            again = (following.started_ns - zero_ns) / _NS + following.duration_seconds
            yield begin, begin + first
            yield again, again + rest
            return
    yield begin, begin + phase.duration_seconds


def _hop_rows(arrival: Arrival) -> Iterator[Row]:
    """A row for each hop: its bar runs from the stamp before to its own, on a scale that holds all stamps."""
    stamps = [hop.at_ns for hop in arrival.trace.hops if hop.at_ns is not None]
    first_ns, span = (min(stamps), (max(stamps) - min(stamps)) / _NS) if stamps else (0, 0.0)
    before: Hop | None = None
    for hop, delay in zip(arrival.trace.hops, arrival.trace.delays, strict=False):
        bars: tuple[Bar, ...] = ()
        if hop.at_ns is not None:
            begin_ns = hop.at_ns if before is None or before.at_ns is None else before.at_ns
            bars = (_bar((begin_ns - first_ns) / _NS, (hop.at_ns - first_ns) / _NS, span),)
        is_first = before is None and hop.at_ns is not None
        resolution, seconds = _coarser(hop, before), delay.delay_seconds
        yield Row(
            label=clean(delay.by, _NAME_CHARACTERS) or UNKNOWN,
            amount="first" if is_first else describe_delay(seconds, resolution),
            bars=bars,
            style=_delay_style(seconds, resolution),
            detail=_hop_detail(hop),
        )
        before = before if hop.at_ns is None else hop


def _delay_style(seconds: float | None, resolution: float) -> str:
    """Dim for what may as well be nothing, and a warning for what cannot be."""
    if seconds is None or abs(seconds) <= resolution:
        return "dim blue"
    return "yellow" if seconds < 0 else "blue"


def _hop_detail(hop: Hop) -> str:
    words = (("from", hop.from_name or hop.from_host or hop.from_ip), ("with", hop.with_), ("id", hop.id))
    said = [f"{word} {clean(value, _NAME_CHARACTERS)}" for word, value in words if value]
    return " ".join(said)


def _coarser(hop: Hop, before: Hop | None) -> float:
    """How far at most the difference of two stamps may be off."""
    known = [each.resolution_seconds or 1.0 for each in (hop, before) if each is not None]
    return max(known)


def _coarsest(arrival: Arrival) -> float:
    return max((hop.resolution_seconds or 1.0 for hop in arrival.trace.hops), default=1.0)


def _clocks_disagree(outcome: Outcome, arrival: Arrival) -> bool:
    """Whether the stamps cannot all be right: time ran backwards, or longer than the message was on its way."""
    whole = (arrival.seen_ns - outcome.probe.created_ns) / _NS
    resolution = _coarsest(arrival)
    known = [delay.delay_seconds for delay in arrival.trace.delays if delay.delay_seconds is not None]
    return any(delay < -resolution or delay > whole + resolution for delay in known)


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


def _listed(section: Section | None) -> list[Section]:
    return [] if section is None else [section]


def _height(section: Section) -> int:
    return 1 + len(section.rows)


def _bar(begin: float, end: float, total: float) -> Bar:
    return Bar(begin=begin / total, end=end / total) if total > 0 else Bar(begin=0.0, end=0.0)

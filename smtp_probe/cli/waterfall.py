"""The waterfall of one probe: where its time went, as rows with bars.

In: a submission, an arrival, an outcome. Out: sections of rows whose bars are fractions of the section's own scale. How
wide they are drawn is the work of `drawing`. Pure.

Three sections, three clocks, and never a sum across them:

1. submission: the phases of the SMTP transaction, on our clock;
2. hops: the stamps of the Received headers, each on its host's own clock (see `hops`);
3. mailbox: what came after the final dot, on our clock: the latency that counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_probe.cli.hops import describe_hops
from smtp_probe.cli.section import Bar, Row, Section, make_bar
from smtp_probe.cli.wording import clean, describe_span
from smtp_probe.model import Outcome, PhaseTiming, Stamp, Submission

__all__ = ["Bar", "Row", "Section", "describe_mailbox", "describe_submission", "sections"]

_NS = 1e9
_SMALLEST_SUBMISSION = 4
"""Lines: a heading, two phases, and the others."""


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
        Row(label=label, amount=describe_span(seconds), bars=(make_bar(0.0, seconds, end),), style=style)
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
        bars=tuple(make_bar(begin, end, total) for begin, end in parts),
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

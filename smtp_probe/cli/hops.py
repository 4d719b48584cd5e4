"""The hops of a message as a section of its waterfall: on our clock, each with its bound, or else raw.

In: an outcome. Out: a row for each hop, whose bar runs from the stamp before to its own. Where the time of the hops is
known, corrected for their clocks, that is shown; it adds up to the delivery time. Else the raw stamps are, each on its own
host's clock: where the clocks disagree the bars run backwards or beyond all measure; they are left so, and it is said. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from smtp_probe.cli.section import Row, Section, make_bar
from smtp_probe.cli.wording import UNKNOWN, clean, describe_delay, describe_span
from smtp_probe.model import Arrival, Hop, HopDelay, Outcome, Timing

_NAME_CHARACTERS = 80
_COARSE_SECONDS = 1.0
_TOLERANCE_SECONDS = 0.1
"""Clocks that are kept by NTP agree better than this; a delay that is negative by less is no news."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """One hop, what it cost by the stamps, and how far at most that may be off."""

    hop: Hop
    by: str
    delay_seconds: float | None
    resolution_seconds: float
    is_first: bool

    @property
    def is_backwards(self) -> bool:
        """Whether it ended before it began, by more than the stamps and good clocks are off."""
        delay = self.delay_seconds
        return delay is not None and delay < -(self.resolution_seconds + _TOLERANCE_SECONDS)

    def is_longer_than(self, seconds: float) -> bool:
        """Whether it took longer than so long, for certain."""
        delay = self.delay_seconds
        return delay is not None and delay > seconds + self.resolution_seconds + _TOLERANCE_SECONDS


def describe_hops(outcome: Outcome) -> Section | None:
    """What each hop cost, oldest first; None where the message has not come."""
    if outcome.arrival is not None and outcome.timing is not None:
        return _describe_corrected(outcome.arrival, outcome.timing)
    return _describe_raw(outcome)


def _describe_corrected(arrival: Arrival, timing: Timing) -> Section:
    total = timing.delivery.took_ns
    ends = list(accumulate((hop.span.took_ns for hop in timing.hops), initial=0))
    slowest = timing.slowest
    rows = tuple(
        Row(
            label=clean(hop.by, _NAME_CHARACTERS) or UNKNOWN,
            amount=f"{describe_span(hop.span.seconds)} ±{describe_span(hop.span.uncertainty_seconds)}",
            bars=(make_bar(begin, end, total),),
            style="blue" if hop is slowest else "dim blue",
            detail=_detail(arrival.trace.hops[hop.last - 1]) if hop.last <= len(arrival.trace.hops) else "",
        )
        for hop, (begin, end) in zip(timing.hops, pairwise(ends), strict=True)
    )
    return Section(
        title="hops",
        amount=describe_span(timing.delivery.seconds),
        note="after the final dot, on our clock: corrected for each host's, ± is a bound",
        brief="corrected, ± is a bound",
        rows=rows,
    )


def _describe_raw(outcome: Outcome) -> Section | None:
    """The stamps of the Received headers."""
    arrival = outcome.arrival
    if arrival is None or not arrival.trace.hops:
        return None
    stages = list(_stages(arrival))
    whole_seconds = (arrival.seen_ns - outcome.probe.created_ns) / 1e9
    is_doubtful = any(stage.is_backwards or stage.is_longer_than(whole_seconds) for stage in stages)
    note, brief = _worth(stages, is_doubtful=is_doubtful)
    rows = tuple(_rows(stages))
    return Section(title="hops", amount="", note=note, brief=brief, rows=rows, is_doubtful=is_doubtful)


def _worth(stages: list[_Stage], *, is_doubtful: bool) -> tuple[str, str]:
    """What the numbers are worth, at length and in brief."""
    if is_doubtful:
        return "raw, and these clocks disagree: not real delays", "the clocks disagree"
    if any(stage.resolution_seconds >= _COARSE_SECONDS for stage in stages):
        return "raw, on each host's own clock; whole seconds are ±1 s", "own clocks, whole seconds ±1 s"
    return "raw, on each host's own clock", "own clocks"


def _stages(arrival: Arrival) -> Iterator[_Stage]:
    before: Hop | None = None
    for hop, delay in zip(arrival.trace.hops, arrival.trace.delays, strict=False):
        is_first = before is None and hop.at_ns is not None
        yield _Stage(hop, _name(delay), delay.delay_seconds, _coarser(hop, before), is_first)
        before = before if hop.at_ns is None else hop


def _rows(stages: list[_Stage]) -> Iterator[Row]:
    """The bars follow each other by the raw delays, on a scale that holds them all."""
    instants = list(accumulate((stage.delay_seconds or 0.0 for stage in stages), initial=0.0))
    start, span = min(instants), max(instants) - min(instants)
    for stage, (begin, end) in zip(stages, pairwise(instants), strict=True):
        has_bar = stage.is_first or stage.delay_seconds is not None
        yield Row(
            label=stage.by,
            amount="first"
            if stage.is_first
            else describe_delay(stage.delay_seconds, stage.resolution_seconds),
            bars=(make_bar(begin - start, end - start, span),) if has_bar else (),
            style=_style(stage),
            detail=_detail(stage.hop),
        )


def _style(stage: _Stage) -> str:
    """Dim for what may as well be nothing, and a warning for what cannot be."""
    if stage.is_backwards:
        return "yellow"
    return "blue" if (stage.delay_seconds or 0.0) > stage.resolution_seconds else "dim blue"


def _name(delay: HopDelay) -> str:
    return clean(delay.by, _NAME_CHARACTERS) or UNKNOWN


def _detail(hop: Hop) -> str:
    words = (("from", hop.from_name or hop.from_host or hop.from_ip), ("with", hop.with_), ("id", hop.id))
    said = [f"{word} {clean(value, _NAME_CHARACTERS)}" for word, value in words if value]
    return " ".join(said)


def _coarser(hop: Hop, before: Hop | None) -> float:
    """The resolution of the coarser of two stamps; whole seconds where it is not known."""
    return max(each.resolution_seconds or _COARSE_SECONDS for each in (hop, before) if each is not None)

"""Events as a daemon makes them, in any number: one real probe of the lab (`outcome.json`), told of many routes.

In: names of routes. Out: the three events of a probe that was delivered, or a journal that holds such probes. What
varies is the identity and the instants; sizes, phases, hops and texts are those of the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from smtp_probe.config.load import load
from smtp_probe.model import Event, Outcome, ProbeEnded, ProbeStarted, ProbeSubmitted
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.journal import JOURNAL_NAME, SqliteJournal
from smtp_probe.report.totals import Totals

_REAL = TypeAdapter(Outcome).validate_json(Path(__file__).with_name("outcome.json").read_bytes())
_AT_ONCE = 300


def make_outcome(route: str, number: int, created_ns: int) -> Outcome:
    """Give a delivered probe of this route. No two may have the same number."""
    real, shift_ns = _REAL, created_ns - _REAL.probe.created_ns
    assert real.submission is not None
    assert real.submission.final_dot_ns is not None
    assert real.submission.accepted_ns is not None
    assert real.arrival is not None
    probe = replace(
        real.probe,
        probe_id=f"bench{number:018d}",
        route=route,
        sequence=number,
        created_ns=created_ns,
        scheduled_ns=created_ns,
    )
    submission = replace(
        real.submission,
        started_ns=real.submission.started_ns + shift_ns,
        final_dot_ns=real.submission.final_dot_ns + shift_ns,
        accepted_ns=real.submission.accepted_ns + shift_ns,
    )
    arrival = replace(
        real.arrival,
        location=replace(real.arrival.location, uid=number),
        seen_ns=real.arrival.seen_ns + shift_ns,
        stored_ns=real.arrival.stored_ns + shift_ns,
    )
    return replace(
        real, probe=probe, submission=submission, arrival=arrival, ended_ns=real.ended_ns + shift_ns
    )


def life_of(outcome: Outcome) -> tuple[Event, ...]:
    """Give the events of a probe in their order."""
    assert outcome.submission is not None
    return (
        ProbeStarted(probe=outcome.probe),
        ProbeSubmitted(probe=outcome.probe, submission=outcome.submission),
        ProbeEnded(outcome=outcome),
    )


def fill_journal(config_file: Path) -> None:
    """Make a journal as it stands when every route of a configuration has been probed once."""
    asyncio.run(_fill(config_file))


async def _fill(config_file: Path) -> None:
    config = load(config_file)
    config.state_directory.mkdir(mode=0o700, exist_ok=True)
    clock, totals = ReferenceClock(), Totals()
    totals.declare(config)
    journal = SqliteJournal(config.state_directory / JOURNAL_NAME, clock, totals)
    await journal.open()
    try:
        for routes in _batches(config.routes):
            lives = [life_of(make_outcome(route, number, clock.now_ns())) for number, route in routes]
            for step in zip(*lives, strict=True):
                await asyncio.gather(*map(journal.record, step))
    finally:
        await journal.close()


def _batches(routes: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    numbered = list(enumerate(routes, 1))
    for start in range(0, len(numbered), _AT_ONCE):
        yield numbered[start : start + _AT_ONCE]

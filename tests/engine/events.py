"""Events in an engine's stream, as workers and watchers write them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from smtp_probe.model import Event
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import subject_words
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.event_subjects import EventSubjects

_AT_ONCE = 100


def make_journal(stream: JetStream, writer: str) -> EngineJournal:
    """The journal of one process, as `app.engine.process` makes it."""
    names = stream.names
    subjects = EventSubjects(
        stream=names.events,
        vantage=stream.settings.vantage,
        probe=names.probe,
        note=names.seen,
        any_probe=names.any_probe,
        vantage_of=lambda subject: subject_words(subject)[1],
    )
    return EngineJournal(stream, subjects, writer)


async def write_lives(stream: JetStream, lives: Sequence[Sequence[Event]]) -> None:
    """Write the events of many probes, each probe's in their order."""
    journal = make_journal(stream, "worker")

    async def write(events: Sequence[Event]) -> None:
        for event in events:
            assert await journal.record(event)

    for start in range(0, len(lives), _AT_ONCE):
        await asyncio.gather(*(write(life) for life in lives[start : start + _AT_ONCE]))

"""The usual time of a route: by a journal, and by nothing else."""

import pytest

from smtp_probe.app.usual_time import find_usual_seconds
from smtp_probe.config.settings import Config
from smtp_probe.model import OutcomeKind, ProbeEnded, ProbeStarted, ProbeSubmitted
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.journal import JOURNAL_NAME, SqliteJournal
from smtp_probe.report.totals import Totals
from tests.report.samples import make_outcome, make_probe


def config(folder):
    return Config.model_construct(senders={}, mailboxes={}, routes={}, state_directory=folder)


async def keep(folder, *outcomes):
    journal = SqliteJournal(folder / JOURNAL_NAME, ReferenceClock(), Totals())
    await journal.open()
    for outcome in outcomes:
        await journal.record(ProbeStarted(probe=outcome.probe))
        if outcome.submission is not None:
            await journal.record(ProbeSubmitted(probe=outcome.probe, submission=outcome.submission))
        await journal.record(ProbeEnded(outcome=outcome))
    await journal.close()


async def test_it_is_the_median_of_what_was_delivered(tmp_path):
    taken = enumerate((1.0, 2.0, 30.0))
    delivered = [make_outcome(probe=make_probe(n, "inbound"), seconds=seconds) for n, seconds in taken]
    lost = make_outcome(OutcomeKind.LOST, probe=make_probe(9, "inbound"))
    await keep(tmp_path, *delivered, lost)

    assert await find_usual_seconds(config(tmp_path), "inbound") == pytest.approx(2.0, abs=0.1)
    assert await find_usual_seconds(config(tmp_path), "another") is None


async def test_two_deliveries_make_no_habit(tmp_path):
    await keep(tmp_path, *(make_outcome(probe=make_probe(n, "inbound")) for n in range(2)))

    assert await find_usual_seconds(config(tmp_path), "inbound") is None


async def test_without_a_journal_nothing_is_known_and_none_is_made(tmp_path):
    assert await find_usual_seconds(config(tmp_path), "inbound") is None
    assert list(tmp_path.iterdir()) == []


async def test_one_that_cannot_be_read_is_as_good_as_none(tmp_path):
    (tmp_path / JOURNAL_NAME).write_bytes(b"no journal")

    assert await find_usual_seconds(config(tmp_path), "inbound") is None

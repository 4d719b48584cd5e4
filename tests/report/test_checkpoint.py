"""Counters go from one exporter's journal to the next: every one of them, and since when they count."""

import pytest

from smtp_probe.model import DomainNoted, Memo, ProbeEnded, ProbeStarted, ProbeSubmitted
from smtp_probe.report.checkpoint import MEMO, SEEDED, Checkpoint, pack, read_checkpoint, seed_journal, unpack
from smtp_probe.report.journal import SqliteJournal
from tests.probes.fakes import FakeClock
from tests.report.samples import make_telemetry
from tests.report.test_event_records import OUTCOME, PROBE, SUBMISSION

NAME = "x fra"


async def open_journal(path):
    telemetry = make_telemetry()
    journal = SqliteJournal(path, FakeClock(), telemetry.totals)
    await journal.open()
    return journal, telemetry


def counters(telemetry):
    from smtp_probe.report.metrics import METRICS

    return {
        (metric.name, labels): value
        for metric in METRICS
        if metric.is_durable
        for labels, value in telemetry.series.all(metric)
    }


async def test_a_new_journal_begins_where_the_other_stood(tmp_path):
    first, told = await open_journal(tmp_path / "a.db")
    mark = DomainNoted(domain="", records=(), memos=(Memo(kind=MEMO, name=NAME, text="7"),))
    probe = OUTCOME.probe
    await first.record_all(
        [ProbeStarted(probe=probe), ProbeEnded(outcome=OUTCOME), ProbeStarted(probe=PROBE), mark]
    )
    found = read_checkpoint(tmp_path / "a.db", NAME)
    assert found is not None
    assert (found.sequence, found.open_since_ns) == (7, PROBE.created_ns)

    seed_journal(tmp_path / "b.db", unpack(pack(found)), NAME)
    second, shown = await open_journal(tmp_path / "b.db")
    plain = {key: value for key, value in counters(told).items() if isinstance(value, float)}
    assert {key: value for key, value in counters(shown).items() if isinstance(value, float)} == plain
    assert any(plain.values())
    assert shown.totals.since_ns == told.totals.since_ns
    assert [(memo.kind, memo.name) for memo in await second.memos()] == [(SEEDED, NAME)]

    # What was counted already is read again, for the sake of the open probe, and adds nothing.
    second.count = lambda _: ()
    await second.record_all([ProbeStarted(probe=PROBE), ProbeSubmitted(probe=PROBE, submission=SUBMISSION)])
    assert {key: value for key, value in counters(shown).items() if isinstance(value, float)} == plain
    await first.close()
    await second.close()


async def test_a_journal_that_has_read_nothing_has_no_checkpoint(tmp_path):
    journal, _ = await open_journal(tmp_path / "a.db")
    await journal.close()

    assert read_checkpoint(tmp_path / "a.db", NAME) is None


@pytest.mark.parametrize(
    "payload", [b"", b"x", pack(Checkpoint(sequence=1, open_since_ns=1, begun_ns=1, totals=()))[:-9]]
)
def test_what_is_no_checkpoint_is_refused(payload):
    with pytest.raises(ValueError, match=r"checkpoint|Expecting|Unterminated"):
        unpack(payload)

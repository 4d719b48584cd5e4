"""Reading the journal for the pages."""

import pytest

from smtp_probe.model import OutcomeKind, ProbeStarted, ProbeSubmitted, VerdictsFormed
from smtp_probe.report.archive import ROUTE_PROBES, Archive, ArchiveError
from smtp_probe.report.history import HEARTBEAT
from tests.report.samples import make_authentication, make_probe, make_submission
from tests.report.web.stage import HEADER, Stage, delivery, ending, lives


@pytest.fixture
async def stage(tmp_path):
    stage = await Stage.build("empty", tmp_path)
    yield stage
    await stage.application.archive.close()


async def test_one_probe_with_all_that_is_known(stage):
    sent = delivery(1)
    await stage.tell(*lives([sent]))
    record = await stage.application.archive.probe("example-00001")

    assert record.outcome == sent
    assert record.header == HEADER
    assert record.submission == sent.submission
    assert record.authentication is None
    assert await stage.application.archive.probe("nothing") is None


async def test_what_was_found_of_its_authentication(stage):
    await stage.tell(*lives([delivery(1)]))
    found = make_authentication()
    await stage.tell(VerdictsFormed(route="example", probe_id="example-00001", found=found))

    assert (await stage.application.archive.probe("example-00001")).authentication == found


async def test_an_open_probe_is_there_too(stage):
    probe = make_probe()
    await stage.tell(ProbeStarted(probe=probe), ProbeSubmitted(probe=probe, submission=make_submission()))
    record = await stage.application.archive.probe(probe.probe_id)

    assert record.outcome is None
    assert record.submission is not None


async def test_a_route_s_failures_are_shown_from_before_its_last_probes(stage):
    failures = [ending(OutcomeKind.REFUSED, number) for number in range(1, 4)]
    await stage.tell(*lives(failures + [delivery(number) for number in range(4, ROUTE_PROBES + 50)]))
    past = await stage.application.archive.route_past("example")

    assert [each.probe.sequence for each in past.recent] == list(range(ROUTE_PROBES + 49, 49, -1))
    assert [each.probe.sequence for each in past.older_failures] == [3, 2, 1]
    assert (await stage.application.archive.route_past("other")).recent == ()


async def test_beats_and_the_last_failure_of_a_route(stage):
    await stage.tell(*lives([ending(OutcomeKind.LOST, 1), *(delivery(number) for number in range(2, 90))]))
    beats, failure, changes = await stage.application.archive.beats("example")

    assert [beat.sequence for beat in beats] == list(range(90 - HEARTBEAT, 90))
    assert failure.probe.sequence == 1
    assert changes == ()


async def test_it_cannot_write(stage):
    with pytest.raises(ArchiveError, match="readonly|read-only|query_only|attempt to write"):
        await stage.application.archive._ask(lambda connection: connection.execute("DELETE FROM probes"))


async def test_a_journal_that_is_not_there_is_told(tmp_path):
    archive = Archive(tmp_path / "none.db")
    with pytest.raises(ArchiveError, match=r"none\.db: unable to open"):
        await archive.probe("x")
    await archive.close()
    with pytest.raises(ArchiveError):
        await archive.probe("x")


async def test_a_row_that_cannot_be_read_is_told_and_not_shown(stage):
    await stage.tell(*lives([delivery(1)]))
    journal = await stage.open_journal()
    await journal._in_thread(lambda: journal._connected().execute("UPDATE probes SET outcome = '{}'"))
    await journal.close()
    with pytest.raises(ArchiveError, match=r"journal\.db"):
        await stage.application.archive.probe("example-00001")

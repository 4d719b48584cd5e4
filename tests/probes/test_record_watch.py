"""What changed between two looks, in one run or over a restart."""

from __future__ import annotations

from smtp_probe.model import DnsAnswer, DnsStatus, DomainReport, DomainUnderCheck, Memo, MxRecord
from smtp_probe.probes.record_watch import CHANGES, RecordWatch
from tests.probes.fakes import FakeClock, MemoryJournal


def _report(host: str) -> DomainReport:
    answer = DnsAnswer(
        name="e.test",
        kind="MX",
        status=DnsStatus.FOUND,
        values=(MxRecord(10, host),),
        original_ttl_seconds=60,
    )
    return DomainReport(subject=DomainUnderCheck(domain="e.test"), results={}, records=(answer,))


def _checks(report: DomainReport) -> list[str]:
    return [finding.check for finding in report.results[CHANGES].findings]


async def test_a_change_is_recorded_once_and_stands() -> None:
    journal = MemoryJournal()
    watch = RecordWatch(journal, FakeClock())
    assert _checks(await watch.note(_report("a.e.test"))) == []
    assert _checks(await watch.note(_report("a.e.test"))) == []
    assert _checks(await watch.note(_report("b.e.test"))) == ["mx_changed"]
    assert _checks(await watch.note(_report("b.e.test"))) == ["mx_changed"]
    assert [event.records for event in journal.events] == [(), ("mx",)]


async def test_what_changed_while_nobody_looked_is_found_after_a_restart() -> None:
    journal = MemoryJournal()
    await RecordWatch(journal, FakeClock()).note(_report("a.e.test"))
    later = RecordWatch(journal, FakeClock())
    later.restore(journal.events[0].memos)
    assert _checks(await later.note(_report("b.e.test"))) == ["mx_changed"]
    assert journal.events[-1].records == ("mx",)


async def test_what_the_journal_does_not_have_is_found_again() -> None:
    journal = MemoryJournal()
    watch = RecordWatch(journal, FakeClock())
    await watch.note(_report("a.e.test"))
    journal.is_broken = True
    assert _checks(await watch.note(_report("b.e.test"))) == []
    journal.is_broken = False
    assert _checks(await watch.note(_report("b.e.test"))) == ["mx_changed"]


async def test_a_damaged_memory_is_as_none() -> None:
    watch = RecordWatch(MemoryJournal(), FakeClock())
    for text in ("{", "[]", None, '{"version": 9}'):
        watch.restore([Memo(kind="records", name="e.test", text=text)])
    watch.restore([Memo(kind="clock", name="x", text="{")])
    assert _checks(await watch.note(_report("a.e.test"))) == []

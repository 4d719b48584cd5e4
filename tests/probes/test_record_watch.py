"""What changed between two looks, in one run or over a restart."""

from __future__ import annotations

import dataclasses

from smtp_probe.model import CheckResult, DnsAnswer, DnsStatus, DomainReport, DomainUnderCheck, Memo, MxRecord
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


def _with_policy(record_id: str, max_age: int) -> DomainReport:
    facts = {"id": record_id, "mode": "enforce", "max_age_seconds": max_age, "mx": ["a.e.test"]}
    return dataclasses.replace(_report("a.e.test"), results={"mta_sts": CheckResult(facts=facts)})


async def test_a_policy_that_changed_under_its_id_while_nobody_looked_is_found_after_a_restart() -> None:
    journal = MemoryJournal()
    await RecordWatch(journal, FakeClock()).note(_with_policy("1", 600_000))
    later = RecordWatch(journal, FakeClock())
    later.restore(journal.events[0].memos)
    assert _checks(await later.note(_with_policy("1", 600_000))) == []
    assert _checks(await later.note(_with_policy("1", 900_000))) == ["mta_sts_id_unchanged"]
    assert _checks(await later.note(_with_policy("1", 900_000))) == ["mta_sts_id_unchanged"]
    assert _checks(await later.note(_with_policy("2", 900_000))) == []
    assert _checks(await later.note(_report("a.e.test"))) == []  # no policy was seen
    assert [event.records for event in journal.events] == [(), ()]


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
        watch.restore([Memo(kind=kind, name="e.test", text=text) for kind in ("records", "sts_policy")])
    watch.restore([Memo(kind="clock", name="x", text="{")])
    assert _checks(await watch.note(_report("a.e.test"))) == []

"""The records of all domains, remembered: what has changed, also while the program was not running.

In: reports of looks, and the memos of the journal. Out: the same reports with a part `changes`. A change is counted when the
journal has it: where that cannot be written, the look is as if it had not been, and the next one finds the change again.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterable

from smtp_probe.errors import JournalError
from smtp_probe.model import CheckResult, DomainNoted, DomainReport, Memo
from smtp_probe.policy.record_changes import RecordMemory, read_record_memory
from smtp_probe.ports import Clock, Journal

_log = logging.getLogger(__name__)
RECORDS_MEMO = "records"
CHANGES = "changes"
"""The name of the part."""


class RecordWatch:
    """All domains of this program."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._memories: dict[str, RecordMemory] = {}

    def restore(self, memos: Iterable[Memo]) -> None:
        """Take up what an earlier run saw. What is damaged is seen anew, as if for the first time."""
        for memo in memos:
            if memo.kind != RECORDS_MEMO:
                continue
            try:
                memory = read_record_memory(json.loads(memo.text or "null"))
            except ValueError:
                memory = None
            if memory is None:
                _log.warning("what was seen of a domain cannot be read", extra={"domain": memo.name})
            else:
                self._memories[memo.name] = memory

    async def note(self, report: DomainReport) -> DomainReport:
        """Remember one look, and add what has changed to its report. Never raises."""
        domain, now_ns = report.subject.domain, self._clock.now_ns()
        before = self._memories.get(domain, RecordMemory())
        memory, changes = before.after(report.records, now_ns)
        if memory != before:
            memo = Memo(kind=RECORDS_MEMO, name=domain, text=json.dumps(memory.write()))
            words = tuple(change.word for change in changes)
            event = DomainNoted(domain=domain, records=words, memos=(memo,))
            try:
                await self._journal.record(event)
            except JournalError as error:
                _log.warning("what was seen of a domain is not kept: %s", error, extra={"domain": domain})
                memory = before
            else:
                self._memories[domain] = memory
                for change in changes:
                    extra = {"domain": domain, "record": change.word, "subject": change.name}
                    _log.info("record changed", extra=extra)
        found = tuple(memory.findings(now_ns, report.subject.selectors, domain))
        return dataclasses.replace(report, results={**report.results, CHANGES: CheckResult(findings=found)})

"""The records and MTA-STS policies of all domains, remembered: what has changed, also while the program was not running.

In: reports of looks, and the memos of the journal. Out: the same reports with a part `changes`. A change is counted when the
journal has it: where that cannot be written, the look is as if it had not been, and the next one finds the change again.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterable, Sequence

from smtp_probe.errors import JournalError
from smtp_probe.model import CheckResult, DomainNoted, DomainReport, Finding, Memo
from smtp_probe.policy.mta_sts import SeenPolicy, compare_policy
from smtp_probe.policy.record_changes import RecordChange, RecordMemory, read_record_memory
from smtp_probe.ports import Clock, Journal

_log = logging.getLogger(__name__)
RECORDS_MEMO = "records"
POLICY_MEMO = "sts_policy"
CHANGES = "changes"
"""The name of the part."""


class RecordWatch:
    """All domains of this program."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._memories: dict[str, RecordMemory] = {}
        self._policies: dict[str, SeenPolicy] = {}

    def restore(self, memos: Iterable[Memo]) -> None:
        """Take up what an earlier run saw. What is damaged is seen anew, as if for the first time."""
        for memo in memos:
            try:
                if memo.kind == RECORDS_MEMO:
                    self._memories[memo.name] = _read_records(memo)
                elif memo.kind == POLICY_MEMO:
                    self._policies[memo.name] = _read_policy(memo)
            except (ValueError, TypeError):
                _log.warning("what was seen of a domain cannot be read", extra={"domain": memo.name})

    async def note(self, report: DomainReport) -> DomainReport:
        """Remember one look, and add what has changed to its report. Never raises."""
        domain, now_ns = report.subject.domain, self._clock.now_ns()
        before = self._memories.get(domain, RecordMemory())
        memory, changes = before.after(report.records, now_ns)
        memos = (
            []
            if memory == before
            else [Memo(kind=RECORDS_MEMO, name=domain, text=json.dumps(memory.write()))]
        )
        policy, same_id = self._compare_policy(report)
        if policy is not None and policy != self._policies.get(domain):
            memos.append(_write_policy(domain, policy))
        if memos and not await self._keep(domain, changes, memos):
            memory = before
        elif memos:
            self._memories[domain] = memory
            if policy is not None:
                self._policies[domain] = policy
        found = (*memory.findings(now_ns, report.subject.selectors, domain), *same_id)
        return dataclasses.replace(report, results={**report.results, CHANGES: CheckResult(findings=found)})

    def _compare_policy(self, report: DomainReport) -> tuple[SeenPolicy | None, tuple[Finding, ...]]:
        look = report.results.get("mta_sts")
        domain = report.subject.domain
        known = self._policies.get(domain)
        if look is None:
            return known, ()
        policy, finding = compare_policy(domain, look.facts, known)
        return policy, () if finding is None else (finding,)

    async def _keep(self, domain: str, changes: Sequence[RecordChange], memos: Sequence[Memo]) -> bool:
        """Write down what is new; False where the journal does not take it."""
        words = tuple(change.word for change in changes)
        try:
            await self._journal.record(DomainNoted(domain=domain, records=words, memos=tuple(memos)))
        except JournalError as error:
            _log.warning("what was seen of a domain is not kept: %s", error, extra={"domain": domain})
            return False
        for change in changes:
            extra = {"domain": domain, "record": change.word, "subject": change.name}
            _log.info("record changed", extra=extra)
        return True


def _read_records(memo: Memo) -> RecordMemory:
    memory = read_record_memory(json.loads(memo.text or "null"))
    if memory is None:
        raise ValueError(memo.name)
    return memory


def _read_policy(memo: Memo) -> SeenPolicy:
    record_id, *terms = json.loads(memo.text or "null")
    return SeenPolicy(str(record_id), tuple(map(str, terms)))


def _write_policy(domain: str, policy: SeenPolicy) -> Memo:
    return Memo(kind=POLICY_MEMO, name=domain, text=json.dumps([policy.record_id, *policy.terms]))

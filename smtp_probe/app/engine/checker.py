"""The checker: looks at domains and queues, and runs drills. Of all processes with this role one does so at a time.

In: the configuration's `domains`, `queues` and `drills`. Out: reports in the engine, for the exporters to show; and what was seen of
domains' records, so that the next checker knows what has changed. Queues are those of the machine on which it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from smtp_probe.app.drills import Drills
from smtp_probe.app.engine.outbox import Outbox
from smtp_probe.app.engine.programs import CountedLedger, QuietProgram
from smtp_probe.app.engine.sightings import read_sightings
from smtp_probe.config.settings import Config
from smtp_probe.errors import EngineError
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import (
    DomainNoted,
    DomainReport,
    DrillReport,
    Event,
    Memo,
    ProbeEnded,
    QueueLook,
    RetryLook,
)
from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import word
from smtp_probe.network.jetstream.reading import Follower, Start
from smtp_probe.ports import EventLog, Sink, StoredMessage
from smtp_probe.probes.ledger import Ledger
from smtp_probe.probes.record_watch import POLICY_MEMO, RECORDS_MEMO
from smtp_probe.report.check_records import CheckRecord, Report, kind_of, read_check, write_check
from smtp_probe.report.engine_journal import EngineJournal
from smtp_probe.report.event_records import read_record
from smtp_probe.report.event_subjects import EventSubjects
from smtp_probe.report.telemetry import Telemetry

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_AGAIN_SECONDS = 2.0
_PAST_NS = 3600 * _NS
"""Probes that were begun within this time before us are recognised in queues."""
Tell = Callable[[str, Report, int], None]


class RememberingJournal(EngineJournal):
    """Has whoever takes over know what was seen of a domain."""

    def __init__(self, log: EventLog, subjects: EventSubjects, writer: str) -> None:
        super().__init__(log, subjects, writer)
        self.remember: Callable[[Memo], None] = lambda _: None

    async def record(self, event: Event) -> bool:
        """Write one event; what it says of domains is kept for the next checker too. Raises JournalError."""
        is_new = await super().record(event)
        if isinstance(event, DomainNoted):
            for memo in event.memos:
                self.remember(memo)
        return is_new


class CheckerProgram(QuietProgram):
    """What a checker needs: it sends drills only, and opens no mailbox but for them."""

    def __init__(
        self, config: Config, keys: Sequence[TagKey], journal: EngineJournal, telemetry: Telemetry, tell: Tell
    ) -> None:
        self._tell = tell
        super().__init__(config, keys, journal, (), telemetry)

    def _make_ledger(self, sinks: Sequence[Sink]) -> Ledger:
        return CountedLedger(self._events, self.clock, sinks)

    def _watch_mailboxes(self) -> None:
        """Leave the mailboxes to the watchers."""

    def _domain_looked_at(self, report: DomainReport) -> None:
        self._tell(report.subject.domain, report, self.clock.now_ns())

    def _queue_looked_into(self, look: QueueLook | RetryLook) -> None:
        self._tell(look.queue, look, look.at_ns)


class Checker:
    """The work of a checker, begun anew with each `run`. `journal` makes the one that it writes to."""

    def __init__(
        self,
        config: Config,
        keys: Sequence[TagKey],
        stream: JetStream,
        make_journal: Callable[[type[RememberingJournal]], RememberingJournal],
        make_telemetry: Callable[[], Telemetry],
    ) -> None:
        self._config = config
        self._keys = keys
        self._stream = stream
        self._make_journal = make_journal
        self._make_telemetry = make_telemetry
        self._bucket = Bucket(stream, stream.names.reports)
        self._outbox = Outbox(self._bucket)
        self._running: tuple[CheckerProgram, Drills] | None = None

    def configure(self, config: Config) -> None:
        """Take over a configuration."""
        self._config = config
        if self._running is not None:
            program, drills = self._running
            program.configure(config)
            drills.configure(config)

    async def run(self) -> None:
        """Check, until cancelled."""
        journal = self._make_journal(RememberingJournal)
        journal.remember = self._remember
        config = self._config
        program = CheckerProgram(config, self._keys, journal, self._make_telemetry(), self._tell)
        drills = Drills(program.clock, self._keys, program.submitter, self._drilled)
        self._running = program, drills
        try:
            program.records.restore(await self._recall_all())
            program.configure(self._config)
            program.queues.start()
            drills.configure(self._config)
            drills.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._outbox.run(), name="reports")
                group.create_task(program.domains.watch.run(), name="domains")
                group.create_task(self._follow(program), name="probes that may be queued")
                group.create_task(self._learn_of_mail(program), name="what mail shows of domains")
        finally:
            self._running = None
            await drills.close()
            await program.close()

    def _tell(self, subject: str, report: Report, at_ns: int) -> None:
        record = CheckRecord(subject=subject, at_ns=at_ns, report=report)
        self._outbox.put(f"{kind_of(report)}.{word(subject)}", write_check(record))

    def _drilled(self, report: DrillReport) -> None:
        self._tell(report.drill, report, report.started_ns + round(report.duration_seconds * _NS))

    def _remember(self, memo: Memo) -> None:
        record = CheckRecord(subject=memo.name, at_ns=0, report=memo)
        self._outbox.put(_memory_key(memo.kind, memo.name), write_check(record))

    async def _recall_all(self) -> list[Memo]:
        while True:
            try:
                return await self._recall()
            except EngineError as error:
                _log.warning("what the last checker saw cannot be read yet: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _recall(self) -> list[Memo]:
        """What the last checker saw of our domains. Raises EngineError."""
        found = []
        for domain in self._config.domains:
            for kind in (RECORDS_MEMO, POLICY_MEMO):
                entry = await self._bucket.get(_memory_key(kind, domain))
                if entry is None or entry.value is None:
                    continue
                try:
                    report = read_check(entry.value).report
                except ValueError as error:
                    _log.warning(
                        "what was seen of a domain is seen anew: %s", error, extra={"domain": domain}
                    )
                    continue
                if isinstance(report, Memo):
                    found.append(report)
        return found

    async def _learn_of_mail(self, program: CheckerProgram) -> None:
        """Check the egress addresses, names and signatures that watchers see beside those of the configuration."""
        marks = Bucket(self._stream, self._stream.names.marks)
        async for route, domain, seen in read_sightings(marks):
            program.domains.watch.note(route, domain, seen)

    async def _follow(self, program: CheckerProgram) -> None:
        """Know the probes under way, to recognise them in queues; without queues nobody needs to."""
        if not self._config.queues:
            return
        names = self._stream.names
        start = Start(time_ns=program.clock.now_ns() - _PAST_NS)
        follower = Follower(self._stream, names.events, [f"{names.namespace}.probe.>"], start)
        async for message in follower.messages():
            if message is not None:
                _learn(program.ledger, message)


def _learn(ledger: Ledger, message: StoredMessage) -> None:
    assert isinstance(ledger, CountedLedger)
    try:
        record = read_record(message.payload)
    except ValueError as error:
        _log.warning("an event cannot be read: %s", error, extra={"subject": message.subject})
        return
    if isinstance(record.event, ProbeEnded):
        ledger.has_ended(record.event.outcome)
    elif record.state is not None:
        ledger.follow(record.state, record.submitter)


def _memory_key(kind: str, domain: str) -> str:
    return f"memory.{kind}.{word(domain)}"

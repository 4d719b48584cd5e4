"""The memory that survives `kill -9`: SQLite in the state directory. Fulfils `ports.Journal`.

In: events. Out: for each, whether it is new, after it is on disk together with what it adds to the counters. Events
that come while a transaction is being written share the next one, so that load makes transactions larger, not more.

Rules:

1. One thread writes. The event loop never waits for the disk, only a caller for its own event.
2. A failed transaction fails for all that were in it, and nothing of it is counted: callers try again.
3. The counters in memory are moved only after the transaction, so `/metrics` never shows what a kill could take back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from smtp_probe.errors import JournalError
from smtp_probe.model import (
    Authentication,
    Event,
    Memo,
    Outcome,
    Trace,
)
from smtp_probe.ports import Clock, OpenProbe
from smtp_probe.report.event_rows import add_totals, write_event
from smtp_probe.report.increments import Increment, increments
from smtp_probe.report.journal_schema import open_database
from smtp_probe.report.keeping import forget
from smtp_probe.report.stored_facts import AUTHENTICATION, BOUNCE, OUTCOME, PROBE, SUBMISSION
from smtp_probe.report.totals import StoredTotal, Totals, fold

_STEADY_SECONDS = 5.0
_T = TypeVar("_T")
_Waiting = tuple[Event, "asyncio.Future[bool]"]
_Batch = list[_Waiting]
_Done = list[tuple[bool, Sequence[Increment]]]
"""Of each event, whether it is new, and what it adds."""
_log = logging.getLogger(__name__)
LARGEST_BATCH = 500
"""So many events share one transaction at most."""
_READ_AT_ONCE = 50
JOURNAL_NAME = "journal.db"
"""Its file, in the state directory."""

IN_MEMORY = Path(":memory:")
"""A journal for a single probe of the command line, which leaves nothing behind."""


class SqliteJournal:
    """The journal of one program. `state` is told when it stops or begins to work."""

    def __init__(
        self, path: Path, clock: Clock, totals: Totals, state: Callable[[bool], None] = lambda _: None
    ) -> None:
        self.is_writable = True
        self.count: Callable[[Event], Sequence[Increment]] = increments
        """What an event adds; replaced for a while by who reads again what is counted already."""
        self._path = path
        self._clock = clock
        self._totals = totals
        self._state = state
        self._recovery: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: deque[_Waiting] = deque()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file and restore the counters. Raises JournalError."""
        self._connection = await self._in_thread(lambda: open_database(str(self._path), self._clock.now_ns()))
        begun = await self._read("SELECT value FROM facts WHERE name = 'begun_ns'")
        self._totals.restore(await self._in_thread(self._read_totals), begun[0][0] if begun else None)
        self._state(True)

    async def close(self) -> None:
        """Write what waits, and close. Never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await self._is_idle.wait()
        with suppress(RuntimeError):  # closed already
            # An `open` that was cancelled goes on in its thread: it must not make files behind the back of who closes.
            pending = asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
            await asyncio.wait([pending], timeout=5.0)
        if self._recovery is not None:
            self._recovery.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._in_thread(connection.close)
        self._thread.shutdown(wait=False)

    # Writing.

    async def record(self, event: Event) -> bool:
        """Write one event. Returns whether it is new. Raises JournalError when it cannot be written."""
        return (await self.record_all((event,)))[0]

    async def record_all(self, events: Sequence[Event]) -> list[bool]:
        """Write events in their order: up to `LARGEST_BATCH` of them, where no others wait, in one transaction.

        Returns of each whether it is new. Raises JournalError.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[bool]] = [loop.create_future() for _ in events]
        self._waiting.extend(zip(events, futures, strict=True))
        if self._is_idle.is_set():
            self._is_idle.clear()
            loop.call_soon(self._write_waiting, loop)  # what is told in this turn of the loop comes along
        return [await futures[0]] if len(futures) == 1 else list(await asyncio.gather(*futures))

    def _write_waiting(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the thread write what waits. No task and no future of the loop's own: each costs more than to hand over a list."""
        if not self._waiting:
            self._is_idle.set()
            return
        batch = [self._waiting.popleft() for _ in range(min(LARGEST_BATCH, len(self._waiting)))]
        try:
            self._thread.submit(self._write_and_tell, loop, batch)
        except RuntimeError:  # it has been shut down
            self._written(loop, batch, JournalError(f"{self._path}: the journal is closed"))

    def _write_and_tell(self, loop: asyncio.AbstractEventLoop, batch: _Batch) -> None:
        """In the journal's thread: write, and tell the event loop."""
        done: _Done | JournalError
        try:
            done = self._write([event for event, _ in batch])
        except JournalError as error:
            done = error
        with suppress(RuntimeError):  # the event loop is closed: nobody waits for it any more
            loop.call_soon_threadsafe(self._written, loop, batch, done)

    def _written(self, loop: asyncio.AbstractEventLoop, batch: _Batch, done: _Done | JournalError) -> None:
        if isinstance(done, JournalError):
            self._fail(str(done))
            for _, future in batch:
                if not future.done():
                    future.set_exception(done)
        else:
            self._succeed(loop)
            for (_, future), (is_new, counted) in zip(batch, done, strict=True):
                self._totals.apply(counted)
                if not future.done():
                    future.set_result(is_new)
        self._write_waiting(loop)

    def _fail(self, why: str) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
            self._recovery = None
        if self.is_writable:
            _log.error("the journal cannot be written, nothing is sent until it can: %s", why)
        self.is_writable = False
        self._state(False)

    def _succeed(self, loop: asyncio.AbstractEventLoop) -> None:
        """A disk that is nearly full takes a small write now and then: it is well again when no write failed for a while."""
        if not self.is_writable and self._recovery is None:
            self._recovery = loop.call_later(_STEADY_SECONDS, self._recover)

    def _recover(self) -> None:
        _log.info("the journal can be written again")
        self._recovery = None
        self.is_writable = True
        self._state(True)

    def _write(self, events: Sequence[Event]) -> _Done:
        """In the journal's thread: all events in one transaction."""
        connection = self._connected()
        results: _Done = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for event in events:
                is_new = write_event(connection, event, self._clock.now_ns())
                counted = self._totals.admit(self.count(event)) if is_new else ()
                results.append((is_new, counted))
            counts = [increment for _, counted in results for increment in counted]
            add_totals(connection, fold(counts, self._totals.delivery_buckets))
            connection.execute("COMMIT")
        except Exception as error:  # also a value that SQLite cannot hold: whoever waits must get an answer
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                    # On a small disk it is the write-ahead log that fills it: its room is given back.
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            message = f"{self._path}: {error}"
            raise JournalError(message) from error
        return results

    # Reading.

    async def open_probes(self) -> Sequence[OpenProbe]:
        """Every probe that has not ended, oldest first. Raises JournalError."""
        rows = await self._read(
            "SELECT probe, submission, is_overdue, final_dot_ns, delay FROM probes WHERE is_open = 1 ORDER BY created_ns"
        )
        return [
            OpenProbe(
                probe=PROBE.validate_json(probe),
                submission=SUBMISSION.validate_json(submission) if submission else None,
                overdue=bool(overdue),
                final_dot_ns=final_dot_ns,
                delay=BOUNCE.validate_json(delay) if delay else None,
            )
            for probe, submission, overdue, final_dot_ns, delay in rows
        ]

    async def probe_state(self, probe_id: str, route: str = "", mailbox: str = "") -> str | None:  # noqa: ARG002 - an id is found as quickly
        """`open`, `ended`, `unseen` (ended, and no copy was ever found), or None for one that was never known.

        Raises JournalError.
        """
        rows = await self._read("SELECT is_open, outcome FROM probes WHERE probe_id = ?", (probe_id,))
        if not rows:
            return None
        is_open, outcome = rows[0]
        if is_open:
            return "open"
        return "ended" if OUTCOME.validate_json(outcome).arrival is not None else "unseen"

    async def first_copy(self, probe_id: str, route: str = "") -> tuple[Trace | None, str | None]:  # noqa: ARG002 - an id is found as quickly
        """The way of the copy with which an ended probe arrived, and its queue id at the first server. Raises JournalError."""
        rows = await self._read(
            "SELECT outcome FROM probes WHERE probe_id = ? AND outcome IS NOT NULL", (probe_id,)
        )
        return OUTCOME.validate_json(rows[0][0]).way if rows else (None, None)

    async def last_sequences(self) -> dict[str, int]:
        """The highest sequence number ever used, by route. Raises JournalError."""
        return dict(await self._read("SELECT route, max(sequence) FROM probes GROUP BY route"))

    async def last_outcomes(self, limit: int) -> AsyncIterator[Outcome]:
        """The newest ended probes, oldest first: what the pages and the last-value gauges start from. Raises JournalError.

        Read some at a time: all at once would be 30 MB, which the process would keep.
        """
        rows = await self._read(
            "SELECT probe_id FROM probes WHERE is_open = 0 AND outcome IS NOT NULL ORDER BY ended_ns DESC LIMIT ?",
            (limit,),
        )
        probe_ids = [probe_id for (probe_id,) in reversed(rows)]
        for start in range(0, len(probe_ids), _READ_AT_ONCE):
            chosen = probe_ids[start : start + _READ_AT_ONCE]
            texts = dict(
                await self._read(
                    "SELECT probe_id, outcome FROM probes WHERE probe_id IN (SELECT value FROM json_each(?))",
                    (json.dumps(chosen),),
                )
            )
            for probe_id in chosen:
                yield OUTCOME.validate_json(texts[probe_id])

    async def last_verdicts(self, limit: int) -> dict[str, Authentication]:
        """What was found last of the messages of each route, among the newest `limit` probes. Raises JournalError."""
        rows = await self._read(  # beside max(), SQLite gives the columns of the row that has it
            """SELECT route, verdicts, max(ended_ns) FROM (
                SELECT route, verdicts, ended_ns FROM probes WHERE is_open = 0 ORDER BY ended_ns DESC LIMIT ?
            ) WHERE verdicts IS NOT NULL GROUP BY route""",
            (limit,),
        )
        return {route: AUTHENTICATION.validate_json(text) for route, text, _ in rows}

    async def memos(self) -> Sequence[Memo]:
        """What was learned. Raises JournalError."""
        rows = await self._read("SELECT kind, name, value FROM memory")
        return [Memo(kind=kind, name=name, text=text) for kind, name, text in rows]

    async def forget(self, before_ns: int, failures_before_ns: int) -> int:
        """Drop probes that were delivered, and copies that were counted, before one instant, and probes that ended
        otherwise before another. Returns how many probes. Raises JournalError.
        """
        steps = forget(self._connected(), before_ns, failures_before_ns)
        count = 0
        while (dropped := await self._in_thread(lambda: self._guard(lambda: next(steps, None)))) is not None:
            count += dropped
        return count

    def _read_totals(self) -> list[StoredTotal]:
        query = "SELECT metric, labels, field, value FROM totals"
        return self._guard(lambda: [StoredTotal.from_row(*row) for row in self._connected().execute(query)])

    async def _read(self, query: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        return await self._in_thread(
            lambda: self._guard(lambda: self._connected().execute(query, parameters).fetchall())
        )

    def _guard(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except sqlite3.Error as error:
            message = f"{self._path}: {error}"
            raise JournalError(message) from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            message = f"{self._path}: the journal is closed"
            raise JournalError(message)
        return self._connection

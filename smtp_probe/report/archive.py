"""What the pages read from the journal: one probe with all that is known of it, and the past of one route.

In: the path of the journal. Out: frozen facts. Has a connection and a thread of its own, which can only read: no page,
however often it is asked for, makes an event wait for the disk. Where the journal is not to be read, ArchiveError says
why.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from smtp_probe.model import Authentication, Bounce, Fork, Outcome, Probe, Submission
from smtp_probe.report.history import HEARTBEAT, Beat, Change, beat_of
from smtp_probe.report.state_changes import End, changes_of
from smtp_probe.report.stored_facts import AUTHENTICATION, BOUNCE, FORK, OUTCOME, PROBE, SUBMISSION

_T = TypeVar("_T")
MOST_COPIES = 100
_READ_SECONDS = 10.0
_LARGEST_HEADER_BYTES = 65_536
ROUTE_PROBES = 120
"""Of a route, so many of the last probes are shown."""
ROUTE_FAILURES = 200
"""Of a route, so many failures are shown, however old."""


class ArchiveError(Exception):
    """The journal cannot be read now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRecord:
    """All that the journal has of one probe. `outcome` is None while it is open."""

    probe: Probe
    submission: Submission | None = None
    outcome: Outcome | None = None
    is_overdue: bool = False
    delay: Bounce | None = None
    """The last notice that a server goes on trying."""
    header: bytes = b""
    authentication: Authentication | None = None
    """What was found of the message's authentication; None where it was not looked at, or not yet."""
    forks: tuple[Fork, ...] = ()
    """Of each further copy, where it parted from the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePast:
    """The past of one route, newest first: its last probes, and its failures from before those."""

    recent: tuple[Outcome, ...] = ()
    older_failures: tuple[Outcome, ...] = ()


class Archive:
    """Reads one journal. `open` may be left out: each question opens what is not open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")

    async def close(self) -> None:
        """Close the file. Never raises."""
        with suppress(
            RuntimeError
        ):  # a question that was cancelled goes on in its thread, and may open the file
            pending = asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
            await asyncio.wait([pending], timeout=5.0)
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error, RuntimeError):
                await asyncio.get_running_loop().run_in_executor(self._thread, connection.close)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def probe(self, probe_id: str) -> ProbeRecord | None:
        """Give one probe; None where there is none of this id. Raises ArchiveError."""
        return await self._ask(lambda connection: _read_probe(connection, probe_id))

    async def route_past(self, route: str) -> RoutePast:
        """Give the past of a route. Raises ArchiveError."""
        return await self._ask(lambda connection: _read_route(connection, route))

    async def beats(self, route: str) -> tuple[tuple[Beat, ...], Outcome | None, tuple[Change, ...]]:
        """Give the last probes of a route, oldest first, its last failure, however old, and when it began to stand
        otherwise. Raises ArchiveError.
        """
        return await self._ask(lambda connection: _read_beats(connection, route))

    async def _ask(self, question: Callable[[sqlite3.Connection], _T]) -> _T:
        def answer() -> _T:
            try:
                return question(self._connected())
            except (sqlite3.Error, ValidationError, zlib.error) as error:
                raise self._problem(error) from error

        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._thread, answer)
        except TimeoutError:
            raise self._problem("not read in time") from None
        except RuntimeError as error:  # the thread has been shut down
            raise self._problem(error) from error

    def _problem(self, reason: object) -> ArchiveError:
        message = f"{self._path.name}: {reason}"
        return ArchiveError(message)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5.0
            )
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA cache_size = -256")  # kB, where SQLite has 2 MB
            self._connection = connection
        return self._connection


def _read_probe(connection: sqlite3.Connection, probe_id: str) -> ProbeRecord | None:
    row = connection.execute(
        "SELECT probe, submission, outcome, is_overdue, delay, verdicts FROM probes WHERE probe_id = ?",
        (probe_id,),
    ).fetchone()
    if row is None:
        return None
    probe, submission, outcome, is_overdue, delay, verdicts = row
    kept = connection.execute("SELECT header FROM headers WHERE probe_id = ?", (probe_id,)).fetchone()
    forks = connection.execute(
        "SELECT fork FROM copies WHERE probe_id = ? AND fork IS NOT NULL ORDER BY at_ns LIMIT ?",
        (probe_id, MOST_COPIES),
    ).fetchall()
    return ProbeRecord(
        probe=PROBE.validate_json(probe),
        submission=SUBMISSION.validate_json(submission) if submission else None,
        outcome=OUTCOME.validate_json(outcome) if outcome else None,
        is_overdue=bool(is_overdue),
        delay=BOUNCE.validate_json(delay) if delay else None,
        authentication=AUTHENTICATION.validate_json(verdicts) if verdicts else None,
        forks=tuple(FORK.validate_json(fork) for (fork,) in forks),
        header=zlib.decompressobj().decompress(kept[0], _LARGEST_HEADER_BYTES) if kept else b"",
    )


_ENDED = "FROM probes WHERE route = ? AND is_open = 0 AND outcome IS NOT NULL"


def _read_route(connection: sqlite3.Connection, route: str) -> RoutePast:
    recent = connection.execute(
        f"SELECT outcome {_ENDED} ORDER BY sequence DESC LIMIT ?",
        (route, ROUTE_PROBES),
    ).fetchall()
    outcomes = tuple(_outcomes(recent))
    oldest = min((outcome.probe.sequence for outcome in outcomes), default=0)
    older = connection.execute(
        f"SELECT outcome {_ENDED} AND kind <> 'delivered' AND sequence < ? ORDER BY sequence DESC LIMIT ?",
        (route, oldest, ROUTE_FAILURES),
    ).fetchall()
    return RoutePast(recent=outcomes, older_failures=tuple(_outcomes(older)))


def _read_beats(
    connection: sqlite3.Connection, route: str
) -> tuple[tuple[Beat, ...], Outcome | None, tuple[Change, ...]]:
    rows = connection.execute(
        f"SELECT outcome {_ENDED} ORDER BY sequence DESC LIMIT ?",
        (route, HEARTBEAT),
    ).fetchall()
    failures = connection.execute(
        f"SELECT outcome {_ENDED} AND kind <> 'delivered' ORDER BY sequence DESC LIMIT 1",
        (route,),
    ).fetchall()
    outcomes = tuple(_outcomes(reversed(rows)))
    beats = tuple(beat_of(outcome) for outcome in outcomes)
    return beats, next(iter(_outcomes(failures)), None), changes_of([End.of(outcome) for outcome in outcomes])


def _outcomes(rows: Iterable[tuple[Any, ...]]) -> Iterable[Outcome]:
    return (OUTCOME.validate_json(row[0]) for row in rows)

"""Single parts, each alone in this process: the reader of a long trace, the check of a tag, and the journal."""

from __future__ import annotations

import asyncio
import email
import email.utils
import hmac
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from smtp_probe.mail.tag import TagKey, make_tag, verify
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Event
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.journal import SqliteJournal
from smtp_probe.report.totals import Totals

from .events import life_of, make_outcome
from .figures import Baseline, Figure, Row, below
from .site import Site

_LINES = 64
_MESSAGES = 20
_KEY = TagKey(b"k" * 32)
_ROUTE, _RECIPIENT = "to-the-other-side", "probe@example.org"
_RECEIVED = """\
Received: from out{0}-{2}.example.org (out{0}-{2}.example.org [192.0.2.{0}])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)
\t(Client did not present a certificate)
\tby mx{0}-{2}.example.net (Postfix) with ESMTPS id 4hQx5W2mz1z9s{1}
\tfor <inbox@example.net>; Tue,  1 Sep 2026 10:00:{0:02d} +0200 (CEST)
"""


def measure_parts(site: Site) -> list[Row]:
    """Measure each part beside what the standard library needs for its core."""
    return [_trace_row(site), _tag_row(site), *_journal_rows(site)]


def _time(work: Callable[[], object], calls: int) -> float:
    """Give the seconds that one call takes, on average over some. Processor time: others on the machine do not count."""
    begun = time.thread_time()
    for _ in range(calls):
        work()
    return (time.thread_time() - begun) / calls


def _alternate(
    site: Site, ours: Callable[[], object], theirs: Callable[[], object], calls: int
) -> tuple[list[float], list[float]]:
    """Measure two things in turns; in seconds a call."""
    turns = [(_time(ours, calls), _time(theirs, calls)) for _ in range(site.choose(15, 5))]
    return [turn[0] for turn in turns], [turn[1] for turn in turns]


# The reader.


def _long_header(message: int) -> bytes:
    """Make one of several messages, whose hosts nobody has met: readers remember what they read last."""
    letters = "BCDFGHJKLMNPQRST"
    lines = (_RECEIVED.format(number % 60, letters[number % 16], message) for number in range(_LINES, 0, -1))
    return ("".join(lines) + "From: probe@example.org\nSubject: probe\n\n").replace("\n", "\r\n").encode()


def _read_by_library(header: bytes) -> None:
    """Split the header, and read the date of each line: a part of what a trace needs."""
    for value in email.message_from_bytes(header).get_all("Received", []):
        email.utils.parsedate_to_datetime(value.rpartition(";")[2].strip())


def _trace_row(site: Site) -> Row:
    headers = [_long_header(message) for message in range(_MESSAGES)]
    assert all(len(read_trace(header).hops) == _LINES for header in headers)
    site.say("parts: trace")
    ours_next, library_next = itertools.cycle(headers), itertools.cycle(headers)
    ours, library = _alternate(
        site,
        lambda: read_trace(next(ours_next)),
        lambda: _read_by_library(next(library_next)),
        _MESSAGES,
    )
    return Row(
        benchmark="parts",
        what=f"reading a trace of {_LINES} lines",
        ours=Figure.of("ms", (seconds * 1e3 for seconds in ours)),
        baseline=Baseline(
            "email package: split, read the dates", Figure.of("ms", (seconds * 1e3 for seconds in library))
        ),
        aim=below(5, "ms"),
    )


# The tag.


def _tag_row(site: Site) -> Row:
    token = make_tag([_KEY], _ROUTE, 7, 1_790_000_000_000, _RECIPIENT).token
    assert verify(token, [_KEY], _ROUTE, _RECIPIENT) is not None
    signed = b"s" * 64
    site.say("parts: tag")
    ours, bare = _alternate(
        site,
        lambda: verify(token, [_KEY], _ROUTE, _RECIPIENT),
        lambda: hmac.digest(_KEY.secret, signed, "sha256"),
        1000,
    )
    return Row(
        benchmark="parts",
        what="verifying a tag",
        ours=Figure.of("µs", (seconds * 1e6 for seconds in ours)),
        baseline=Baseline("the HMAC alone", Figure.of("µs", (seconds * 1e6 for seconds in bare))),
    )


# The journal.


def _journal_rows(site: Site) -> list[Row]:
    """Compare events a second, one after the other and many at once, with rows of the same size in bare SQLite."""
    site.say("parts: journal")
    turns = [asyncio.run(_measure_journal(site)) for _ in range(site.choose(5, 2))]
    bare = [_measure_bare_sqlite(site) for _ in turns]
    baseline = Baseline("SQLite alone, a commit for each", Figure.of("events/s", bare))
    return [
        Row(
            benchmark="parts",
            what=what,
            ours=Figure.of("events/s", (turn[number] for turn in turns)),
            baseline=baseline,
        )
        for number, what in enumerate(
            ("journal, one event after the other", "journal, events of 100 probes at once")
        )
    ]


async def _measure_journal(site: Site) -> tuple[float, float]:
    clock = ReferenceClock()
    journal = SqliteJournal(site.new_directory() / "journal.db", clock, Totals())
    await journal.open()
    try:
        numbers = itertools.count(1)
        lives = [life_of(make_outcome(_ROUTE, next(numbers), clock.now_ns())) for _ in range(50)]
        alone = await _rate_of(journal, ([event] for life in lives for event in life))
        lives = [life_of(make_outcome(_ROUTE, next(numbers), clock.now_ns())) for _ in range(400)]
        batches = (lives[start : start + 100] for start in range(0, len(lives), 100))
        together = await _rate_of(journal, (step for batch in batches for step in zip(*batch, strict=True)))
    finally:
        await journal.close()
    return alone, together


async def _rate_of(journal: SqliteJournal, steps: Iterable[Iterable[Event]]) -> float:
    """Record the events of each step at once, the steps one after the other; give events a second."""
    begun, count = time.perf_counter(), 0
    for step in steps:
        news = await asyncio.gather(*map(journal.record, step))
        assert all(news)
        count += len(news)
    return count / (time.perf_counter() - begun)


def _measure_bare_sqlite(site: Site) -> float:
    """Insert rows of the size of an outcome, each in a transaction of its own, as durable as the journal's."""
    row = Path(__file__).with_name("outcome.json").read_text()
    connection = sqlite3.connect(site.new_directory() / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (name INTEGER PRIMARY KEY, value TEXT)")
    numbers = itertools.count(1)
    begun, count = time.perf_counter(), 150
    for _ in range(count):
        connection.execute("INSERT INTO rows VALUES (?, ?)", (next(numbers), row))
    connection.close()
    return count / (time.perf_counter() - begun)

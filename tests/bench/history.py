"""A journal with 100,000 probes of the past: its size, and how long a daemon takes to be back after a restart.

With 1,000 and 10,000 beside it, so that growth shows; over 1,000 routes. The baseline of the
size is the text of the outcomes alone.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from smtp_probe.config.load import load
from smtp_probe.report.journal import JOURNAL_NAME
from tests.engine.site import Receiver

from .embedded import USERS, EmbeddedDaemon
from .events import fill_journal
from .figures import Aim, Baseline, Figure, Row
from .growth import slope
from .site import Site

SIZES = (1000, 10_000, 100_000)
_ROUTES = 1000
_INTERVAL_NS = 300_000_000_000
_ID = "printf('bench%018d', sequence + :shift)"
_AGAIN = f"""
INSERT INTO probes (probe_id, route, sequence, created_ns, is_open, is_overdue, ended_ns, kind, probe, submission, outcome)
SELECT {_ID}, route, sequence + :shift, created_ns - :back, 0, 0, ended_ns - :back, kind,
  replace(probe, probe_id, {_ID}), submission, replace(outcome, probe_id, {_ID})
FROM probes WHERE sequence <= {_ROUTES}
"""
_COPIES = f"""
INSERT INTO copies (mailbox, folder, uidvalidity, uid, probe_id, at_ns)
SELECT mailbox, folder, uidvalidity, uid + :shift, printf('bench%018d', uid + :shift), at_ns
FROM copies WHERE uid <= {_ROUTES}
"""


def measure_history(site: Site) -> list[Row]:
    """Fill, start, and look."""
    sizes: dict[int, float] = {}
    starts: dict[int, float] = {}
    with Receiver(site.new_directory() / "receiver", USERS) as receiver:
        for count in SIZES:
            site.say(f"history: {count:,} probes")
            daemon = EmbeddedDaemon(receiver, site.new_directory(), _ROUTES, 1.0)
            _fill(daemon.config, count)
            sizes[count] = (daemon.config.parent / "state" / JOURNAL_NAME).stat().st_size
            begun = time.monotonic()
            with daemon:
                starts[count] = time.monotonic() - begun
    most = max(SIZES)
    text = len((Path(__file__).with_name("outcome.json")).read_bytes())
    compact = len(json.dumps(json.loads((Path(__file__).with_name("outcome.json")).read_text())))
    assert compact < text
    at_most_linear = Aim("at most linear: 1", lambda row: row.ours.median <= 1.0)
    return [
        Row(
            benchmark="history",
            what=f"journal with {most:,} probes, each",
            ours=Figure.of("bytes", [sizes[most] / most]),
            baseline=Baseline("the outcome as JSON", Figure.of("bytes", [compact])),
        ),
        Row(
            benchmark="history",
            what=f"journal with {most:,} probes",
            ours=Figure.of("MB", [sizes[most] / 1e6]),
        ),
        *(
            Row(
                benchmark="history",
                what=f"from the start to ready, {count:,} probes, {_ROUTES:,} routes",
                ours=Figure.of("s", [seconds]),
            )
            for count, seconds in starts.items()
        ),
        Row(
            benchmark="history",
            what="size of the journal: log-log slope over probes",
            ours=Figure.of("", [slope(sizes)]),
            aim=at_most_linear,
        ),
        Row(
            benchmark="history",
            what="time of a restart: log-log slope over probes",
            ours=Figure.of("", [slope(starts)]),
            aim=at_most_linear,
        ),
    ]


def _fill(config_file: Path, count: int) -> None:
    """Let every route have been probed once, by the journal itself, and then as often again as it takes, by its own rows."""
    fill_journal(config_file)
    path = load(config_file).state_directory / JOURNAL_NAME
    with closing(sqlite3.connect(path)) as database, database:
        for turn in range(1, count // _ROUTES):
            database.execute(_AGAIN, {"shift": turn * _ROUTES, "back": turn * _INTERVAL_NS})
            database.execute(_COPIES, {"shift": turn * _ROUTES})

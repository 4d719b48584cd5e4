"""Whether uvloop would help: two daemons at the same time, with the same routes, one on each event loop.

uvloop is no dependency: where it is not installed (`pip install uvloop`), nothing is measured, and that is said.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.engine.site import Receiver

from .embedded import USERS, EmbeddedDaemon
from .figures import Baseline, Figure, Row
from .process import cpu_seconds, rss_bytes
from .site import Site

_ROUTES, _RATE = 200, 10.0
_CUSTOM = "import uvloop\nuvloop.install()\n"


def measure_event_loop(site: Site) -> list[Row]:
    """Compare processor time a probe, and memory, window by window."""
    if importlib.util.find_spec("uvloop") is None:
        site.say("event_loop: uvloop is not installed, so nothing is measured")
        return []
    with ExitStack() as running:
        pairs = []
        for name in ("uvloop", "asyncio"):
            receiver = running.enter_context(Receiver(site.new_directory() / name, USERS))
            daemon = EmbeddedDaemon(receiver, site.new_directory(), _ROUTES, _RATE)
            with _loop(name, site.new_directory()):
                running.enter_context(daemon)
            daemon.warm_up(20)
            pairs.append((receiver, daemon))
        windows = [_measure_window(site, pairs) for _ in range(site.choose(8, 3))]
        sizes = [rss_bytes(daemon.pid) / 1e6 for _, daemon in pairs]
    uvloop, own = (Figure.of("ms", (window[number] for window in windows)) for number in range(2))
    return [
        Row(
            benchmark="event_loop",
            what="CPU a probe with uvloop",
            ours=uvloop,
            baseline=Baseline("asyncio's own loop", own),
            is_paired=True,
        ),
        Row(
            benchmark="event_loop",
            what="RSS with uvloop",
            ours=Figure.of("MB", [sizes[0]]),
            baseline=Baseline("asyncio's own loop", Figure.of("MB", [sizes[1]])),
        ),
    ]


@contextmanager
def _loop(name: str, directory: Path) -> Iterator[None]:
    """Have processes that are started meanwhile use this event loop."""
    before = os.environ.get("PYTHONPATH")
    if name == "uvloop":
        (directory / "sitecustomize.py").write_text(_CUSTOM)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(directory), before)))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before


def _measure_window(site: Site, pairs: list[tuple[Receiver, EmbeddedDaemon]]) -> list[float]:
    """Milliseconds of processor time a message, of each."""
    before = [(cpu_seconds(daemon.pid), len(receiver.mails())) for receiver, daemon in pairs]
    time.sleep(site.choose(10.0, 5.0))
    after = [(cpu_seconds(daemon.pid), len(receiver.mails())) for receiver, daemon in pairs]
    return [(b[0] - a[0]) / (b[1] - a[1]) * 1e3 for a, b in zip(before, after, strict=True)]

"""The embedded mail path at work in a thread, for commands that are run as processes of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.scenarios import SCENARIOS

TIMEOUT_SECONDS = 60


@contextmanager
def embedded_path(directory: Path, *scenarios: str) -> Iterator[Path]:
    """Run the path with these scenarios; gives the configuration with which it can be probed."""
    started, ending = threading.Event(), asyncio.Event()
    paths, loops = [], []

    async def work() -> None:
        loops.append(asyncio.get_running_loop())
        async with MailPath([SCENARIOS[name] for name in scenarios], directory) as path:
            paths.append(path.write_config())
            started.set()
            await ending.wait()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert started.wait(TIMEOUT_SECONDS)
    try:
        yield paths[0]
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(TIMEOUT_SECONDS)

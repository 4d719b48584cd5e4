"""The ordinary daemon with a heart in its event loop, and a source of events for routes that nobody can probe so often.

`python -m tests.bench.watched_daemon CONFIG ADDRESS` runs `app.daemon.Daemon` as `smtp-probe run` does. Orders (see
`heart`): `take` gives the longest stall since the last one in milliseconds; `tell RATE` records the events of so many
delivered probes a second from now on, route by route, through the ledger: journal, counters, pages and log take part;
`reload` loads the configuration again.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path

from smtp_probe.app.daemon import Daemon
from smtp_probe.app.lifetime import DaemonOptions
from smtp_probe.report.log import configure

from .events import life_of, make_outcome
from .heart import Heart, obey


class Teller:
    """Tells a daemon of probes that did not take place."""

    def __init__(self, daemon: Daemon) -> None:
        self._program = daemon.program
        self._numbers = itertools.count(time.time_ns() // 1000)
        self._routes = itertools.cycle(daemon.program.config.routes)
        self._telling: asyncio.Task[None] | None = None

    def tell(self, rate: str) -> float:
        """Begin to tell of so many probes a second."""
        if self._telling is not None:
            self._telling.cancel()
        self._telling = asyncio.create_task(self._tell(1.0 / float(rate)))
        return float(rate)

    async def _tell(self, pause_seconds: float) -> None:
        while True:
            outcome = make_outcome(next(self._routes), next(self._numbers), self._program.clock.now_ns())
            for event in life_of(outcome):
                await self._program.ledger.record(event)
            await asyncio.sleep(pause_seconds)


async def _reload(daemon: Daemon) -> float:
    """Load the configuration again, as SIGHUP does; give how long it took, in seconds."""
    begun = time.monotonic()
    await daemon.reload()
    return time.monotonic() - begun


async def main(config_file: Path, address: str) -> None:
    """Run the daemon until the orders end."""
    options = DaemonOptions(
        config_file=config_file, listen_addresses=(address,), log=configure("info", "logfmt")
    )
    daemon, heart = Daemon(options), Heart()
    teller = Teller(daemon)
    running = asyncio.create_task(daemon.run())
    beating = asyncio.create_task(heart.beat())
    await obey({"take": heart.take, "tell": teller.tell, "reload": lambda: _reload(daemon)})
    daemon.stop()
    await running
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

"""How long a delivery on a route usually takes, by the daemon's journal: for who waits for one on a terminal.

In: a configuration and a route. Out: the median of the last deliveries, in seconds; None where there is no journal that
can be read, or too few deliveries in it to speak of what is usual. Reads only.
"""

from __future__ import annotations

import logging
from statistics import median

from smtp_probe.config.settings import Config
from smtp_probe.report.archive import Archive, ArchiveError
from smtp_probe.report.journal import JOURNAL_NAME

_LEAST_DELIVERIES = 3
_LOG = logging.getLogger(__name__)


async def find_usual_seconds(config: Config, route: str) -> float | None:
    """The median of the deliveries among the last sixty probes."""
    path = config.state_directory / JOURNAL_NAME
    if not path.exists():
        return None
    archive = Archive(path)
    try:
        beats, _, _ = await archive.beats(route)
    except ArchiveError as error:
        _LOG.info("the usual time is not known: %s", error)
        return None
    finally:
        await archive.close()
    seconds = [beat.delivery_seconds for beat in beats if beat.delivery_seconds is not None]
    return median(seconds) if len(seconds) >= _LEAST_DELIVERIES else None

"""Being told by the kernel that something came into a directory (inotify), through asyncinotify.

In: directories. Out: whether something happened within a time. Where the machine has no inotify, or no more of it
(`fs.inotify.max_user_instances`), nothing is told, and the caller looks now and then; so it has to do anyway on a network
file system, which tells of nothing that other machines do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncinotify import Inotify

_log = logging.getLogger(__name__)


class DirectoryEvents:
    """What comes into some directories, from when it is made."""

    def __init__(self, inotify: Inotify | None) -> None:
        self._inotify = inotify

    @classmethod
    def watch(cls, directories: Iterable[Path], around: Path) -> Self:
        """Begin to listen to what comes into `directories`, and to whether `around` goes. Raises nothing for a machine that tells nothing."""
        try:
            from asyncinotify import Inotify, Mask

            inotify = Inotify(sync_timeout=0)
        except (ImportError, AttributeError, RuntimeError, OSError) as error:
            _log.info("no inotify, so directories are looked into now and then: %s", error)
            return cls(None)
        try:
            gone = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR
            inotify.add_watch(around, gone)
            for directory in directories:
                inotify.add_watch(directory, gone | Mask.MOVED_TO | Mask.CREATE)
        except OSError as error:
            inotify.close()
            _log.info("no inotify, so a directory is looked into now and then: %s", error)
            return cls(None)
        return cls(inotify)

    @property
    def is_told(self) -> bool:
        """Whether the kernel tells."""
        return self._inotify is not None

    async def wait(self) -> None:
        """Wait until something has happened since the last call; for ever, where nothing is told."""
        if self._inotify is None:
            await asyncio.Event().wait()
            return
        await self._inotify.get()
        while self._inotify.sync_get() is not None:
            pass  # they are all one piece of news

    def close(self) -> None:
        """Stop listening."""
        if self._inotify is not None:
            self._inotify.close()

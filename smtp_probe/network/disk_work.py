"""Work that waits for the disk, done in a thread of its own with a deadline: a network file system may hang for ever.

In: a function that blocks. Out: what it gives, or a `MailboxError` that says what the system said. While one piece of work
hangs no other is begun, and a hanging one does not keep the program from ending.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from typing import TypeVar

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause

_Result = TypeVar("_Result")
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class DiskWork:
    """One piece of work at a time, each for so many seconds at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._hanging: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()

    async def run(self, stage: str, work: Callable[[], _Result]) -> _Result:
        """Do it, in turn. Raises `errors.MailboxError` with this stage."""
        async with self._turn:
            return await self._run(stage, work)

    async def _run(self, stage: str, work: Callable[[], _Result]) -> _Result:
        if self._hanging is not None and not self._hanging.done():
            raise MailboxError(stage, Cause.TIMEOUT, detail="the disk still has not answered")
        loop = asyncio.get_running_loop()
        results: list[_Result] = []
        ended: asyncio.Future[None] = loop.create_future()
        self._hanging = ended

        def do() -> None:
            failure: BaseException | None = None
            try:
                results.append(work())
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                failure = error
            try:
                loop.call_soon_threadsafe(_settle, ended, failure)
            except RuntimeError:
                return  # the loop has ended: nobody waits

        threading.Thread(target=do, name=f"disk {stage}", daemon=True).start()
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.shield(ended)
        except TimeoutError:
            ended.add_done_callback(_forget)
            detail = f"the disk did not answer within {self._seconds:g} s"
            raise MailboxError(stage, Cause.TIMEOUT, detail=detail) from None
        except asyncio.CancelledError:
            ended.add_done_callback(_forget)
            raise
        except OSError as error:
            raise explain(stage, error) from None
        return results[0]


def _settle(ended: asyncio.Future[None], failure: BaseException | None) -> None:
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)


def _forget(ended: asyncio.Future[None]) -> None:
    ended.exception()  # nobody wants it any more


def explain(stage: str, error: OSError) -> MailboxError:
    """Say what the system said, and which file it is about."""
    where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    detail = sanitise(f"{where}{error.strerror or error}")
    if error.errno in _MISSING:
        return MailboxError(stage, Cause.FOLDER_MISSING, detail=detail)
    if error.errno in _DENIED:
        who = f"{detail} (as user {os.geteuid()}, group {os.getegid()})"
        return MailboxError(stage, Cause.ACCESS_DENIED, detail=who)
    return MailboxError(stage, Cause.DISK_FAILED, detail=detail)

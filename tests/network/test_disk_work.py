"""Work in threads: what goes well, what the system refuses, and a disk that hangs."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.disk_work import DiskWork


async def test_what_it_gives_is_given():
    work = DiskWork(5)
    assert await asyncio.gather(*(work.run("list", str(number).strip) for number in range(5))) == [*"01234"]


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOENT, Cause.FOLDER_MISSING),
        (errno.ENOTDIR, Cause.FOLDER_MISSING),
        (errno.EACCES, Cause.ACCESS_DENIED),
        (errno.EROFS, Cause.ACCESS_DENIED),
        (errno.EIO, Cause.DISK_FAILED),
        (errno.ESTALE, Cause.DISK_FAILED),
    ],
)
async def test_what_the_system_says_is_told_with_the_file(number, cause):
    def fail():
        raise OSError(number, "the words", "/mail/new")

    with pytest.raises(MailboxError) as caught:
        await DiskWork(5).run("list", fail)
    assert (caught.value.stage, caught.value.cause) == ("list", cause)
    assert caught.value.detail.startswith("/mail/new: the words")
    assert ("as user" in caught.value.detail) == (cause is Cause.ACCESS_DENIED)


async def test_a_disk_that_hangs_is_given_up_and_not_asked_again_before_it_answers():
    work, answers = DiskWork(0.05), threading.Event()
    with pytest.raises(MailboxError) as caught:
        await work.run("list", answers.wait)
    assert caught.value.cause is Cause.TIMEOUT
    threads = threading.active_count()
    for _ in range(5):
        with pytest.raises(MailboxError, match="still has not answered"):
            await work.run("list", answers.wait)
    assert threading.active_count() == threads
    answers.set()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if work._hanging.done():
            break
    assert await work.run("list", lambda: 7) == 7


async def test_a_fault_of_ours_stays_one():
    with pytest.raises(ZeroDivisionError):
        await DiskWork(5).run("list", lambda: 1 / 0)

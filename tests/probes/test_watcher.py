"""A mailbox as one thing: up when all its folders are in view, known as far as the least known of them."""

import asyncio
import logging
from contextlib import asynccontextmanager

from smtp_probe.model import Cause, Location
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.watcher import MailboxWatcher
from tests.probes.fakes import FakeClock, FakeServer, settle


class Bed:
    def __init__(self):
        self.clock = FakeClock()
        self.server = FakeServer(self.clock, Cause.CONNECTION_LOST)
        self.states = []

        async def ignore(_message, _fetch_text):
            return None

        events = WatchEvents(dispatch=ignore, expected_since_ns=lambda: None, changed=self.states.append)
        self.watcher = MailboxWatcher(self.server, self.clock, WatchSettings(), events)


@asynccontextmanager
async def watching(bed):
    task = asyncio.create_task(bed.watcher.run())
    await settle()
    try:
        yield bed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_change_is_told_once_for_the_mailbox_and_not_for_each_folder():
    async with watching(Bed()) as bed:
        bed.server.cut()
        await settle()
        bed.server.is_up = True
        await bed.clock.advance(10)

        assert [
            state for state, before in zip(bed.states, [None, *bed.states], strict=False) if state != before
        ] == (bed.states)
        assert bed.states[-1] is True
        assert False in bed.states


async def test_a_refused_login_is_tried_by_one_connection_and_not_by_each(caplog):
    caplog.set_level(logging.INFO)
    async with watching(Bed()) as bed:
        assert bed.server.opened == 2
        bed.server.cut()
        await settle()
        bed.server.cause = Cause.AUTH_REFUSED
        await bed.clock.advance(1000)
        refused = [record for record in caplog.records if "refused" in record.message]
        assert (
            bed.server.opened - 2 <= 13
        )  # after 1 s, then after a minute each, at the end after some minutes
        assert len(refused) == 1
        bed.server.is_up = True
        await bed.clock.advance(600)

        assert bed.watcher.is_up
        assert {record.folder for record in caplog.records if "view again" in record.message} == {
            "INBOX",
            "Junk",
        }


async def test_nothing_is_known_before_the_first_look():
    bed = Bed()

    assert bed.watcher.covered_ns is None
    assert not bed.watcher.is_up


async def test_the_reason_for_being_down_can_be_asked_for_until_it_is_over():
    async with watching(Bed()) as bed:
        bed.server.cut()
        await settle()
        assert bed.watcher.last_error is not None
        assert bed.watcher.last_error.cause is Cause.CONNECTION_LOST
        bed.server.is_up = True
        await bed.clock.advance(10)

        assert bed.watcher.last_error is None


async def test_a_copy_waits_to_be_deleted_until_it_is():
    async with watching(Bed()) as bed:
        uid = bed.server.folders["Junk"].put(b"Subject: x\r\n\r\n")
        await settle()
        bed.watcher.discard(Location(mailbox="inbox", folder="Junk", uidvalidity=1, uid=uid))
        assert bed.watcher.has_discards
        await settle()

        assert not bed.watcher.has_discards
        assert bed.server.folders["Junk"].removed == [uid]


async def test_a_junk_folder_that_somebody_removes_does_not_keep_the_mailbox_down():
    async with watching(Bed()) as bed:
        junk = bed.server.folders.pop("Junk")
        junk.changed.set()
        await settle()
        assert not bed.watcher.is_up
        await bed.clock.advance(5)

        assert bed.watcher.is_up
        assert bed.states[-1] is True
        assert bed.watcher.covered_ns is not None
        bed.server.folders["Junk"] = junk
        await bed.clock.advance(600)
        bed.watcher.discard(
            Location(mailbox="inbox", folder="Junk", uidvalidity=1, uid=junk.put(b"a: b\r\n\r\n"))
        )
        await settle()

        assert junk.removed == [1]

"""Watching a mailbox: what is found and when, over lost connections, refused logins and renumbered folders."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from smtp_probe.errors import JournalError, MailboxError
from smtp_probe.model import Cause, Location
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.watcher import MailboxWatcher
from tests.probes.fakes import INBOX, JUNK, FakeClock, FakeFolder, FakeServer, settle

OWN = b"Subject: [smtp-probe x] test\r\nX-SMTP-Probe: v=1; t=x\r\n\r\nbody\r\n"
FOREIGN = b"Subject: hello\r\n\r\nbody\r\n"


class Bed:
    """A server, a watcher of it, and what the watcher told."""

    def __init__(self, folders=(INBOX, JUNK), **settings):
        self.clock = FakeClock()
        self.server = FakeServer(self.clock, Cause.CONNECTION_LOST, folders)
        self.expected_since_ns = None
        self.quiet_until_ns = None
        self.found = []
        self.states = []
        self.reconnects = 0
        self.is_full = False
        events = WatchEvents(
            dispatch=self._dispatch,
            expected_since_ns=lambda: self.expected_since_ns,
            quiet_until_ns=lambda: self.quiet_until_ns,
            changed=self.states.append,
            reconnected=self._reconnected,
        )
        self.watcher = MailboxWatcher(self.server, self.clock, WatchSettings(**settings), events)

    async def _dispatch(self, message, fetch_text):
        if self.is_full:
            raise JournalError("disk full")
        self.found.append((message.location.folder, message.location.uid, message.seen_ns))

    def _reconnected(self):
        self.reconnects += 1

    def uids(self, folder="INBOX"):
        return [uid for name, uid, _ in self.found if name == folder]

    def put(self, raw, folder="INBOX"):
        return self.server.folders[folder].put(raw)

    def expect(self):
        self.expected_since_ns = self.clock.now_ns()
        self.watcher.nudge()


def is_known_lately(bed):
    covered_ns = bed.watcher.covered_ns
    return covered_ns is not None and covered_ns > bed.clock.now_ns() - 3_000_000_000


@asynccontextmanager
async def watching(bed):
    task = asyncio.create_task(bed.watcher.run())
    await settle()
    try:
        yield bed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_own_messages_that_lay_there_before_are_found_and_foreign_ones_are_not_fetched():
    bed = Bed()
    bed.put(FOREIGN)
    uid = bed.put(OWN)
    async with watching(bed):
        assert bed.uids() == [uid]


async def test_every_folder_is_in_view_over_a_connection_of_its_own():
    bed = Bed()
    async with watching(bed):
        assert bed.server.opened == 2
        assert bed.watcher.is_up
        assert bed.watcher.covered_ns == bed.clock.now_ns()
        assert bed.states[-1] is True


async def test_news_is_found_by_idle_when_nothing_is_expected():
    bed = Bed()
    async with watching(bed):
        uid = bed.put(OWN)
        await settle()

        assert bed.uids() == [uid]


async def test_an_idle_mailbox_is_hardly_looked_at():
    bed = Bed()
    async with watching(bed):
        await bed.clock.advance(3600)

        assert bed.server.polls <= 2 * 3600 / 240 + 4


async def test_nothing_is_asked_before_a_message_can_be_here_but_never_longer_than_between_two_looks():
    bed = Bed((INBOX,))
    async with watching(bed):
        bed.expect()
        await settle()
        asked = bed.server.polls
        bed.quiet_until_ns = bed.clock.now_ns() + 1_500_000_000
        await bed.clock.advance(1.45)
        assert bed.server.polls <= asked + 1  # the wait that had begun
        uid = bed.put(OWN)
        await bed.clock.advance(0.2)
        assert bed.uids() == [uid]

        bed.quiet_until_ns = bed.clock.now_ns() + 3_600_000_000_000
        late = bed.put(OWN)
        await bed.clock.advance(WatchSettings().poll_maximum + 0.2)
        assert bed.uids() == [uid, late]


@pytest.mark.parametrize("folder", ["INBOX", "Junk"])
@pytest.mark.parametrize("latency", [0.02, 0.3, 3.0, 20.0])
async def test_the_lag_is_a_small_part_of_the_latency(folder, latency):
    bed = Bed()
    for each in bed.server.folders.values():
        each.changed = asyncio.Event()  # a server whose IDLE never says a word
        each.changed.set = lambda: None
    async with watching(bed):
        bed.expect()
        await bed.clock.advance(latency)
        bed.put(OWN, folder)
        stored_ns = bed.clock.now_ns()
        await bed.clock.advance(10)

        lag = (bed.found[0][2] - stored_ns) / 1e9

        assert lag <= 0.06 + 0.06 * latency


async def test_a_nudge_brings_the_view_up_to_now():
    bed = Bed()
    async with watching(bed):
        await bed.clock.advance(100)
        bed.watcher.nudge()
        await settle()

        assert bed.watcher.covered_ns == bed.clock.now_ns()


async def test_a_lost_connection_is_replaced_and_what_came_meanwhile_is_found_once():
    bed = Bed()
    async with watching(bed):
        first = bed.put(OWN)
        await settle()
        bed.server.cut()
        await settle()
        assert not bed.watcher.is_up
        assert bed.states[-1] is False
        second = bed.put(OWN)
        bed.server.is_up = True
        await bed.clock.advance(10)

        assert bed.uids() == [first, second]
        assert bed.watcher.is_up
        assert bed.reconnects >= 1


async def test_nothing_is_covered_while_the_server_is_away():
    bed = Bed()
    async with watching(bed):
        covered_ns = bed.watcher.covered_ns
        bed.server.cut()
        await bed.clock.advance(500)

        assert bed.watcher.covered_ns == covered_ns


async def test_a_refused_login_is_not_hammered(caplog):
    bed = Bed()
    bed.server.is_up, bed.server.cause = False, Cause.AUTH_REFUSED
    async with watching(bed):
        await bed.clock.advance(3600)

        assert 3 <= bed.server.opened <= 3600 / 45
        assert sum("cannot be watched" in record.message for record in caplog.records) == 1


async def test_a_server_that_asks_to_be_left_alone_is_left_alone():
    bed = Bed()
    bed.server.is_up, bed.server.cause = False, Cause.PROTOCOL_ERROR
    bed.server.detail = "BAD Request is throttled. Suggested Backoff Time: 240000 milliseconds"
    async with watching(bed):
        await bed.clock.advance(3600)

        assert 3600 / 300 <= bed.server.opened <= 3600 / 180 + 1


async def test_a_renumbered_folder_is_read_anew_by_the_marks_of_our_messages():
    bed = Bed()
    async with watching(bed):
        bed.put(FOREIGN)
        bed.put(OWN)
        await settle()
        assert bed.uids() == [1, 2]
        folder = bed.server.folders["INBOX"]
        bed.server.cut()
        await settle()
        folder.renumber()
        bed.server.is_up = True
        await bed.clock.advance(10)

        assert bed.uids() == [1, 2, 2]


async def test_only_the_named_copies_are_removed():
    bed = Bed()
    async with watching(bed):
        bed.put(FOREIGN)
        own = bed.put(OWN)
        await settle()
        bed.watcher.discard(Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=own))
        await settle()

        assert bed.server.folders["INBOX"].removed == [own]


async def test_a_copy_of_an_older_numbering_is_not_removed():
    bed = Bed()
    async with watching(bed):
        bed.put(FOREIGN)
        await settle()
        bed.watcher.discard(Location(mailbox="inbox", folder="INBOX", uidvalidity=99, uid=1))
        await bed.clock.advance(10)

        assert bed.server.folders["INBOX"].removed == []


async def test_a_junk_folder_that_appears_later_is_watched():
    bed = Bed(folders=(INBOX,))
    async with watching(bed):
        bed.server.folders["Junk"] = FakeFolder(JUNK, bed.clock)
        bed.expect()
        await bed.clock.advance(125)
        uid = bed.put(OWN, "Junk")
        await bed.clock.advance(5)

        assert bed.uids("Junk") == [uid]


async def test_ending_the_watch_closes_its_connections():
    bed = Bed()
    sessions = []
    original = bed.server.open

    async def remember():
        sessions.append(await original())
        return sessions[-1]

    bed.server.open = remember
    async with watching(bed):
        pass

    assert [session.is_closed for session in sessions] == [True, True]


async def test_what_could_not_be_written_down_is_looked_at_again_and_until_then_nothing_is_known_completely(
    caplog,
):
    bed = Bed((INBOX,))
    async with watching(bed):
        bed.is_full = True
        bed.expect()
        uids = [bed.put(OWN), bed.put(OWN)]
        await bed.clock.advance(30.0)
        assert bed.uids() == []
        assert not is_known_lately(bed)
        assert len(caplog.records) == 1
        bed.is_full = False
        await bed.clock.advance(3.0)

        assert bed.uids() == uids
        assert is_known_lately(bed)


async def test_what_could_not_be_written_down_and_was_taken_away_is_waited_for_no_more():
    bed = Bed((INBOX,))
    async with watching(bed):
        bed.is_full = True
        bed.expect()
        uid = bed.put(OWN)
        await bed.clock.advance(3.0)
        del bed.server.folders["INBOX"].messages[uid]
        await bed.clock.advance(5.0)

        assert is_known_lately(bed)


async def test_who_is_about_to_judge_learns_of_what_the_server_never_announced():
    bed = Bed((INBOX,))
    async with watching(bed):
        bed.server.is_mute = True
        bed.expect()
        await bed.clock.advance(1.0)
        uid = bed.put(OWN)
        await bed.clock.advance(10.0)
        assert bed.uids() == []
        bed.watcher.nudge()
        await settle()

        assert bed.uids() == [uid]


class Patient(Bed):
    """Its journal takes a while; `asked` counts the questions that are on the one connection at once."""

    def __init__(self, at_once, breaks_at=None):
        super().__init__((INBOX,), at_once=at_once)
        self.breaks_at = breaks_at
        self.at_work = self.most = 0

    async def _dispatch(self, message, fetch_text):
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            await fetch_text(100)
            await asyncio.sleep(0)
            if message.location.uid == self.breaks_at:
                self.breaks_at = None
                raise MailboxError("fetch", Cause.CONNECTION_LOST)
            await super()._dispatch(message, fetch_text)
        finally:
            self.at_work -= 1


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (4, 4), (100, 10)])
async def test_so_many_messages_are_looked_at_at_once_and_each_of_them_once(at_once, most):
    bed = Patient(at_once)
    uids = [bed.put(OWN) for _ in range(10)]
    async with watching(bed):
        assert sorted(bed.uids()) == uids
        later = [bed.put(OWN) for _ in range(10)]
        bed.watcher.nudge()
        await settle()
        assert sorted(bed.uids()) == uids + later

    assert bed.most == most


async def test_where_the_connection_breaks_among_several_none_is_left_out():
    bed = Patient(4)
    async with watching(bed):
        uids = [bed.put(OWN) for _ in range(10)]
        bed.breaks_at = uids[5]
        bed.watcher.nudge()
        await settle()
        assert not bed.watcher.is_up
        await bed.clock.advance(5)

        assert set(bed.uids()) == set(uids)
        assert bed.uids().count(uids[0]) == 1  # of a portion that was done
        assert bed.watcher.is_up


async def test_it_says_that_it_is_reading_while_it_is():
    bed, said = Bed(), []
    bed.put(OWN)

    async def note(message, fetch_text):
        said.append(bed.watcher.is_looking)
        await bed._dispatch(message, fetch_text)

    bed.watcher._first._events = replace(bed.watcher._first._events, dispatch=note)
    assert not bed.watcher.is_looking
    async with watching(bed):
        assert not bed.watcher.is_looking
        bed.expect()
        bed.put(OWN)
        await bed.clock.advance(1)
        assert said == [True, True]
        assert not bed.watcher.is_looking

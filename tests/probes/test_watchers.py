"""All watchers by configuration: started, kept, replaced, ended; and a bug in one is no other's."""

import asyncio
from dataclasses import replace

from smtp_probe.model import Cause
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.watchers import _OPENED_AT_ONCE, Watchers, WatchPlan
from tests.probes.fakes import FakeClock, FakeServer, settle
from tests.probes.test_folder_watch import OWN


class Bed:
    def __init__(self):
        self.clock = FakeClock()
        self.servers = {}
        self.needed = set()
        self.watchers = Watchers(self.clock, self._events, lambda: self.needed)
        self.bug = None

    def _events(self, name):
        async def dispatch(_message, _fetch_text):
            if self.bug == name:
                raise ValueError("a bug")

        return WatchEvents(dispatch=dispatch, expected_since_ns=lambda: None)

    def plan(self, name, fingerprint="1", account="x"):
        server = self.servers.setdefault(
            (name, account), FakeServer(self.clock, Cause.CONNECTION_LOST, name=name)
        )
        return WatchPlan(fingerprint + account, account, server, WatchSettings())


async def test_mailboxes_are_started_and_ended_as_planned():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")})
    await settle()
    assert {name: watcher.is_up for name, watcher in bed.watchers.states().items()} == {"a": True, "b": True}
    bed.watchers.configure({"a": bed.plan("a")})
    await settle()

    assert set(bed.watchers.views()) == {"a"}
    assert bed.servers["a", "x"].opened == 2
    await bed.watchers.close()


async def test_an_unchanged_mailbox_keeps_its_connections_and_a_changed_one_does_not():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")})
    await settle()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b", "2")})
    await settle()

    assert (bed.servers["a", "x"].opened, bed.servers["b", "x"].opened) == (2, 4)
    await bed.watchers.close()


async def test_a_mailbox_that_is_no_longer_planned_stays_while_a_probe_waits_for_it():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a")})
    await settle()
    bed.needed = {("a", "x")}
    bed.watchers.configure({})

    assert bed.watchers.views() == {}
    assert set(bed.watchers.former_views()) == {("a", "x")}
    await bed.clock.advance(60)
    assert bed.watchers.former_views()["a", "x"].covered_ns() is not None
    bed.needed = set()
    await bed.clock.advance(6)
    assert bed.watchers.former_views() == {}
    await bed.watchers.close()


async def test_a_name_that_stands_for_another_account_leaves_the_old_one_watched_while_it_is_needed():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a", account="old")})
    await settle()
    bed.needed = {("a", "old")}
    bed.watchers.configure({"a": bed.plan("a", account="new")})
    await settle()

    assert bed.watchers.views()["a"].account == "new"
    assert bed.watchers.former_views()["a", "old"].account == "old"
    assert (bed.servers["a", "old"].opened, bed.servers["a", "new"].opened) == (2, 2)
    await bed.watchers.close()


async def test_an_account_that_comes_back_keeps_its_connections():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a", account="old")})
    await settle()
    bed.needed = {("a", "old")}
    bed.watchers.configure({"a": bed.plan("a", account="new")})
    await settle()
    bed.watchers.configure({"a": bed.plan("a", account="old")})
    await settle()

    assert bed.watchers.views()["a"].account == "old"
    assert bed.watchers.former_views() == {}
    assert bed.servers["a", "old"].opened == 2
    await bed.watchers.close()


async def test_nothing_is_left_of_an_account_that_nobody_waits_for():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a", account="old")})
    await settle()
    bed.watchers.configure({"a": bed.plan("a", account="new")})

    assert bed.watchers.former_views() == {}
    await bed.watchers.close()


async def test_a_bug_in_one_mailbox_is_logged_and_ends_no_other(caplog):
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")})
    await settle()
    bed.bug = "a"
    bed.servers["a", "x"].folders["INBOX"].put(b"Subject: x\r\n\r\n")
    await settle()
    assert "failed by our own fault" in caplog.text
    assert bed.watchers.states()["b"].is_up
    bed.bug = None
    await bed.clock.advance(20)

    assert bed.watchers.states()["a"].is_up
    await bed.watchers.close()


async def test_of_very_many_mailboxes_of_one_server_some_are_opened_at_once():
    bed, opening, most = Bed(), set(), 0

    class Slow:
        def __init__(self, name, server):
            self.name = name
            self._server = server

        async def open(self):
            nonlocal most
            opening.add(self.name)
            most = max(most, len(opening))
            for _ in range(3):
                await asyncio.sleep(0)
            opening.discard(self.name)
            return await self._server.open()

    plans = {}
    for number in range(3 * _OPENED_AT_ONCE):
        plan = bed.plan(f"box{number}")
        plans[plan.connector.name] = replace(plan, connector=Slow(plan.connector.name, plan.connector))
    elsewhere = bed.plan("elsewhere")
    plans["elsewhere"] = replace(elsewhere, endpoint="mail.example.org:993")
    bed.watchers.configure(plans)
    async with asyncio.timeout(5):
        while not all(watcher.is_up for watcher in bed.watchers.states().values()):
            await asyncio.sleep(0)

    assert most == _OPENED_AT_ONCE
    await bed.watchers.close()


async def test_a_mailbox_that_comes_back_is_looked_through_again():
    """What came while it was left may have been met by who had it not to judge."""
    bed, seen = Bed(), []
    events = bed._events

    def note(name):
        async def dispatch(message, fetch_text):
            seen.append(message.location.uid)

        return replace(events(name), dispatch=dispatch)

    watchers = Watchers(bed.clock, note, lambda: {("a", "x")})
    plan = bed.plan("a")
    watchers.configure({"a": plan})
    await settle()
    watchers.configure({})
    uid = bed.servers["a", "x"].folders["INBOX"].put(OWN)
    await bed.clock.advance(300)
    assert seen == [uid]
    watcher = watchers.former_views() and watchers._former["a", "x"].watcher
    watchers.configure({"a": plan})
    assert watcher.covered_ns is None
    await bed.clock.advance(5)

    assert watcher.covered_ns is not None
    assert watchers.state("a") is watcher
    assert seen == [uid, uid]
    await watchers.close()

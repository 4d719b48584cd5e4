"""All watchers by configuration: started, kept, replaced, ended; and a bug in one is no other's."""

from smtp_probe.model import Cause
from smtp_probe.probes.folder_watch import WatchEvents, WatchSettings
from smtp_probe.probes.watchers import Watchers, WatchPlan
from tests.probes.fakes import FakeClock, FakeServer, settle


class Bed:
    def __init__(self):
        self.clock = FakeClock()
        self.servers = {}
        self.watchers = Watchers(self.clock, self._events)
        self.bug = None

    def _events(self, name):
        async def dispatch(_message, _fetch_text):
            if self.bug == name:
                raise ValueError("a bug")

        return WatchEvents(dispatch=dispatch, expected_since_ns=lambda: None)

    def plan(self, name, fingerprint="1"):
        server = self.servers.setdefault(name, FakeServer(self.clock, Cause.CONNECTION_LOST, name=name))
        return WatchPlan(fingerprint, server, WatchSettings())


async def test_mailboxes_are_started_and_ended_as_planned():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")}, ())
    await settle()
    assert {name: watcher.is_up for name, watcher in bed.watchers.states().items()} == {"a": True, "b": True}
    bed.watchers.configure({"a": bed.plan("a")}, ())
    await settle()

    assert set(bed.watchers.views()) == {"a"}
    assert bed.servers["a"].opened == 2
    await bed.watchers.close()


async def test_an_unchanged_mailbox_keeps_its_connections_and_a_changed_one_does_not():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")}, ())
    await settle()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b", "2")}, ())
    await settle()

    assert (bed.servers["a"].opened, bed.servers["b"].opened) == (2, 4)
    await bed.watchers.close()


async def test_a_mailbox_that_is_no_longer_planned_stays_while_a_probe_waits_for_it():
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a")}, ())
    await settle()
    bed.watchers.configure({}, {"a"})

    assert set(bed.watchers.views()) == {"a"}
    await bed.watchers.close()


async def test_a_bug_in_one_mailbox_is_logged_and_ends_no_other(caplog):
    bed = Bed()
    bed.watchers.configure({"a": bed.plan("a"), "b": bed.plan("b")}, ())
    await settle()
    bed.bug = "a"
    bed.servers["a"].folders["INBOX"].put(b"Subject: x\r\n\r\n")
    await settle()
    assert "failed by our own fault" in caplog.text
    assert bed.watchers.states()["b"].is_up
    bed.bug = None
    await bed.clock.advance(20)

    assert bed.watchers.states()["a"].is_up
    await bed.watchers.close()

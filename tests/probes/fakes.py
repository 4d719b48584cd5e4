"""Fakes of the ports: a clock that is moved by hand, a journal in memory, a mailbox that is a list."""

import asyncio
import heapq
from collections import Counter
from dataclasses import replace

from smtp_probe.errors import JournalError, MailboxError
from smtp_probe.model import (
    BounceSeen,
    Cause,
    Disposition,
    DuplicateSeen,
    ForgerySeen,
    Location,
    MailboxMessage,
    Placement,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    StraySeen,
    Submission,
    SubmissionDeferred,
)
from smtp_probe.ports import FolderState, OpenProbe, WatchedFolder

NS = 1_000_000_000
START_NS = 1_790_000_000 * NS
INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)
JUNK = WatchedFolder(name="Junk", placement=Placement.JUNK)


async def settle(turns=100):
    """Let every task that can run now run: when nothing else is left to run, more turns of the loop would change nothing."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(turns):
        await asyncio.sleep(0)
        if not ready:
            return


class FakeClock:
    """Stands still until `advance`; wakes sleepers in the order of their times."""

    def __init__(self):
        self.ns = START_NS
        self._sleepers = []
        self._count = 0

    def now_ns(self):
        return self.ns

    def wall_step_seconds(self):
        return 0.0

    async def sleep(self, seconds):
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.ns + round(seconds * NS), self._count, future))
        await future

    async def advance(self, seconds):
        target = self.ns + round(seconds * NS)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            wake_ns, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self.ns = max(self.ns, wake_ns)
                future.set_result(None)
                await settle()
        self.ns = target
        await settle()


class MemoryJournal:
    """Keeps what the real one keeps, in dictionaries; `is_broken` makes every write fail."""

    def __init__(self):
        self.is_broken = False
        self.events = []
        self.probes = {}
        self.copies = set()

    async def record(self, event):
        await asyncio.sleep(0)
        if self.is_broken:
            raise JournalError("no space left on device")
        if not self._is_new(event):
            return False
        self.events.append(event)
        return True

    def _is_new(self, event):
        match event:
            case ProbeStarted(probe=probe):
                if probe.probe_id in self.probes:
                    return False
                self.probes[probe.probe_id] = OpenProbe(probe=probe, submission=None, overdue=False)
            case ProbeHandedOver(probe=probe, final_dot_ns=final_dot_ns):
                self.probes[probe.probe_id] = replace(self.probes[probe.probe_id], final_dot_ns=final_dot_ns)
            case ProbeSubmitted(probe=probe, submission=submission):
                self.probes[probe.probe_id] = replace(self.probes[probe.probe_id], submission=submission)
            case ProbeOverdue(probe=probe):
                self.probes[probe.probe_id] = replace(self.probes[probe.probe_id], overdue=True)
            case ProbeEnded(outcome=outcome):
                if self.probes.get(outcome.probe.probe_id) is None:
                    return False
                self.probes[outcome.probe.probe_id] = None
                self.copies |= {fact.location for fact in (outcome.arrival, outcome.bounce) if fact}
            case (
                DuplicateSeen(location=location)
                | ForgerySeen(location=location)
                | StraySeen(location=location)
            ):
                return self._is_new_copy(location)
            case SubmissionDeferred(probe=probe):
                self.probes[probe.probe_id] = replace(self.probes[probe.probe_id], final_dot_ns=None)
            case BounceSeen(probe_id=probe_id, bounce=bounce):
                is_new = self._is_new_copy(bounce.location)
                if is_new and bounce.action == "delayed" and self.probes.get(probe_id) is not None:
                    self.probes[probe_id] = replace(self.probes[probe_id], delay=bounce)
                return is_new
        return True

    def _is_new_copy(self, location):
        is_new = location not in self.copies
        self.copies.add(location)
        return is_new

    async def open_probes(self):
        return [known for known in self.probes.values() if known is not None]

    async def first_copy(self, probe_id, route=""):
        ended = [each for each in self.outcomes() if each.probe.probe_id == probe_id and each.arrival]
        return ended[0].way if ended else (None, None)

    async def probe_state(self, probe_id, route="", mailbox=""):
        if probe_id not in self.probes:
            return None
        if self.probes[probe_id] is not None:
            return "open"
        ends = [outcome for outcome in self.outcomes() if outcome.probe.probe_id == probe_id]
        return "ended" if any(outcome.arrival for outcome in ends) else "unseen"

    def ends(self):
        """Count the ends by probe: exactly one each is what must hold."""
        return Counter(e.outcome.probe.probe_id for e in self.events if isinstance(e, ProbeEnded))

    def outcomes(self):
        return [event.outcome for event in self.events if isinstance(event, ProbeEnded)]

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


class FakeSubmitter:
    """Answers with prepared dispositions (ACCEPTED when none is left) and puts accepted mail into a mailbox."""

    def __init__(self, clock, deliver=lambda envelope: None):
        self.clock = clock
        self.deliver = deliver
        self.dispositions = []
        self.envelopes = []
        self.seconds = 0.0
        self.is_hanging_after_dot = False
        self.queue_id = None
        self.failure = None

    async def submit(self, envelope, *, on_phase=None):
        started_ns = self.clock.now_ns()
        self.envelopes.append(envelope)
        if self.seconds:
            await self.clock.sleep(self.seconds)
        disposition = self.dispositions.pop(0) if self.dispositions else Disposition.ACCEPTED
        if disposition in (Disposition.ACCEPTED, Disposition.UNCERTAIN):
            on_phase("accept")
            if self.is_hanging_after_dot:
                await asyncio.Event().wait()
            if disposition is Disposition.ACCEPTED:
                self.deliver(envelope)
        final_dot_ns = (
            self.clock.now_ns() if disposition in (Disposition.ACCEPTED, Disposition.UNCERTAIN) else None
        )
        return Submission(
            disposition=disposition,
            started_ns=started_ns,
            final_dot_ns=final_dot_ns,
            queue_id=self.queue_id,
            failure=None if final_dot_ns else self.failure,
        )


class FakeFolder:
    """The server's side of one folder."""

    def __init__(self, folder, clock, mailbox="inbox"):
        self.folder = folder
        self.clock = clock
        self.mailbox = mailbox
        self.uidvalidity = 1
        self.uidnext = 1
        self.messages = {}
        self.seen = set()
        self.removed = []
        self.changed = asyncio.Event()

    def put(self, raw):
        """Store a message now."""
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = (raw, self.clock.now_ns())
        self.changed.set()
        return uid

    def renumber(self):
        """Give every message a new UID under a new UIDVALIDITY."""
        kept = list(self.messages.values())
        self.uidvalidity, self.uidnext, self.messages = self.uidvalidity + 1, 1, {}
        for raw, stored_ns in kept:
            self.messages[self.uidnext] = (raw, stored_ns)
            self.uidnext += 1

    def shown(self, uid):
        raw, stored_ns = self.messages[uid]
        return MailboxMessage(
            location=Location(
                mailbox=self.mailbox, folder=self.folder.name, uidvalidity=self.uidvalidity, uid=uid
            ),
            placement=self.folder.placement,
            seen_ns=self.clock.now_ns(),
            header=raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
            size_bytes=len(raw),
            guid=f"{stored_ns // NS}.M{stored_ns % NS // 1000}P1.host",
        )


class FakeSession:
    """One connection to a FakeServer. `cut` makes the next call fail, as a lost connection does."""

    def __init__(self, server):
        self.server = server
        self.selected = None
        self.known = 0
        self.is_closed = False
        self.is_at_end = False
        self._woken = asyncio.Event()

    def _check(self):
        if not self.server.is_up or self.is_closed:
            raise MailboxError("command", self.server.cause)

    def _check_folder(self):
        if self.selected not in self.server.folders.values():
            raise MailboxError("command", Cause.CONNECTION_LOST)

    async def folders(self):
        self._check()
        return [folder.folder for folder in self.server.folders.values()]

    async def select(self, folder):
        self._check()
        if folder.name not in self.server.folders:
            raise MailboxError("select", Cause.FOLDER_MISSING)
        self.selected = self.server.folders[folder.name]
        self.known = len(self.selected.messages)
        return FolderState(
            uidvalidity=self.selected.uidvalidity, uidnext=self.selected.uidnext, exists=self.known
        )

    async def fetch_since(self, first_uid):
        self._check()
        self._check_folder()
        self.known = self.selected.uidnext
        messages = [self.selected.shown(uid) for uid in sorted(self.selected.messages) if uid >= first_uid]
        self.is_at_end = len(messages) <= 100
        return messages[:100]

    async def fetch(self, uids):
        self._check()
        return [self.selected.shown(uid) for uid in uids if uid in self.selected.messages]

    async def fetch_text(self, uid, limit):
        self._check()
        return self.selected.messages[uid][0].partition(b"\r\n\r\n")[2][:limit]

    async def poll(self):
        self.server.polls += 1
        self._check()
        self._check_folder()
        return not self.server.is_mute and self.selected.uidnext != self.known

    async def idle(self, seconds):
        self._check()
        self._woken.clear()
        self.selected.changed.clear()
        if self.selected.uidnext != self.known:
            return True
        timer = asyncio.ensure_future(self.server.clock.sleep(seconds))
        waits = [
            timer,
            asyncio.ensure_future(self._woken.wait()),
            asyncio.ensure_future(self.selected.changed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._check()
        self._check_folder()
        return not timer.done() or timer.cancelled()

    def wake(self):
        self._woken.set()

    async def remove(self, uids):
        self._check()
        for uid in uids:
            if self.selected.messages.pop(uid, None) is not None:
                self.selected.removed.append(uid)

    async def search_header(self, name, value):
        self._check()
        wanted = f"\r\n{name}:".lower().encode()
        return [
            uid
            for uid, (raw, _) in self.selected.messages.items()
            for line in [(b"\r\n" + raw.partition(b"\r\n\r\n")[0]).lower()]
            if wanted in line and value.lower().encode() in line.partition(wanted)[2].partition(b"\r\n")[0]
        ]

    async def close(self):
        self.is_closed = True


class FakeServer:
    """A mailbox server, and the connector to it."""

    def __init__(self, clock, cause, folders=(INBOX, JUNK), name="inbox"):
        self.name = name
        self.clock = clock
        self.cause = cause
        self.detail = ""
        self.is_up = True
        self.opened = 0
        self.is_mute = False
        self.polls = 0
        self.folders = {folder.name: FakeFolder(folder, clock, name) for folder in folders}

    async def open(self):
        self.opened += 1
        if not self.is_up:
            raise MailboxError("login", self.cause, detail=self.detail)
        return FakeSession(self)

    def cut(self):
        """Take the server away; every connection learns of it at its next call."""
        self.is_up = False
        for folder in self.folders.values():
            folder.changed.set()

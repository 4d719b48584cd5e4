"""Watching one folder of a mailbox over one connection, for as long as the program runs.

In: sessions from a `ports.MailboxConnector`. Out: every new message to `dispatch`, and `covered_ns`, up to when the
folder is known completely. Does not know what a probe is; it is told how old the youngest expected message is, and
looks more often while that is young. Deletes only the copies that `discard` names.

Rules:

1. What is between two looks is found by UID, never by trusting an announcement: SELECT, fetch from the next UID,
   then wait. A message that came before the waiting began is found by the fetch.
2. The wait between two looks is a fixed part of the age of the youngest expected message, so that the lag stays
   a small part of the latency whatever the latency is; the first look is when the fastest could be here. Where nothing is expected soon, IDLE waits; but not at once:
   where probes come often, to enter IDLE and to leave it again would be most of what we ask of the server.
3. A message that could not be written down is looked at again until it is: up to then the folder is not known completely.
4. A connection that did anything unexpected is not repaired but replaced.
5. After a refused login we wait long: a wrong password must not become a locked account.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from smtp_probe.errors import JournalError, MailboxError
from smtp_probe.mail.throttling import throttle_seconds
from smtp_probe.model import Cause, Location, MailboxMessage, Placement
from smtp_probe.ports import Clock, Dispatch, MailboxConnector, MailboxSession, WatchedFolder
from smtp_probe.probes.mailbox_room import MailboxRoom
from smtp_probe.probes.portions import do_together, portions
from smtp_probe.probes.waiting import wait_for_event

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
OWN_HEADER = "X-SMTP-Probe"
OWN_SUBJECT = "[smtp-probe "
_REFUSED_WAIT_SECONDS = 60.0
_FOLDER_REVIEW_SECONDS = 60.0
_MISSING_FOLDER_SECONDS = 5.0
_BATCH = 100
_RECENT = 500
"""How many of the newest UIDs are looked at when a folder is seen for the first time and something is waited for."""
_AGAIN_SECONDS = 2.0
"""How often to look again at what the journal could not take."""
_STEADY_SECONDS = 60.0
"""A connection that lived so long was a good one: the waits between connections begin anew."""
_NOW_NS = 1
_SHORT_PAUSE_SECONDS = 0.1
"""Pauses up to this are slept through; longer ones end when somebody wants a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How often to look, and how long to wait before connecting again. All in seconds."""

    poll_minimum: float = 0.005
    poll_fraction: float = 0.05
    poll_maximum: float = 2.0
    young: float = 30.0
    """While an expected message is younger than this we poll; later IDLE is enough."""
    linger: float = 10.0
    """So long after the last expected message was found nothing is asked, before IDLE begins."""
    idle: float = 240.0
    reconnect_minimum: float = 1.0
    reconnect_maximum: float = 300.0
    sweep_every: float = 3600.0
    at_once: int = 1
    """So many messages of one folder are looked at at once: more where the journal is far away, and each waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvents:
    """Whom to tell. Plain callables, so that the watcher knows neither metrics nor pages."""

    dispatch: Dispatch
    expected_since_ns: Callable[[], int | None]
    """When the youngest message expected in this mailbox was handed over; None when none is."""
    quiet_until_ns: Callable[[], int | None] = lambda: None
    """Until when no expected message can be here yet, as far as that is known: looking before is in vain."""
    is_waited_for: Callable[[], bool] = lambda: False
    """Whether any probe waits for something in this mailbox, a bounce included."""
    changed: Callable[[bool], None] = lambda _: None
    """Told when the mailbox comes into view (True) or goes out of it (False)."""
    reconnected: Callable[[], None] = lambda: None
    quotas: Callable[[Mapping[str, float]], None] = lambda _: None
    """Told which share of which resource the mailbox uses, where its server says so."""


class FolderWatch:
    """One folder, one connection."""

    def __init__(
        self,
        connector: MailboxConnector,
        clock: Clock,
        settings: WatchSettings,
        events: WatchEvents,
        folder: WatchedFolder | None = None,
    ) -> None:
        self.folder = folder
        self.on_folders: Callable[[tuple[WatchedFolder, ...]], None] | None = None
        self.on_missing: Callable[[], None] = lambda: None
        """Told when the folder cannot be opened because it is not there."""
        self.room: MailboxRoom | None = None
        self.is_up = self.is_looking = False
        self.covered_ns: int | None = None
        self.last_error: MailboxError | None = None
        self._connector = connector
        self._clock = clock
        self._settings = settings
        self._events = events
        self._uidvalidity: int | None = None
        self._next_uid = 0
        self._discards: dict[int, set[int]] = {}
        self._unwritten: set[int] = set()
        self._session: MailboxSession | None = None
        self._wanted, self._stirred = asyncio.Event(), asyncio.Event()
        self._asking = asyncio.Lock()
        self._again_at_ns = self._linger_until_ns = self._sweep_at_ns = self._review_at_ns = 0
        self._folders_known = 0

    def discard(self, location: Location) -> None:
        """Have this copy deleted at the next occasion."""
        self._discards.setdefault(location.uidvalidity, set()).add(location.uid)
        self.stir()

    @property
    def has_discards(self) -> bool:
        """Whether copies wait to be deleted."""
        return bool(self._discards.get(self._uidvalidity or 0))

    def nudge(self) -> None:
        """Have the folder looked at now."""
        self._wanted.set()
        self.stir()

    def stir(self) -> None:
        """Have it think again about how long to wait: a message has been handed over, or is to be deleted."""
        self._stirred.set()
        if self._session is not None:
            self._session.wake()

    def review(self) -> None:
        """Have the folders of the mailbox listed again at the next look."""
        self._review_at_ns = 0
        self.nudge()

    def sweep(self) -> None:
        """Have all that is ours looked at again, and the folder not known before that."""
        self._sweep_at_ns, self.covered_ns = _NOW_NS, None
        self.nudge()

    async def run(self) -> None:
        """Watch until cancelled, over as many connections as it takes."""
        failures = 0
        while True:
            opened_ns = self._clock.now_ns()
            try:
                await self._watch_once()
            except MailboxError as error:
                self.is_up = False
                lived_ns = self._clock.now_ns() - opened_ns
                failures = 1 if lived_ns > _STEADY_SECONDS * _NS else failures + 1
                self._say_down(error)
                if error.cause is Cause.FOLDER_MISSING:
                    self.on_missing()
            await self._clock.sleep(self._wait_seconds(failures))
            self._events.reconnected()

    # One connection.

    async def _watch_once(self) -> None:
        session = await self._connector.open()
        self._session, self.is_looking = session, True
        try:
            folder = await self._find_folder(session)
            await self._select(session, folder)
            await self._fetch_news(session, in_view=False)
            self._say_up()
            while True:
                await self._remove_discarded(session)
                await self._sweep_when_due(session)
                await self._review_folders(session)
                if self.room is not None:
                    await self.room.look(session, folder)
                may_be_news = await self._wait(session)
                if may_be_news is not None:
                    await self._look(session, may_be_news=may_be_news)
        finally:
            self._session, self.is_looking = None, False
            if self.room is not None:
                self.room.forget()
            await asyncio.shield(session.close())

    async def _find_folder(self, session: MailboxSession) -> WatchedFolder:
        if self.on_folders is not None:
            found = tuple(await session.folders())
            self._folders_known = len(found)
            self.on_folders(found)
            self.folder = found[0]
            self._review_at_ns = self._clock.now_ns() + round(self._review_seconds() * _NS)
        if self.folder is None:
            raise MailboxError("folders", Cause.FOLDER_MISSING, detail="the mailbox has no folder to watch")
        return self.folder

    async def _select(self, session: MailboxSession, folder: WatchedFolder) -> None:
        state = await session.select(folder)
        if state.uidvalidity == self._uidvalidity:
            return
        # First sight of this folder, or all its UIDs are new: what is ours is found by its marks, not by UID.
        self._discards = {uidvalidity: set() for uidvalidity in (state.uidvalidity,)}
        self._unwritten.clear()
        own = set(await session.search_header(OWN_HEADER, ""))
        own |= set(await session.search_header("Subject", OWN_SUBJECT))
        # While a probe waits, what came before we looked may bear no mark of ours that a search finds: a bounce,
        # or a message whose header and subject were changed. The newest messages are looked at one by one.
        recent = max(1, state.uidnext - _RECENT) if self._events.is_waited_for() else state.uidnext
        await self._dispatch_uids(session, sorted(uid for uid in own if uid < recent))
        self._uidvalidity, self._next_uid = state.uidvalidity, recent

    async def _dispatch_uids(self, session: MailboxSession, uids: list[int]) -> None:
        dispatch = partial(self._dispatch, session)
        for start in range(0, len(uids), _BATCH):
            batch = uids[start : start + _BATCH]
            messages = await session.fetch(batch)
            self._unwritten.difference_update(set(batch) - {each.location.uid for each in messages})  # gone
            for some in portions([replace(each, in_view=False) for each in messages], self._settings.at_once):
                await do_together(dispatch, some)

    async def _fetch_news(self, session: MailboxSession, *, in_view: bool = True) -> None:
        while True:
            asked_ns, self.is_looking = self._clock.now_ns(), True
            messages = await session.fetch_since(self._next_uid)
            messages = [replace(each, absent_ns=self.covered_ns, in_view=in_view) for each in messages]
            for some in portions(messages, self._settings.at_once):
                await do_together(partial(self._dispatch, session), some)
                self._next_uid = some[-1].location.uid + 1
            if not messages or session.is_at_end:
                self._cover(asked_ns)
                self.is_looking = False
                return

    def _cover(self, asked_ns: int) -> None:
        if not self._unwritten and self._sweep_at_ns != _NOW_NS:
            self.covered_ns = asked_ns

    async def _dispatch(self, session: MailboxSession, message: MailboxMessage) -> None:
        uid = message.location.uid

        async def fetch_text(limit: int) -> bytes:
            async with self._asking:  # one question at a time on one connection
                return await session.fetch_text(uid, limit)

        try:
            await self._events.dispatch(message, fetch_text)
        except JournalError as error:
            if not self._unwritten:
                told = {"mailbox": self._connector.name}
                _log.warning("messages are left alone until the journal works: %s", error, extra=told)
            self._unwritten.add(uid)
        else:
            self._unwritten.discard(uid)

    async def _look_again(self, session: MailboxSession) -> None:
        """Look again at what could not be written down, in batches as long as that goes well."""
        while self._unwritten and self._clock.now_ns() >= self._again_at_ns:
            uids = sorted(self._unwritten)[:_BATCH]
            await self._dispatch_uids(session, uids)
            if not self._unwritten:
                _log.info("no message is left alone any more", extra={"mailbox": self._connector.name})
            if not self._unwritten.isdisjoint(uids):
                self._again_at_ns = self._clock.now_ns() + round(_AGAIN_SECONDS * _NS)

    async def _wait(self, session: MailboxSession) -> bool | None:
        """Wait as long as is right now, unless somebody wants a look.

        True where there may be news, False where it is time to ask, None where there is only something to delete.
        """
        while not self._wanted.is_set():
            if self.has_discards:
                return None
            self._stirred.clear()
            pause = self._pause_seconds(self._clock.now_ns())
            if pause is not None:
                if await self._pause(pause):
                    return False
            elif await session.idle(self._idle_seconds()) and not self._is_only_stirred():
                return True
            elif not self._stirred.is_set():
                return False
        return False

    def _is_only_stirred(self) -> bool:
        return self._stirred.is_set() and not self._wanted.is_set()

    def _idle_seconds(self) -> float:
        """How long to trust the server's announcements: not for long while something has been due for a while."""
        if self._unwritten:
            return _AGAIN_SECONDS
        is_expecting = self._events.expected_since_ns() is not None
        return min(self._settings.idle, self._review_seconds()) if is_expecting else self._settings.idle

    async def _look(self, session: MailboxSession, *, may_be_news: bool) -> None:
        is_wanted = self._wanted.is_set()
        self._wanted.clear()  # before the look: who asks during it gets another one
        await self._look_again(session)
        asked_ns = self._clock.now_ns()
        # Who wants to know is about to judge: he gets an answer by UID, also of a server that announces nothing.
        if may_be_news or await session.poll() or is_wanted:
            await self._fetch_news(session)
        else:
            self._cover(asked_ns)

    def _pause_seconds(self, now_ns: int) -> float | None:
        """How long to wait before the next look; None where IDLE is to wait for us."""
        since_ns = self._events.expected_since_ns()
        if since_ns is None:
            return self._linger_seconds(now_ns)
        age = max(0.0, (now_ns - since_ns) / _NS)
        self._linger_until_ns = now_ns + round(self._settings.linger * _NS)
        if age > self._settings.young:
            return None
        floor = self._settings.poll_minimum
        if self.folder is not None and self.folder.placement is not Placement.INBOX:
            floor = max(floor, 0.05)
        quiet = ((self._events.quiet_until_ns() or 0) - now_ns) / _NS
        return min(self._settings.poll_maximum, max(floor, age * self._settings.poll_fraction, quiet))

    def _linger_seconds(self, now_ns: int) -> float | None:
        left = (self._linger_until_ns - now_ns) / _NS
        return left if left > 0 and not self._events.is_waited_for() else None

    async def _pause(self, seconds: float) -> bool:
        """True when the time is over, False when somebody wants to be heard before."""
        if seconds <= _SHORT_PAUSE_SECONDS:
            await self._clock.sleep(seconds)
            return True
        return not await wait_for_event(self._stirred, self._clock, seconds)

    async def _remove_discarded(self, session: MailboxSession) -> None:
        if uids := self._discards.get(self._uidvalidity or 0):
            batch = sorted(uids)[:_BATCH]
            await session.remove(batch)
            uids.difference_update(batch)

    async def _sweep_when_due(self, session: MailboxSession) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._sweep_at_ns:
            return
        is_first, self._sweep_at_ns = self._sweep_at_ns == 0, now_ns + round(self._settings.sweep_every * _NS)
        if not is_first:  # the first look has just dispatched all that is ours
            own = await session.search_header(OWN_HEADER, "")
            await self._dispatch_uids(session, [uid for uid in own if uid < self._next_uid])
            self._wanted.set()  # with the next look it is known again

    def _review_seconds(self) -> float:
        """How often to look for new folders: often where no junk folder is there yet."""
        return _FOLDER_REVIEW_SECONDS if self._folders_known > 1 else _MISSING_FOLDER_SECONDS

    async def _review_folders(self, session: MailboxSession) -> None:
        """A junk folder may be made by its first message: look for new folders now and then."""
        if self.on_folders is None or self._clock.now_ns() < self._review_at_ns:
            return
        self._review_at_ns = self._clock.now_ns() + round(self._review_seconds() * _NS)
        found = tuple(await session.folders())
        self._folders_known = len(found)
        self.on_folders(found)

    # Up, down, and how long to wait.

    @property
    def _place(self) -> dict[str, str]:
        return {"mailbox": self._connector.name} | ({"folder": self.folder.name} if self.folder else {})

    def _say_up(self) -> None:
        self.is_up = True
        if self.last_error is not None:
            _log.info("mailbox in view again", extra=self._place)
        self.last_error = None
        self._events.changed(True)

    def _say_down(self, error: MailboxError) -> None:
        if self.last_error is None or str(self.last_error) != str(error):
            _log.warning("mailbox cannot be watched: %s", error, extra=self._place | {"cause": error.cause})
        self.last_error = error
        self._events.changed(False)

    def _wait_seconds(self, failures: int) -> float:
        settings = self._settings
        wait = settings.reconnect_minimum * 2.0 ** min(max(failures - 1, 0), 30)
        error = self.last_error
        if error is not None and error.cause in (Cause.AUTH_REFUSED, Cause.CREDENTIAL):
            wait = max(wait, _REFUSED_WAIT_SECONDS)
        if error is not None:
            wait = max(wait, throttle_seconds(error.detail) or 0.0)
        wait = min(wait, settings.reconnect_maximum)
        return wait * (0.75 + random.random() / 2)  # noqa: S311 - spreads reconnects, guards nothing

"""What the ledger knows of the watched mailboxes, and who waits for one of them to be looked into.

In: the views of the watchers. Out: up to when a mailbox is known, and the probes whose mailboxes have become known far
enough. To ask costs one comparison a mailbox, however many probes wait while it is out of view.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from smtp_probe.model import Location, Probe

Watched = tuple[str, str]
"""A mailbox by name and account: a reload may give the name to another account."""


@dataclass(frozen=True, slots=True)
class MailboxView:
    """What the ledger needs of a mailbox's watcher."""

    covered_ns: Callable[[], int | None]
    nudge: Callable[[], None]
    """Have it looked into now."""
    discard: Callable[[Location], None]
    account: str = ""
    stir: Callable[[], None] = lambda: None
    """Tell that a message is expected from now on."""
    is_looking: Callable[[], bool] = lambda: False
    """Whether it is being read just now, and will be known further when that is done."""
    shortage: Callable[[], str] = lambda: ""
    """What it has too little room of for another message."""


class Views:
    """All watched mailboxes."""

    def __init__(self) -> None:
        self.current: Mapping[str, MailboxView] = {}
        """By name; replaced as a whole when the configuration changes."""
        self.former: Mapping[Watched, MailboxView] = {}
        """Of accounts that the names stood for before, watched as long as a probe waits for them."""
        self._waiting: dict[tuple[Watched, ...], list[tuple[int, str]]] = {}

    def account_of(self, name: str | None) -> str:
        """Which account a name stands for now."""
        view = self.current.get(name or "")
        return view.account if view is not None else ""

    def get(self, watched: Watched) -> MailboxView | None:
        """The view of a mailbox; None where its account is watched no more."""
        name, account = watched
        view = self.current.get(name)
        if view is not None and account in ("", view.account):
            return view
        return self.former.get(watched)

    def covered_ns(self, watched: Watched | None) -> int | None:
        """Up to when a mailbox is known completely; None where it is not watched or has not been looked into."""
        view = self.get(watched) if watched is not None else None
        return view.covered_ns() if view is not None else None

    def is_looking(self, watched: Watched | None) -> bool:
        """Whether a mailbox is being read just now."""
        view = self.get(watched) if watched is not None else None
        return view is not None and view.is_looking()

    def nudge(self, watched: Watched) -> None:
        """Have a mailbox looked into now, where it is watched."""
        if (view := self.get(watched)) is not None:
            view.nudge()

    def stir(self, watched: Watched) -> None:
        """Tell a mailbox that a message is expected in it from now on."""
        if (view := self.get(watched)) is not None:
            view.stir()

    def lack_of_room(self, probe: Probe) -> str:
        """Say which mailbox of a probe has no room: what should come there cannot; empty where that is not known."""
        inbox, bounces = inbox_of(probe), bounces_of(probe)
        named = (
            {inbox: "mailbox"} if bounces in (None, inbox) else {inbox: "mailbox", bounces: "bounce mailbox"}
        )
        short = (
            (what, view.shortage()) for each, what in named.items() if (view := self.get(each)) is not None
        )
        return "; ".join(f"the {what} has no room, {shortage}" for what, shortage in short if shortage)

    # Waiting for a view.

    @property
    def is_waited_for(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    def wait(self, probe_id: str, mailboxes: tuple[Watched, ...], view_ns: int) -> None:
        """Have this probe named by `seen` when all these mailboxes are known up to an instant."""
        heapq.heappush(self._waiting.setdefault(mailboxes, []), (view_ns, probe_id))

    def seen(self) -> Iterator[str]:
        """Name the probes that need wait no longer, each once."""
        for mailboxes, waiting in list(self._waiting.items()):
            covered = [self.covered_ns(each) for each in mailboxes]
            known_ns = min(-1 if each is None else each for each in covered)
            while waiting and waiting[0][0] <= known_ns:
                yield heapq.heappop(waiting)[1]
            if not waiting:
                del self._waiting[mailboxes]


def inbox_of(probe: Probe) -> Watched:
    """Where the message of a probe arrives."""
    return probe.mailbox, probe.mailbox_account


def bounces_of(probe: Probe) -> Watched | None:
    """Where a bounce of it arrives; None where nobody looks."""
    return None if probe.bounce_mailbox is None else (probe.bounce_mailbox, probe.bounce_account)

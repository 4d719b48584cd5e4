"""What is known of the selected folder between two commands (RFC 3501 sections 7.3.1 and 7.4.1).

Pure bookkeeping: the server's EXISTS and EXPUNGE in; how many messages there are, whether there may be news, and in
which portions the folder can be read, out. It doubts rather than trusts: what does not add up counts as news, which
costs one look and loses no mail.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BATCH = 100
"""The most messages that are asked for at once."""


class FolderView:
    """The size of the selected folder, and what has changed since somebody looked.

    `may_have_news` stays True until `looked` is called, whichever command brought the news. `grown` is the most
    that can have been added since `looked`; None when it cannot be known.
    """

    __slots__ = ("exists", "grown", "may_have_news")

    def __init__(self) -> None:
        self.exists = 0
        self.may_have_news = False
        self.grown: int | None = 0

    def open(self) -> None:
        """A folder is about to be selected: forget the one before."""
        self.exists = 0
        self.looked()

    def looked(self) -> None:
        """A look at the folder begins: whatever was announced before will be seen by it."""
        self.may_have_news = False
        self.grown = 0

    def note_exists(self, count: int) -> None:
        """The server counts so many messages. It may not count fewer without EXPUNGE: if it does, doubt all."""
        if count > self.exists:
            self.may_have_news = True
            if self.grown is not None:
                self.grown += count - self.exists
        elif count < self.exists:
            self.doubt()
        self.exists = count

    def note_expunge(self) -> None:
        """One message less."""
        if self.exists > 0:
            self.exists -= 1
        else:
            self.doubt()

    def doubt(self) -> None:
        """Something does not add up: look, and presume no size."""
        self.may_have_news = True
        self.grown = None


class FolderWalk:
    """How to read a folder from some UID on without ever asking for more than a batch.

    `n:*` is one round trip, and right where little can match it: in a small folder, or when little has come since
    the last look. Otherwise the UIDs are listed first, and fetched by name.
    """

    def __init__(self, view: FolderView) -> None:
        self._view = view
        self._known_uid = 0
        """Every message from this UID on has come since the last look began."""
        self._listed: list[int] = []

    def start(self, uidnext: int) -> None:
        """A folder has been selected."""
        self._known_uid = uidnext
        self._listed = []

    def is_short(self, first_uid: int) -> bool:
        """Whether `first_uid:*` names at most a batch (or so: a burst may come just now)."""
        grown = self._view.grown
        if grown is None or self.has_list(first_uid):
            return False
        return self._view.exists <= BATCH or (first_uid >= self._known_uid and grown <= BATCH)

    def begin_look(self) -> None:
        """The folder is about to be asked."""
        self._view.looked()

    def end_look(self, next_uid: int) -> None:
        """All that was in the folder when it was asked is below this UID, or has been given out."""
        self._known_uid = next_uid
        self._listed = []

    def list_uids(self, first_uid: int, uids: Sequence[int]) -> None:
        """Keep what a search found. It finds the last message too, even if that lies before `first_uid`."""
        self._listed = [uid for uid in uids if uid >= first_uid]
        self._known_uid = self._listed[-1] + 1 if self._listed else first_uid

    def has_list(self, first_uid: int) -> bool:
        """Whether UIDs from here on are listed."""
        return bool(self._listed) and self._listed[-1] >= first_uid

    def next_uids(self, first_uid: int) -> list[int]:
        """The next batch of the list."""
        start = bisect_left(self._listed, first_uid)
        return self._listed[start : start + BATCH]

"""What is known of the selected folder between two commands (RFC 3501 sections 7.3.1 and 7.4.1).

Pure bookkeeping: the server's EXISTS and EXPUNGE in, the number of messages and the claim that there may be news out.
It doubts rather than trusts: what does not add up counts as news, which costs one look and loses no mail.
"""

from __future__ import annotations


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

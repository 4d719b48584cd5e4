"""What a server has said of itself and of the selected folder, in answers that nobody asked for.

Pure: untagged answers in; capabilities, the size of the folder and a farewell out. Whoever leads the connection asks
`complaint` after each answer, and gives the connection up if there is one.
"""

from __future__ import annotations

import re

from smtp_probe.model import Cause
from smtp_probe.network.imap_answers import Status, parse_number, parse_status
from smtp_probe.network.imap_view import FolderView

_MAXIMUM_MESSAGES = 2**32 - 1
_MAXIMUM_CAPABILITIES = 300
_CAPABILITY = re.compile(r"[!-~]{1,64}")
_TEMPORARY_CODES = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})


class ServerState:
    """Notes every untagged answer and every response code, whichever command it came in."""

    def __init__(self) -> None:
        self.greeting: Status | None = None
        self.is_preauthenticated = False
        self.capabilities: set[str] = set()
        self.folder = FolderView()
        self.farewell: bytes | None = None
        self.complaint: str | None = None
        """What cannot be, and makes the connection useless."""
        self._uidvalidity = b""

    def note_greeting(self, line: bytes) -> None:
        """The first line (RFC 3501 section 7.1)."""
        kind, _, text = line.removeprefix(b"* ").partition(b" ")
        word = kind.upper() if line.startswith(b"* ") else b""
        if word in (b"OK", b"PREAUTH"):
            self.is_preauthenticated = word == b"PREAUTH"
            self.greeting = self.note_status(text)
        elif word == b"BYE":
            self.farewell = line[2:]
        else:
            self.complaint = "the greeting is not IMAP"

    def note_untagged(self, line: bytes, command: str | None) -> None:
        """An answer that begins with `* `, while `command` is under way."""
        word, _, rest = line[2:].partition(b" ")
        kind = word.upper()
        if word.isdigit():
            self._note_message(word, rest[:8].rstrip().upper())
        elif kind == b"CAPABILITY":
            self._note_capabilities(rest)
        elif kind == b"OK":
            self.note_status(rest, command)
        elif kind == b"BYE" and command != "LOGOUT":
            self.farewell = line[2:]

    def note_status(self, text: bytes, command: str | None = None) -> Status:
        """Read a response code for what it says of the connection."""
        status = parse_status(text)
        if status.code == "CAPABILITY":
            self._note_capabilities(status.arguments)
        elif status.code == "UIDVALIDITY":
            if command in ("SELECT", "EXAMINE"):
                self._uidvalidity = status.arguments
            elif status.arguments != self._uidvalidity:
                self.complaint = "the folder's UIDVALIDITY changed while it was open"
        return status

    def _note_message(self, number: bytes, kind: bytes) -> None:
        count = parse_number(number)
        if count is None or count > _MAXIMUM_MESSAGES:
            self.complaint = "the server counts more messages than can be"
        elif kind == b"EXISTS":
            self.folder.note_exists(count)
        elif kind == b"EXPUNGE":
            self.folder.note_expunge()

    def _note_capabilities(self, words: bytes) -> None:
        listed = words.decode("ascii", "replace").upper().split()[:_MAXIMUM_CAPABILITIES]
        self.capabilities = {word for word in listed if _CAPABILITY.fullmatch(word)}


def refusal_cause(result: str, code: str, refused: Cause | None) -> Cause:
    """The cause that fits a tagged NO or BAD (response codes: RFC 5530); `refused` is what a plain NO means here."""
    if code in _TEMPORARY_CODES:
        return Cause.REPLY_TEMPORARY
    if refused is Cause.AUTH_REFUSED:
        return refused
    if result == "BAD":
        return Cause.PROTOCOL_ERROR
    return Cause.REPLY_PERMANENT if refused is None or code == "NOPERM" else refused

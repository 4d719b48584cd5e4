"""IMAP framing: bytes in, whole answers out (RFC 3501 sections 2.2 and 4.3).

Duty: cut the server's byte stream into answers, each a line together with its literals. Bounded: every answer, with
its literals, is paid from a budget that the owner renews for each command; what does not fit is refused before it
is read. Linear in time, and no recursion, however many lines one read brings. Knows nothing of what answers mean.
"""

from __future__ import annotations

from dataclasses import dataclass

_STATUS_WORDS = (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH")
_LITERAL_DIGITS = 10
_SHOWN_BYTES = 60


class WireError(Exception):
    """The stream cannot be IMAP, or is larger than was agreed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: text and literals in turn, beginning and ending with text; without line ends and literals' sizes.

    `arrived_ns` is the instant at which its last byte was read, on the clock of whoever fed the reader.
    """

    parts: tuple[bytes, ...]
    arrived_ns: int = 0

    @property
    def line(self) -> bytes:
        """The text up to the first literal: all of it, for most answers."""
        return self.parts[0]


class AnswerReader:
    """Collects bytes and gives out answers. `budget_bytes` is what may still be read."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._buffer = bytearray()
        self._scanned = 0
        """How much of the buffer is known to hold no line end: a trickled line stays linear."""
        self._parts: list[bytes] = []
        self._literal_bytes: int | None = None
        self._arrived_ns = 0

    @property
    def unread_bytes(self) -> int:
        """How much has been fed and not been given out."""
        return len(self._buffer) + sum(map(len, self._parts))

    @property
    def start(self) -> bytes:
        """The first bytes of an answer that is not complete yet."""
        return bytes(self._buffer[:_SHOWN_BYTES])

    def feed(self, data: bytes, arrived_ns: int = 0) -> None:
        """Take what was read from the network."""
        self._buffer += data
        self._arrived_ns = arrived_ns

    def next_answer(self) -> Answer | None:
        """Give the next whole answer, or None until more is fed.

        Raises `WireError` when the budget cannot pay for what has been announced or collected.
        """
        while True:
            if self._literal_bytes is not None and not self._take_literal(self._literal_bytes):
                return None
            line = self._take_line()
            if line is None:
                return None
            self._literal_bytes = self._announced_literal(line)
            if self._literal_bytes is not None:
                self._parts.append(line[: line.rfind(b"{")].removesuffix(b"~"))  # `~{3}`: RFC 3516
            else:
                self._parts.append(line)
                answer = Answer(tuple(self._parts), self._arrived_ns)
                self._parts.clear()
                return answer

    def _take_literal(self, size: int) -> bool:
        if len(self._buffer) < size:
            return False
        self._parts.append(bytes(self._buffer[:size]))
        self._drop(size)
        self._literal_bytes = None
        return True

    def _take_line(self) -> bytes | None:
        """One line without its end. A bare LF ends one too: garbage is then known early (RFC 3501 has CRLF)."""
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            self._check_budget(self._scanned)
            return None
        line = bytes(self._buffer[:end])
        self._check_budget(end + 1)
        self._drop(end + 1)
        return line.removesuffix(b"\r")

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._scanned = 0
        self.budget_bytes -= size

    def _check_budget(self, size: int) -> None:
        if size > self.budget_bytes:
            message = f"the server's answer is larger than agreed ({size} bytes more)"
            raise WireError(message)

    def _announced_literal(self, line: bytes) -> int | None:
        """The size in `{123}` at the end of a line; None where there is none."""
        if not line.endswith(b"}") or not _may_have_literals(self._parts[0] if self._parts else line):
            return None
        digits = line[line.rfind(b"{") + 1 : -1].removesuffix(b"+")
        if not digits.isdigit() or b"{" not in line:
            return None
        if len(digits) > _LITERAL_DIGITS:
            message = "the server announced a literal of an impossible size"
            raise WireError(message)
        self._check_budget(int(digits))
        return int(digits)


def _may_have_literals(line: bytes) -> bool:
    """Whether the grammar has data here. Free text (`* OK see {3}`, a tagged status, `+`) is never a literal."""
    if not line.startswith(b"* "):
        return False
    return line[2:10].split(b" ", 1)[0].upper() not in _STATUS_WORDS

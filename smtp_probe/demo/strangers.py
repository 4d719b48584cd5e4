"""Other people who write to the demo's mailbox: one who sends ordinary mail, and one who forges.

In: a probe's message that passed by. Out: two messages, sent to the relay like mail from any other site: an ordinary
letter, and a copy of the probe whose tag has the right form, the right route and a wrong signature. Holds no key.
"""

from __future__ import annotations

import itertools
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime

from smtp_probe.demo.forwarding import NextHop, hand_over
from smtp_probe.demo.letter import Letter
from smtp_probe.demo.spool import Spool
from smtp_probe.mail.tag import TOKEN_PREFIX
from smtp_probe.ports import Clock

_HOST = "mail.elsewhere.example"
_NEIGHBOUR = "news@elsewhere.example"
_FORGER = "forger@elsewhere.example"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN_CHARACTERS = 48
_FORGED_CHARACTERS = 20
"""The end of a token is its signature; so many characters of it are changed."""
_TOKEN = re.compile(
    re.escape(TOKEN_PREFIX.encode("ascii")) + rb"[a-z2-7]{%d}" % _TOKEN_CHARACTERS, re.IGNORECASE
)
_CAPACITY = 50


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_BASE32) for _ in range(length))


def forge_token(message: bytes) -> str:
    """A token like the first one in a message, with another signature; an invented one where there is none."""
    found = _TOKEN.search(message)
    if found is None:
        return TOKEN_PREFIX + _random_text(_TOKEN_CHARACTERS)
    return found[0].decode("ascii")[:-_FORGED_CHARACTERS] + _random_text(_FORGED_CHARACTERS)


def _letter(sender: str, recipient: str, at_ns: int, name: str, text: str) -> Letter:
    """A small message with a name of its own; its text is its subject as well."""
    lines = (
        f"From: {sender}",
        f"To: {recipient}",
        f"Subject: {text}",
        f"Date: {format_datetime(datetime.fromtimestamp(at_ns // 1_000_000_000, UTC))}",
        f"Message-ID: <{name}@elsewhere.example>",
        "",
        text,
        "",
    )
    return Letter(sender=sender, recipient=recipient, content="\r\n".join(lines).encode("ascii"))


def forged_letter(token: str, recipient: str, at_ns: int) -> Letter:
    """A message that claims to be a probe, wherever a reader may look."""
    return _letter(_FORGER, recipient, at_ns, token, f"smtp-probe {token}")


def ordinary_letter(number: int, recipient: str, at_ns: int) -> Letter:
    """A message that has nothing to do with any probe."""
    return _letter(_NEIGHBOUR, recipient, at_ns, f"{number}.{_random_text(10)}", f"Newsletter no. {number}")


class Strangers:
    """Those who write to the relay after each probe that they see."""

    def __init__(self, clock: Clock, relay: NextHop) -> None:
        self._clock = clock
        self._relay = relay
        self._spool = Spool(_HOST, _CAPACITY)
        self._numbers = itertools.count(1)

    def write_after(self, letter: Letter) -> None:
        """Send one forged and one ordinary message to the recipient of a probe, unless we wrote the letter ourselves."""
        if letter.sender in (_FORGER, _NEIGHBOUR):
            return
        now_ns = self._clock.now_ns()
        recipient = letter.recipient
        self._spool.add(self._send(forged_letter(forge_token(letter.content), recipient, now_ns)))
        self._spool.add(self._send(ordinary_letter(next(self._numbers), recipient, now_ns)))

    async def close(self) -> None:
        """Stop writing."""
        await self._spool.close()

    async def _send(self, letter: Letter) -> None:
        await hand_over(letter, _HOST, self._relay)

"""What a transaction asks of an SMTP library, step by step, and what it gets.

Here stands the shape only; `submission` fills it with a library. It knows no order of steps and sets no deadlines.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection
from typing import NamedTuple, Protocol

from smtp_probe.config.settings import Auth


class Answer(NamedTuple):
    """What the server said, raw, and when its last byte was read, on the reference clock.

    What is no SMTP has a code that no reply has (-1), and what is wrong with it as its text.
    """

    code: int
    text: str
    read_ns: int


class Dialogue(Protocol):
    """One connection's SMTP. Every step returns the server's answer, whatever it says.

    A step raises OSError for a connection that is lost or refuses TLS (`ConnectionError`, `ssl.SSLError` are such).
    """

    @property
    def is_open(self) -> bool:
        """Whether a command can be sent."""
        ...

    @property
    def extensions(self) -> Collection[str]:
        """The keywords of the last EHLO's answer, lower case."""
        ...

    @property
    def mechanisms(self) -> Collection[str]:
        """The SASL mechanisms of the last EHLO's answer, lower case."""
        ...

    @property
    def ssl_object(self) -> ssl.SSLObject:
        """The TLS of this connection, once it has any."""
        ...

    def conceal(self, auth: Auth, secret: str) -> None:
        """Take these credentials out of every answer from now on: a server may know them from an earlier connection."""
        ...

    async def open(self, **arguments: object) -> None:
        """Begin on a connected socket: `sock`, and for TLS what `loop.create_connection` takes."""
        ...

    async def read_greeting(self) -> Answer:
        """Wait for the greeting."""
        ...

    async def say_hello(self) -> Answer:
        """Send EHLO, and remember what is offered."""
        ...

    async def start_tls(self, context: ssl.SSLContext, server_name: str, seconds: float) -> Answer:
        """Send STARTTLS and shake hands; what the first EHLO offered is forgotten (RFC 3207 section 4.2)."""
        ...

    async def authenticate(self, auth: Auth, secret: str) -> Answer:
        """Run the one mechanism's dialogue. The answer never quotes the secret."""
        ...

    async def command(self, *words: bytes) -> Answer:
        """Send one command."""
        ...

    async def send_message(self, payload: bytes) -> Answer:
        """Send a message with its final dot, when DATA was answered with 354, and wait for its reply."""
        ...

    async def close(self) -> None:
        """End the connection in good order, with a short patience for the other side's part in it."""
        ...

    def abort(self) -> None:
        """End the connection now."""
        ...

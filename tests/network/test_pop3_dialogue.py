"""POP3's answers, also those that no real server gives: late, endless, cut, garbled."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.pop3_dialogue import LINE_BYTES, Pop3Dialogue


@contextlib.asynccontextmanager
async def talking(said: bytes, *, ends: bool = True):
    """A dialogue with a server that says this at once, and then hangs up or goes silent."""

    async def serve(reader, writer):
        with contextlib.suppress(OSError):
            writer.write(said)
            await writer.drain()
            if not ends:
                await reader.read()
        writer.transport.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES)
    try:
        yield Pop3Dialogue(reader, writer, 0.3)
    finally:
        writer.transport.abort()
        server.close()
        await asyncio.sleep(0.05)  # for the other side to see it


async def test_an_answer_is_read_and_its_lines_are_unstuffed():
    async with talking(b"+OK ready\r\n+OK here\r\nSubject: x\r\n\r\n..a\r\n.\r\n") as dialogue:
        await dialogue.greet()
        assert await dialogue.ask("top", b"TOP 1 0") == "here"
        assert await dialogue.read_lines("top", 1000) == (b"Subject: x\r\n\r\n.a\r\n", True)


async def test_only_the_start_is_kept_and_the_rest_dropped():
    body = b"x" * 98 + b"\r\n"
    async with talking(b"+OK\r\n" + body * 100 + b".\r\n+OK next\r\n", ends=False) as dialogue:
        await dialogue.ask("top", b"TOP 1 0")
        assert await dialogue.read_lines("top", 250) == ((body * 3)[:250], False)
        assert await dialogue.ask("noop", b"NOOP") == "next"


async def test_a_long_message_is_not_waited_for():
    async with talking(b"+OK\r\n" + b"line\r\n" * 1000, ends=False) as dialogue:
        await dialogue.ask("retr", b"RETR 1")
        assert await dialogue.read_lines("retr", 60, drains=False) == (b"line\r\n" * 10, False)


@pytest.mark.parametrize(
    ("said", "ends", "cause"),
    [
        (b"-ERR no\r\n", True, Cause.REPLY_PERMANENT),
        (b"-ERR [IN-USE] later\r\n", True, Cause.REPLY_TEMPORARY),
        (b"220 mail.test ESMTP\r\n", True, Cause.PROTOCOL_ERROR),
        (b"", True, Cause.CONNECTION_LOST),
        (b"+O", True, Cause.CONNECTION_LOST),
        (b"", False, Cause.TIMEOUT),
        (b"+OK " + b"x" * 2 * LINE_BYTES, False, Cause.PROTOCOL_ERROR),
    ],
)
async def test_what_is_no_answer_is_told_by_its_cause(said, ends, cause):
    async with talking(said, ends=ends) as dialogue:
        with pytest.raises(MailboxError) as caught:
            await dialogue.ask("stat", b"STAT")

    assert (caught.value.stage, caught.value.cause) == ("stat", cause)
    assert len(caught.value.detail) < 400


async def test_a_secret_that_the_server_quotes_is_struck():
    async with talking(b"-ERR [AUTH] hunter2secret is wrong\r\n") as dialogue:
        dialogue.mask = lambda words: words.replace("hunter2secret", "***")
        with pytest.raises(MailboxError) as caught:
            await dialogue.authenticate("PLAIN", b"AGEAYg==", b"")

    assert caught.value.cause is Cause.AUTH_REFUSED
    assert caught.value.detail == "-ERR [AUTH] *** is wrong"


async def test_the_reasons_of_a_refused_token_are_acknowledged():
    async with talking(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n-ERR [AUTH] no\r\n", ends=False) as dialogue:
        with pytest.raises(MailboxError) as caught:
            await dialogue.authenticate("OAUTHBEARER", b"x", b"AQ==")

    assert caught.value.cause is Cause.AUTH_REFUSED


async def test_what_was_said_before_tls_is_not_believed():
    async with talking(b"+OK begin\r\n+OK injected\r\n", ends=False) as dialogue:
        await dialogue.ask("starttls", b"STLS")
        with pytest.raises(MailboxError, match="spoke before TLS"):
            await dialogue.start_tls(None, "mail.test")

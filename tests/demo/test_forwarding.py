"""The client between the hosts, against a server that says what a test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from smtp_probe.demo import forwarding
from smtp_probe.demo.forwarding import NextHop, hand_over
from smtp_probe.demo.letter import DsnRequest, Letter

LETTER = Letter(
    sender="prober@example.test",
    recipient="late@example.test",
    content=b".first\r\n..second\r\nlone\n.lf\r\n.\r\n",
    dsn=DsnRequest(envid="a+2Bb", notify="FAILURE"),
)
HELLO = b"250-relay\r\n250-SIZE\r\n250 DSN\r\n"


class Script:
    """Answers each command with the next of its answers; keeps what it was told."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self.data = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in self.answers:
                writer.write(answer)
                if answer.startswith(b"354"):
                    self.data = await reader.readuntil(b"\r\n.\r\n")
                else:
                    self.heard.append(await reader.readuntil(b"\r\n"))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[tuple[Script, NextHop]]:
    script = Script(answers)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    try:
        yield script, NextHop(host="relay.example.test", port=server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def test_a_letter_is_handed_over_with_its_dots_and_its_dsn_request() -> None:
    answers = (
        b"220 hi\r\n",
        HELLO,
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"354 go\r\n",
        b"250 2.0.0 taken\r\n",
        b"221 bye\r\n",
    )
    async with scripted(*answers) as (script, next_hop):
        attempt = await hand_over(LETTER, "submission.example.test", next_hop)
    assert attempt.is_accepted
    assert str(attempt.reply) == "250 2.0.0 taken"
    assert script.heard[:4] == [
        b"EHLO submission.example.test\r\n",
        b"MAIL FROM:<prober@example.test> ENVID=a+2Bb\r\n",
        b"RCPT TO:<late@example.test> NOTIFY=FAILURE\r\n",
        b"DATA\r\n",
    ]
    assert script.data == b"..first\r\n...second\r\nlone\n.lf\r\n..\r\n.\r\n"


async def test_dsn_is_not_asked_of_those_who_do_not_offer_it() -> None:
    async with scripted(b"220 hi\r\n", b"250 relay\r\n", b"550 5.7.1 no\r\n") as (script, next_hop):
        await hand_over(LETTER, "submission.example.test", next_hop)
    assert script.heard[1] == b"MAIL FROM:<prober@example.test>\r\n"


async def test_a_refusal_is_told_with_its_command() -> None:
    answers = (b"220 hi\r\n", HELLO, b"250 ok\r\n", b"550-5.1.1 nobody\r\n550 5.1.1 here\r\n")
    async with scripted(*answers) as (_, next_hop):
        attempt = await hand_over(LETTER, "submission.example.test", next_hop)
    assert not attempt.is_accepted
    assert attempt.reply.is_permanent
    assert (attempt.host, attempt.stage, attempt.reply.enhanced) == (
        "relay.example.test",
        "RCPT TO command",
        "5.1.1",
    )


@pytest.mark.parametrize(
    "answers",
    [
        (b"",),
        (b"hello you\r\n",),
        (b"220 " + b"x" * 10_000,),
        (b"220-more\r\n" * 60, b""),
        (b"220 hi\r\n", HELLO, b"250 ok\r\n", b"25"),
    ],
    ids=["silence", "no code", "long line", "no end", "cut"],
)
async def test_a_host_that_makes_no_sense_is_a_temporary_failure(
    answers: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "_DEADLINE_SECONDS", 0.2)
    async with scripted(*answers) as (_, next_hop):
        attempt = await hand_over(LETTER, "submission.example.test", next_hop)
    assert attempt.reply.is_temporary
    assert attempt.stage == "connection"


async def test_a_port_where_nobody_listens_is_a_temporary_failure() -> None:
    async with scripted() as (_, next_hop):
        pass
    attempt = await hand_over(LETTER, "submission.example.test", next_hop)
    assert (attempt.reply.code, attempt.stage) == (451, "connection")

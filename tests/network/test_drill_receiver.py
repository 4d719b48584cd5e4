"""The receiver on a real socket: what it takes, what it refuses, and that nothing of it lasts or grows."""

import asyncio
import contextlib
import logging
import socket
import ssl

import pytest

from smtp_probe.errors import ReceiverError
from smtp_probe.model import Manner
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.drill_receiver import DrillReceiver, Limits
from tests.acceptance.daemon import free_port

OURS = "drill@drill.example.org"


class Takes:
    """Takes mail for one address, and keeps what it heard."""

    def __init__(self):
        self.visits = []
        self.messages = []
        self.ehlo_names = []
        self.tls = []

    def came(self, visit):
        self.visits.append(visit)

    def take_recipient(self, visit, address):
        self.ehlo_names.append(visit.ehlo_name)
        self.tls.append(visit.tls)
        if address == "broken@drill.example.org":
            raise ZeroDivisionError
        return "250 2.1.5 Taken" if address == OURS else "550 5.7.1 No"

    def take_message(self, visit, recipients, content):
        self.messages.append((recipients, content))
        return "250 2.0.0 Taken"


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def read(self):
        async with asyncio.timeout(5):
            while True:
                line = await self.reader.readline()
                if line[3:4] != b"-":
                    return line[:3].decode()

    async def say(self, line):
        self.writer.write(line + b"\r\n")
        return await self.read()

    async def is_cut(self):
        async with asyncio.timeout(5):
            try:
                return not await self.reader.read()
            except ConnectionError:
                return True


@contextlib.asynccontextmanager
async def receiving(manner=Manner.SERVE, *, port=None, **limits):
    port, takes = port or free_port(), Takes()
    receiver = DrillReceiver(
        "127.0.0.1", port, "probe.test", takes, ReferenceClock(), manner=manner, limits=Limits(**limits)
    )
    await receiver.open()
    writers = []

    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return Client(reader, writer)

    try:
        yield takes, connect, receiver
    finally:
        await receiver.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def test_it_takes_what_it_is_told_to_take_and_nothing_else():
    async with receiving() as (takes, connect, _):
        client = await connect()
        assert await client.read() == "220"
        assert await client.say(b"EHLO mail.example.org") == "250"
        assert await client.say(b"MAIL FROM:<a@example.org>") == "250"
        assert await client.say(b"RCPT TO:<stranger@example.org>") == "550"
        assert await client.say(b"DATA") == "503"
        assert await client.say(b"RCPT TO:<drill@drill.example.org>") == "250"
        assert await client.say(b"DATA") == "354"
        assert await client.say(b"Subject: x\r\n\r\n..dot\r\n.") == "250"
        assert await client.say(b"QUIT") == "221"

    assert takes.messages == [((OURS,), b"Subject: x\r\n\r\n.dot\r\n")]
    assert takes.ehlo_names == ["mail.example.org"] * 2
    assert [visit.peer for visit in takes.visits] == ["127.0.0.1"]


async def test_starttls_is_offered_and_the_session_goes_on_behind_it():
    async with receiving() as (takes, connect, _):
        client = await connect()
        assert await client.read() == "220"
        assert await client.say(b"EHLO mx.example.net") == "250"
        assert await client.say(b"STARTTLS") == "220"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await client.writer.start_tls(context)
        assert client.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        for line, code in (
            (b"EHLO mx.example.net", "250"),
            (b"STARTTLS", "503"),
            (b"MAIL FROM:<a@example.net>", "250"),
            (f"RCPT TO:<{OURS}>".encode(), "250"),
            (b"DATA", "354"),
            (b"Subject: x\r\n\r\ny\r\n.", "250"),
            (b"QUIT", "221"),
        ):
            assert await client.say(line) == code, line

    assert (len(takes.visits), takes.tls) == (1, ["TLSv1.3"])
    assert [recipients for recipients, _ in takes.messages] == [(OURS,)]


async def test_commands_behind_starttls_in_clear_are_not_taken():
    """Not what is known as CVE-2021-38371 and its kin: what was injected before the handshake is dropped."""
    async with receiving() as (takes, connect, _):
        client = await connect()
        assert await client.read() == "220"
        assert await client.say(b"EHLO mx.example.net") == "250"
        injected = f"MAIL FROM:<a@example.net>\r\nRCPT TO:<{OURS}>".encode()
        assert await client.say(b"STARTTLS\r\n" + injected) == "220"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await client.writer.start_tls(context)
        assert await client.say(b"EHLO mx.example.net") == "250"
        assert await client.say(b"DATA") == "503"

    assert takes.messages == []


async def test_a_handshake_that_fails_ends_that_session_alone():
    async with receiving() as (_, connect, _receiver):
        broken, whole = await connect(), await connect()
        assert [await broken.read(), await whole.read()] == ["220", "220"]
        assert await broken.say(b"EHLO x") == "250"
        assert await broken.say(b"STARTTLS") == "220"
        broken.writer.write(b"this is no handshake\r\n")
        assert await broken.is_cut()
        assert await whole.say(b"NOOP") == "250"


@pytest.mark.parametrize("line", [b"AUTH PLAIN AGEAYg==", b"AUTH LOGIN", b"ETRN x", b"\xff\xfe", b"X" * 4000])
async def test_what_it_does_not_offer_it_refuses(line):
    async with receiving() as (_, connect, _receiver):
        client = await connect()
        await client.read()
        await client.say(b"EHLO x")
        assert (await client.say(line))[0] in "45"
        assert await client.say(b"NOOP") == "250"


async def test_a_message_that_is_too_large_is_not_kept():
    async with receiving() as (takes, connect, _):
        client = await connect()
        await client.read()
        for line in (b"EHLO x", b"MAIL FROM:<a@example.org>", b"RCPT TO:<drill@drill.example.org>", b"DATA"):
            await client.say(line)
        assert await client.say((b"x" * 70 + b"\r\n") * 1000 + b".") == "552"
        assert takes.messages == []


async def test_commands_without_end_end_the_session():
    async with receiving() as (_, connect, _receiver):
        client = await connect()
        await client.read()
        said = [await client.say(b"NOOP") for _ in range(21)]
        assert said[-1] == "421"
        assert await client.is_cut()


async def test_a_session_is_cut_at_its_end_whatever_it_does():
    async with receiving(session_seconds=0.2) as (_, connect, _receiver):
        idle = await connect()
        assert await idle.read() == "220"
        assert await idle.is_cut()


async def test_connections_are_bounded_at_once_and_by_the_minute():
    async with receiving(most_connections=2, most_per_minute=4) as (takes, connect, _):
        first, second, third = [await connect() for _ in range(3)]
        assert [await client.read() for client in (first, second, third)] == ["220", "220", "421"]
        await first.say(b"QUIT")
        assert await first.is_cut()
        fourth, fifth = await connect(), await connect()
        assert [await fourth.read(), await fifth.read()] == ["220", "421"]
        assert len(takes.visits) == 3


async def test_closing_cuts_everybody_and_frees_the_place():
    async with receiving() as (_, connect, receiver):
        client = await connect()
        await client.read()
        await receiver.close()
        assert await client.is_cut()
        with pytest.raises(OSError, match="refused|Connect call failed"):
            await connect()
        await receiver.open()
        assert await (await connect()).read() == "220"


@pytest.mark.parametrize(
    "turns", [0, 1, 3, 4]
)  # at 2 asyncio itself drops the socket, unclosed until it is collected
async def test_who_is_let_in_while_it_closes_is_cut_as_well(turns):
    port = free_port()
    async with receiving(Manner.TARPIT, port=port) as (_, _connect, receiver):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            await receiver.close()
            await asyncio.sleep(0.01)
            with contextlib.suppress(ConnectionError):
                while client.recv(1000):
                    pass


async def test_a_place_that_is_taken_is_told():
    async with receiving() as (_, _connect, receiver):
        address, port = receiver._place
        another = DrillReceiver(address, port, "x", Takes(), ReferenceClock())
        with pytest.raises(ReceiverError, match=f"nothing can listen on 127.0.0.1 port {port}"):
            await another.open()
        await another.close()


async def test_a_fault_of_ours_is_logged_and_not_told_to_strangers(caplog):
    async with receiving() as (_, connect, _receiver):
        client = await connect()
        await client.read()
        await client.say(b"EHLO x")
        await client.say(b"MAIL FROM:<a@example.org>")
        assert await client.say(b"RCPT TO:<broken@drill.example.org>") == "451"
    assert "a session of the receiver failed by our own fault" in caplog.text


async def test_no_command_of_a_stranger_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    async with receiving() as (_, connect, _receiver):
        client = await connect()
        await client.read()
        await client.say(b"EHLO x")
        await client.say(b"MAIL FROM:<spt1-secret@example.org>")
    assert "spt1-secret" not in caplog.text


async def test_unavailable_says_421_and_hangs_up():
    async with receiving(Manner.UNAVAILABLE) as (takes, connect, _):
        client = await connect()
        assert await client.read() == "421"
        assert await client.is_cut()
        assert len(takes.visits) == 1


async def test_silent_says_nothing_and_is_cut_in_the_end():
    async with receiving(Manner.SILENT, hold_seconds=0.3) as (takes, connect, _):
        client = await connect()
        client.writer.write(b"EHLO x\r\n")
        async with asyncio.timeout(3):
            with contextlib.suppress(ConnectionError):
                assert await client.reader.read() == b""
        assert len(takes.visits) == 1


async def test_the_tarpit_drips_a_greeting_that_does_not_end():
    async with receiving(Manner.TARPIT, hold_seconds=0.4) as (_, connect, _receiver):
        client = await connect()
        lines = [await asyncio.wait_for(client.reader.readline(), 3) for _ in range(3)]
        assert {line[:4] for line in lines} == {b"220-"}
        async with asyncio.timeout(3):
            with contextlib.suppress(ConnectionError):
                assert set(await client.reader.read()) <= set(b"220-one moment, please\r\n")

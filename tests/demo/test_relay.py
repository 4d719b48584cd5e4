"""One host from outside: what it says to a client that speaks SMTP line by line."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_probe.demo.carrier import Carrier
from smtp_probe.demo.certificates import make_certificates
from smtp_probe.demo.dialects import DOVECOT, EXCHANGE, EXIM
from smtp_probe.demo.host import Host
from smtp_probe.demo.letter import DsnRequest
from smtp_probe.demo.relay import Relay
from smtp_probe.demo.scenarios import HopName
from tests.demo.plain_clients import wait_until
from tests.demo.stage import Onward, at_once, make_host

BEHAVIOURS = [at_once(name) for name in ("on-time", "junked", "bounced", "greylisted")]


class Smtp:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        lines = ""
        while not re.search(r"(?m)^\d{3}(?: |$)", lines):
            lines += (await asyncio.wait_for(self.reader.readuntil(b"\n"), 5)).decode()
        return lines.rstrip("\r\n")

    async def say(self, line: str) -> str:
        self.writer.write(line.encode("latin-1") + b"\r\n")
        return await self.reply()

    async def send(
        self, recipient: str, body: str = "Subject: x\r\n\r\nbody", sender: str = "a@b.example"
    ) -> str:
        await self.say(f"MAIL FROM:<{sender}>")
        await self.say(f"RCPT TO:<{recipient}>")
        await self.say("DATA")
        return await self.say(f"{body}\r\n.")


@asynccontextmanager
async def connected(port: int, hello: str = "EHLO client.example") -> AsyncIterator[Smtp]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Smtp(reader, writer)
    try:
        await client.reply()
        await client.say(hello)
        yield client
    finally:
        writer.close()


@asynccontextmanager
async def running(host: Host, onward: Onward) -> AsyncIterator[int]:
    relay = Relay(host, Carrier(host, onward))
    try:
        yield await relay.start()
    finally:
        await relay.close()


@pytest.fixture
def onward() -> Onward:
    return Onward()


@pytest.fixture
async def relay_port(onward: Onward) -> AsyncIterator[int]:
    async with running(make_host(HopName.RELAY, BEHAVIOURS, dialect=EXIM), onward) as port:
        yield port


@pytest.fixture
async def filter_port(onward: Onward) -> AsyncIterator[int]:
    async with running(make_host(HopName.FILTER, BEHAVIOURS, dialect=EXCHANGE), onward) as port:
        yield port


async def test_a_message_is_stamped_and_handed_on(relay_port: int, onward: Onward) -> None:
    async with connected(relay_port) as client:
        reply = await client.send("on-time@example.test")
    await wait_until(lambda: len(onward.letters) == 1)
    queue_id = reply.removeprefix("250 OK id=")
    assert f"id {queue_id}\r\n".encode() in onward.letters[0].content
    assert onward.letters[0].content.endswith(b"Subject: x\r\n\r\nbody\r\n")


async def test_the_dsn_request_goes_with_the_letter(relay_port: int, onward: Onward) -> None:
    async with connected(relay_port) as client:
        await client.say("MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=aB+2Bc")
        await client.say("RCPT TO:<on-time@example.test> NOTIFY=FAILURE ORCPT=rfc822;x@b.example")
        await client.say("DATA")
        await client.say("Subject: x\r\n\r\n.")
        await client.say("MAIL FROM:<a@b.example>")
        await client.say("RCPT TO:<on-time@example.test>")
        await client.say("DATA")
        await client.say("Subject: y\r\n\r\n.")
    await wait_until(lambda: len(onward.letters) == 2)
    first, second = (
        letter.dsn for letter in sorted(onward.letters, key=lambda letter: b"Subject: y" in letter.content)
    )
    assert first == DsnRequest(envid="aB+2Bc", ret="HDRS", notify="FAILURE", orcpt="rfc822;x@b.example")
    assert second == DsnRequest()


async def test_what_a_refused_command_asked_for_is_forgotten(relay_port: int, onward: Onward) -> None:
    async with connected(relay_port) as client:
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=99999999 ENVID=first RET=FULL")).startswith(
            "552"
        )
        await client.send("on-time@example.test")
    await wait_until(lambda: len(onward.letters) == 1)
    assert onward.letters[0].dsn == DsnRequest()


async def test_a_host_without_users_offers_no_login(onward: Onward, tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["relay.example.test"], datetime(2026, 11, 23, tzinfo=UTC))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.certificate_file, files.key_file)
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    host = replace(make_host(HopName.RELAY, BEHAVIOURS), tls=tls)
    async with running(host, onward) as port, connected(port) as client:
        await client.say("STARTTLS")
        await client.writer.start_tls(unchecked)
        offered = await client.say("EHLO client.example")
    assert "250-DSN" in offered
    assert "AUTH" not in offered
    assert "STARTTLS" not in offered


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MAIL FROM:<a@b.example> ENVID=+2g", "501"),
        ("MAIL FROM:<a@b.example> NOTIFY=NEVER", "555"),
        ("MAIL FROM:<a@b.example> SIZE=99999999", "552"),
        ('MAIL FROM:<"a\r b"@b.example>', "553"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<on-time@example.test>", "503"),
        ("AUTH PLAIN AGEAYg==", "538"),
    ],
)
async def test_what_is_wrong_in_a_command_is_refused(relay_port: int, line: str, code: str) -> None:
    async with connected(relay_port) as client:
        assert (await client.say(line)).startswith(code)


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ("on-time@example.test", "250"),
        ("bounced@example.test", "550"),
        ("nobody@example.test", "550"),
        ("somebody@example.org", "550"),
        ("on-time%example.org@example.test", "550"),
        ("@example.org:on-time@example.test", "250"),  # a source route is ignored (RFC 5321 section 4.1.1.3)
    ],
)
async def test_only_residents_are_taken(relay_port: int, recipient: str, code: str) -> None:
    async with connected(relay_port) as client:
        await client.say("MAIL FROM:<a@b.example>")
        assert (await client.say(f"RCPT TO:<{recipient}>")).startswith(code)


async def test_one_recipient_at_a_time(relay_port: int) -> None:
    async with connected(relay_port) as client:
        await client.say("MAIL FROM:<a@b.example>")
        await client.say("RCPT TO:<on-time@example.test>")
        assert (await client.say("RCPT TO:<junked@example.test>")).startswith("452 4.5.3")


async def test_the_filter_greylists_once_for_each_message(filter_port: int) -> None:
    async with connected(filter_port) as client:
        codes = []
        for _ in range(4):
            await client.say("MAIL FROM:<a@b.example>")
            codes.append((await client.say("RCPT TO:<greylisted@example.test>"))[:3])
            await client.say("RSET")
    assert codes == ["451", "250", "451", "250"]


async def test_two_messages_that_wait_at_the_same_time_are_each_greylisted_once(filter_port: int) -> None:
    async with connected(filter_port) as client:
        codes = []
        for envid in ("first", "second", "first", "second"):
            await client.say(f"MAIL FROM:<a@b.example> ENVID={envid}")
            codes.append((await client.say("RCPT TO:<greylisted@example.test>"))[:3])
            await client.say("RSET")
    assert codes == ["451", "451", "250", "250"]


async def test_the_filter_marks_spam(filter_port: int, onward: Onward) -> None:
    async with connected(filter_port) as client:
        await client.send("junked@example.test")
        await client.send("on-time@example.test")
    await wait_until(lambda: len(onward.letters) == 2)
    marked = {letter.recipient: b"X-Spam-Flag: YES" in letter.content for letter in onward.letters}
    assert marked == {"junked@example.test": True, "on-time@example.test": False}


async def test_the_store_speaks_lmtp_and_names_the_session_again(onward: Onward) -> None:
    async with (
        running(make_host(HopName.STORE, BEHAVIOURS, dialect=DOVECOT), onward) as port,
        connected(port, "LHLO filter.example.test") as client,
    ):
        assert (await client.say("EHLO filter.example.test")).startswith("500")
        first = (await client.send("on-time@example.test")).split()[3]
        second = (await client.send("on-time@example.test")).split()[3]
    assert len(first) == 22
    assert second.endswith(":T2")
    assert onward.letters[0].content.startswith(
        b"Return-Path: <a@b.example>\r\nDelivered-To: recipient@example.test\r\nReceived: from filter.example.test"
    )


async def test_a_name_that_could_break_a_header_is_not_copied(relay_port: int, onward: Onward) -> None:
    async with connected(relay_port, "EHLO evil)\rReceived: (x") as client:
        await client.send("on-time@example.test")
    await wait_until(lambda: len(onward.letters) == 1)
    assert b"evil" not in onward.letters[0].content
    assert b"helo=unknown" in onward.letters[0].content


async def test_a_mail_that_goes_in_circles_is_refused(relay_port: int) -> None:
    async with connected(relay_port) as client:
        reply = await client.send(
            "on-time@example.test", "Subject: x\r\n" + "Received: again\r\n" * 31 + "\r\nbody"
        )
    assert reply.startswith("554 5.4.6")


async def test_a_mail_that_is_too_big_is_refused(relay_port: int, onward: Onward) -> None:
    async with connected(relay_port) as client:
        reply = await client.send("on-time@example.test", "Subject: x\r\n\r\n" + ("y" * 900 + "\r\n") * 1300)
    assert reply.startswith("552")
    assert onward.letters == []


async def test_too_many_clients_are_cut_off(relay_port: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(50):
            await stack.enter_async_context(connected(relay_port))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await stack.enter_async_context(connected(relay_port))


async def test_closing_cuts_clients_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    host = make_host(HopName.RELAY, BEHAVIOURS)
    relay = Relay(host, Carrier(host, Onward()))
    async with connected(await relay.start()) as client:
        await client.say("MAIL FROM:<a@b.example>")
        await asyncio.wait_for(relay.close(), 2)
        assert await client.reader.read() == b""
    await wait_until(lambda: asyncio.all_tasks() <= before)

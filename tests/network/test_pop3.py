"""A maildrop as a watcher sees it, on a small server that keeps to RFC 1939; the real one is in tests/acceptance."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import ConfigError, MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.pop3 import Pop3Connector
from smtp_probe.ports import MailboxConnector
from tests.network.submitting import FixedResolver

SECRET = "hunter2secret"


class Maildrop:
    """Messages by unique id; deleted at QUIT only."""

    def __init__(self):
        self.messages: dict[str, bytes] = {}
        self.logins = 0
        self.verbs: list[bytes] = []
        self.drops_at: bytes | None = None
        self.port = 0

    def put(self, unique: str, subject: str, body: bytes = b"hello\r\n"):
        self.messages[unique] = f"X-SMTP-Probe: 1\r\nSubject: {subject}\r\n\r\n".encode() + body

    async def serve(self, reader, writer):
        held, gone = list(self.messages), set()
        writer.write(b"+OK ready\r\n")
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while line := (await reader.readline()).strip():
                verb, *words = line.split()
                self.verbs.append(verb)
                if verb == self.drops_at:
                    break
                unique = held[int(words[0]) - 1] if words and words[0].isdigit() else ""
                if verb in (b"AUTH", b"PASS"):
                    self.logins += 1
                if verb == b"UIDL":
                    lines = [f"{number} {name}" for number, name in enumerate(held, 1)]
                    writer.write("\r\n".join(["+OK", *lines, ".", ""]).encode())
                elif verb in (b"TOP", b"RETR"):
                    text = self.messages[unique]
                    shown = text.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if verb == b"TOP" else text
                    writer.write(b"+OK\r\n" + shown.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                elif verb == b"STLS":
                    writer.write(b"-ERR no such command\r\n")
                else:
                    gone |= {unique} if verb == b"DELE" else set()
                    writer.write(b"+OK\r\n")
                    if verb == b"QUIT":
                        for name in gone:
                            del self.messages[name]
                        break
        writer.transport.abort()


@pytest.fixture
async def drop():
    maildrop = Maildrop()
    server = await asyncio.start_server(maildrop.serve, "127.0.0.1", 0)
    maildrop.port = server.sockets[0].getsockname()[1]
    yield maildrop
    server.close()
    await asyncio.sleep(0)


def connector(drop, secret=lambda: SECRET, **changes):
    auth = {"username": "probe", "password_env": "UNUSED", "mechanism": changes.pop("mechanism", "plain")}
    settings = {
        "protocol": "pop3", "host": "127.0.0.1", "port": drop.port, "tls": "none", "auth": auth,
        "allow_credentials_without_tls": True, "timeouts": {"connect": 2, "command": 1}, **changes,
    }  # fmt: skip
    made: MailboxConnector = Pop3Connector(
        "inbox", Mailbox(**settings), FixedResolver("127.0.0.1"), ReferenceClock(), secret
    )
    return made


async def uids(session, first=1):
    return [message.location.uid for message in await session.fetch_since(first)]


@pytest.mark.parametrize("mechanism", ["plain", "login"])
async def test_messages_are_numbered_as_they_come_and_keep_their_numbers(drop, mechanism):
    drop.put("a", "one")
    opened = connector(drop, mechanism=mechanism)
    session = await opened.open()
    (folder,) = await session.folders()
    state = await session.select(folder)
    assert (state.uidnext, state.exists) == (2, 1)
    assert await uids(session) == [1]
    drop.put("b", "two")
    assert await session.poll()
    assert await uids(session, 2) == [2]
    assert session.is_at_end
    assert not await session.poll()
    del drop.messages["a"]
    drop.put("c", "three")

    again = await opened.open()
    assert await uids(again) == [2, 3]
    assert (await again.select(folder)).uidvalidity == state.uidvalidity


async def test_a_maildrop_is_looked_over_without_touching_it(drop):
    drop.put("a", "one")
    drop.put("b", "two")
    seen = await connector(drop).survey()

    assert [(folder.name, folder.messages, folder.rights) for folder in seen.folders] == [("INBOX", 2, None)]
    assert (seen.quotas, seen.clock) == (None, None)
    assert set(drop.messages) == {"a", "b"}


async def test_a_message_is_shown_by_its_header_and_its_text_on_demand(drop):
    drop.put("a", "one", b".hidden dot\r\nlast\r\n")
    session = await connector(drop).open()
    (message,) = await session.fetch([1, 9])

    assert b"Subject: one\r\n" in message.header
    assert message.internaldate_ns is None
    assert await session.fetch_text(1, 1000) == b".hidden dot\r\nlast\r\n"
    assert await session.fetch_text(1, 4) == b".hid"
    assert await session.fetch_text(9, 1000) == b""


async def test_only_what_is_named_is_deleted(drop):
    for unique in "abc":
        drop.put(unique, unique)
    session = await connector(drop).open()
    await session.remove([2, 77])
    assert list(drop.messages) == ["a", "c"]

    kept = await connector(drop, after_judgement="keep").open()
    await kept.remove([1])
    assert list(drop.messages) == ["a", "c"]


async def test_nothing_is_deleted_by_a_connection_that_breaks(drop):
    drop.put("a", "a")
    session = await connector(drop).open()
    drop.drops_at = b"QUIT"
    with pytest.raises(MailboxError) as caught:
        await session.remove([1])

    assert caught.value.cause is Cause.CONNECTION_LOST
    assert list(drop.messages) == ["a"]


async def test_ours_are_found_by_their_header_with_one_login(drop):
    drop.put("a", "a probe")
    drop.messages["b"] = b"Subject: other\r\n\r\n"
    session = await connector(drop).open()
    before = drop.logins

    assert await session.search_header("X-SMTP-Probe", "") == [1]
    assert await session.search_header("Subject", "PROBE") == [1]
    assert drop.logins == before + 1


async def test_idle_looks_now_and_then_and_ends_when_it_is_woken(drop, monkeypatch):
    monkeypatch.setattr("smtp_probe.network.pop3._LOOK_SECONDS", 0.05)
    session = await connector(drop).open()
    assert not await session.idle(0.12)
    asyncio.get_running_loop().call_later(0.05, drop.put, "a", "one")
    assert await session.idle(5)
    await uids(session)
    asyncio.get_running_loop().call_later(0.01, session.wake)
    assert await session.idle(5)


async def test_without_tls_no_password_is_sent(drop):
    """Nor a name, nor anything else after the STLS that was refused."""
    with pytest.raises(MailboxError, match="STARTTLS is not offered"):
        await connector(drop, tls="starttls", allow_credentials_without_tls=False).open()

    assert drop.verbs == [b"STLS"]


async def test_what_fails_is_told_by_its_step(drop):
    def missing():
        raise ConfigError(())

    for changes, stage, cause in (
        ({"secret": missing}, "login", Cause.CREDENTIAL),
        ({"tls": "starttls"}, "starttls", Cause.STARTTLS_NOT_OFFERED),
        ({"tls": "implicit"}, "tls", Cause.TLS_FAILED),
        ({"port": 1}, "connect", Cause.CONNECT_REFUSED),
    ):
        with pytest.raises(MailboxError) as caught:
            await connector(drop, **changes).open()
        assert (caught.value.stage, caught.value.cause) == (stage, cause)
        assert SECRET not in str(caught.value)

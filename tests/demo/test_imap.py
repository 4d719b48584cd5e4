"""The mailboxes alone, seen by a client that reads line by line."""

from __future__ import annotations

import asyncio
import imaplib
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_probe.demo.certificates import CertificateFiles, make_certificates
from smtp_probe.demo.imap import INBOX, JUNK, MailStore
from smtp_probe.network.clock import ReferenceClock
from tests.demo.plain_clients import RawImap, open_imap, wait_until

USER, PASSWORD = "user@example.test", "secret-of-the-test"
OTHER = "other@example.test"
STORED_NS = 1_795_460_404 * 10**9
MESSAGE = b"Subject: hello\r\nMessage-ID: <1@example.test>\r\n\r\nbody\r\n"


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return make_certificates(
        tmp_path, ["imap.example.test"], datetime.fromtimestamp(ReferenceClock().now_ns() // 10**9, UTC)
    )


@pytest.fixture
async def store(files: CertificateFiles) -> AsyncIterator[MailStore]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.certificate_file, files.key_file)
    store = MailStore({USER: PASSWORD, OTHER: PASSWORD}, tls)
    yield store
    await store.close()


@asynccontextmanager
async def client_of(port: int, user: str = USER) -> AsyncIterator[RawImap]:
    async with open_imap(port, user, PASSWORD) as client:
        await client.say("s SELECT INBOX", "s OK")
        yield client


async def test_a_client_that_idles_is_told_at_once(store: MailStore) -> None:
    async with client_of(await store.start()) as client:
        await client.say("i IDLE", "+")
        put = time.monotonic()
        await store.put(USER, INBOX, MESSAGE, STORED_NS)
        assert await client.line() == "* 1 EXISTS"
        assert time.monotonic() - put < 2


async def test_a_client_that_begins_to_idle_is_told_what_it_does_not_know_yet(store: MailStore) -> None:
    async with client_of(await store.start()) as client:
        await store.put(USER, INBOX, MESSAGE, STORED_NS)
        assert (await client.say("i IDLE", "* 1 EXISTS"))[0].startswith("+")


async def test_a_burst_is_told_to_its_last_message(store: MailStore) -> None:
    async with client_of(await store.start()) as client:
        await client.say("i IDLE", "+")
        for _ in range(20):
            await store.put(USER, INBOX, MESSAGE, STORED_NS)
            await asyncio.sleep(0)
        lines = [await client.line()]
        while lines[-1] != "* 20 EXISTS":
            lines.append(await client.line())


async def test_the_internaldate_is_that_of_the_store_s_clock(store: MailStore) -> None:
    port = await store.start()
    await store.put(USER, INBOX, MESSAGE, STORED_NS)
    async with client_of(port) as client:
        lines = await client.say("f FETCH 1 (INTERNALDATE RFC822.SIZE)", "f OK")
    assert lines[0] == f'* 1 FETCH (INTERNALDATE "23-Nov-2026 19:00:04 +0000" RFC822.SIZE {len(MESSAGE)})'


async def test_users_have_a_junk_folder_and_see_their_own_mail_only(store: MailStore) -> None:
    port = await store.start()
    await store.put(OTHER, JUNK, MESSAGE, STORED_NS)
    async with client_of(port, OTHER) as client:
        assert "MESSAGES 1" in (await client.say("t STATUS Junk (MESSAGES)", "t OK"))[0]
    async with client_of(port) as client:
        assert "MESSAGES 0" in (await client.say("t STATUS Junk (MESSAGES)", "t OK"))[0]


@pytest.mark.slow
async def test_a_folder_forgets_its_oldest_messages(store: MailStore) -> None:
    port = await store.start()
    for _ in range(503):
        await store.put(USER, INBOX, MESSAGE, STORED_NS)
    async with open_imap(port, USER, PASSWORD) as client:
        lines = await client.say("s SELECT INBOX", "s OK")
        assert "* 500 EXISTS" in lines
        assert await client.say("u UID SEARCH UID 1:104", "u OK") == [
            "* SEARCH 104",
            "u OK UID SEARCH completed.",
        ]


async def test_no_message_is_given_under_the_uid_of_another(store: MailStore) -> None:
    """While others remove, and more comes."""
    port = await store.start()
    for number in (1, 2, 3):
        await store.put(USER, INBOX, MESSAGE.replace(b"hello", b"%d" % number), STORED_NS)
    async with client_of(port) as reading, client_of(port) as removing:
        await removing.say("d UID STORE 101 +FLAGS.SILENT (\\Deleted)", "d OK")
        await removing.say("e EXPUNGE", "e OK")
        await store.put(USER, INBOX, MESSAGE.replace(b"hello", b"4"), STORED_NS)
        fetch = "UID FETCH 102:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        said = " ".join(await reading.say(f"f {fetch}", "f OK") + await reading.say(f"g {fetch}", "g OK"))

    given = {(int(uid), int(subject)) for uid, subject in re.findall(r"UID (\d+) .{,80}?Subject: (\d)", said)}
    assert given == {(102, 2), (103, 3), (104, 4)}


async def test_a_folder_that_a_client_makes_tells_idlers_too(store: MailStore) -> None:
    async with client_of(await store.start()) as client:
        await client.say("c CREATE Archive", "c OK")
        await client.say("s SELECT Archive", "s OK")
        await store.put(USER, "Archive", MESSAGE, STORED_NS)
        await client.say("i IDLE", "* 1 EXISTS")


def _log_in_over_tls(port: int, files: CertificateFiles) -> tuple[str | None, str]:
    with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
        client.host = "imap.example.test"
        client.starttls(ssl.create_default_context(cafile=files.ca_file))
        client.login(USER, PASSWORD)
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.version(), client.noop()[0]


async def test_starttls_works(
    store: MailStore, files: CertificateFiles, caplog: pytest.LogCaptureFixture
) -> None:
    port = await store.start()
    assert await asyncio.to_thread(_log_in_over_tls, port, files) == ("TLSv1.3", "OK")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_wrong_password_is_refused(store: MailStore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", await store.start())
    client = RawImap(reader, writer)
    await client.line()
    lines = await client.say(f"a LOGIN {USER} wrong", "a ")
    assert lines[-1].startswith("a NO")
    writer.transport.abort()


@pytest.mark.slow
async def test_too_many_clients_are_cut_off(store: MailStore) -> None:
    port = await store.start()
    async with AsyncExitStack() as stack:
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readuntil(b"\n"), 5)


async def test_closing_says_bye_and_leaves_no_task(store: MailStore) -> None:
    before = asyncio.all_tasks()
    async with client_of(await store.start()) as client:
        await client.say("i IDLE", "+")
        began = time.monotonic()
        await store.close()
        assert time.monotonic() - began < 2
        assert (await client.line()).startswith("* BYE")
    await wait_until(lambda: asyncio.all_tasks() <= before)

"""Opening a mailbox from its settings: everything that can be in the way, and a real server at the end."""

import asyncio
import socket
import time

import pytest

from smtp_probe.config.settings import ResolverSettings, TlsOptions
from smtp_probe.demo.imap import MailStore
from smtp_probe.errors import ConfigError, ConfigProblem, MailboxError, ResolverError
from smtp_probe.model import Cause, MailboxMessage, Placement
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.mailbox import ImapConnector
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.ports import MailboxConnector, WatchedFolder
from tests.network.hostile_imap import (
    CAPABILITIES,
    LOGIN,
    SECRET,
    LocalResolver,
    connector_to,
    hostile_imap,
    mailbox_settings,
    session_to,
)

NS = 1_000_000_000


async def fail_to_open(connector):
    with pytest.raises(MailboxError) as caught:
        await connector.open()
    return caught.value


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Getting there.


@pytest.mark.parametrize("cause", [Cause.NO_SUCH_HOST, Cause.RESOLVER_FAILED])
async def test_a_host_that_cannot_be_looked_up(cause):
    resolver = LocalResolver(error=ResolverError("resolve", cause, detail="no answer"))
    error = await fail_to_open(connector_to(143, resolver=resolver))

    assert (error.stage, error.cause) == ("resolve", cause)


async def test_a_resolver_that_never_answers():
    class Silent:
        async def addresses(self, host, family):
            await asyncio.sleep(60)

    error = await fail_to_open(connector_to(143, resolver=Silent(), timeouts={"connect": 0.1}))

    assert (error.stage, error.cause) == ("resolve", Cause.RESOLVER_FAILED)


async def test_refused():
    error = await fail_to_open(connector_to(free_port()))

    assert (error.stage, error.cause) == ("connect", Cause.CONNECT_REFUSED)


async def test_a_black_hole_is_a_timeout():
    with socket.socket() as listener:  # its queue is full: the kernel drops further SYNs
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        started = time.perf_counter()
        error = await fail_to_open(connector_to(port, timeouts={"connect": 0.3}))
        for filler in fillers:
            filler.close()

    assert (error.stage, error.cause) == ("connect", Cause.CONNECT_TIMEOUT)
    assert time.perf_counter() - started < 2


async def test_the_next_address_is_tried():
    async with (
        hostile_imap(LOGIN) as server,
        session_to(server.port, resolver=LocalResolver("127.0.0.9", "127.0.0.1")) as session,
    ):
        assert session.is_open


async def test_the_source_address_is_used():
    peers = []
    script = [lambda session: peers.append(session.writer.get_extra_info("peername")[0]), LOGIN]
    async with (
        hostile_imap(script) as server,
        session_to(server.port, source_address="127.0.0.7"),
    ):
        assert peers == ["127.0.0.7"]


async def test_a_source_address_that_is_not_ours():
    error = await fail_to_open(connector_to(143, source_address="192.0.2.1"))

    assert (error.stage, error.cause) == ("connect", Cause.LOCAL_ADDRESS)


async def test_an_address_as_host_and_the_real_resolver():
    async with hostile_imap(LOGIN) as server:
        settings = mailbox_settings(server.port, host="127.0.0.1", address_family="ipv4")
        resolver = DnsResolver(ResolverSettings(nameservers=("127.0.0.1",)))
        connector: MailboxConnector = ImapConnector("x", settings, resolver, ReferenceClock(), lambda: SECRET)
        session = await connector.open()
        await session.close()
        await resolver.close()


# Credentials.


async def test_the_secret_is_read_at_each_login():
    secrets = iter(["first", "second"])
    login = 'S: * OK [CAPABILITY IMAP4rev1] hi\nC: LOGIN "watcher" {}$\nS: {{tag}} OK [CAPABILITY X] in'
    auth = {"auth": {"mechanism": "login", "username": "watcher", "password_env": "UNUSED"}}
    async with hostile_imap(login.format('"first"'), login.format('"second"')) as server:
        settings = mailbox_settings(server.port, **auth)
        connector = ImapConnector("x", settings, LocalResolver(), ReferenceClock(), lambda: next(secrets))
        for _ in range(2):
            session = await connector.open()
            await session.close()


@pytest.mark.parametrize(
    "problem", [ConfigError((ConfigProblem("the file is empty", "auth"),)), OSError(13, "Permission denied")]
)
async def test_a_secret_that_cannot_be_read_is_our_fault(problem):
    def read():
        raise problem

    async with hostile_imap(f"S: * OK [CAPABILITY {CAPABILITIES}] hi") as server:
        settings = mailbox_settings(server.port)
        error = await fail_to_open(ImapConnector("x", settings, LocalResolver(), ReferenceClock(), read))

    assert (error.stage, error.cause) == ("login", Cause.CREDENTIAL)
    assert server.received == []


async def test_a_server_that_wants_a_login_where_none_is_configured():
    async with hostile_imap(f"S: * OK [CAPABILITY {CAPABILITIES}] hi") as server:
        error = await fail_to_open(connector_to(server.port, auth=None))

    assert (error.stage, error.cause) == ("login", Cause.CREDENTIAL)


async def test_a_failed_open_leaves_no_connection():
    async with hostile_imap(LOGIN.splitlines()[1] + "\nC: AUTH\nS: {tag} NO no\nC: never") as server:
        await fail_to_open(connector_to(server.port))
        await asyncio.sleep(0.05)

        assert all(task.done() for task in server._tasks)


# Which stamp a server has.


@pytest.mark.parametrize(
    ("greeting", "capabilities", "more", "item"),
    [
        ("Dovecot (Debian) ready.", "IMAP4rev1", "", " X-GUID"),
        ("ready", "IMAP4rev1 X-GM-EXT-1", "", " X-GM-MSGID X-GM-LABELS"),
        ("ready", "IMAP4rev1 ID", 'C: ID NIL\nS: * ID ("name" "Dovecot")\nS: {tag} OK', " X-GUID"),
        ("ready", "IMAP4rev1 ID", 'C: ID NIL\nS: * ID ("name" "Cyrus")\nS: {tag} OK', ""),
        ("ready", "IMAP4rev1 ID", "C: ID NIL\nS: * ID NIL\nS: {tag} OK", ""),
        ("ready", "IMAP4rev1 ID", "C: ID NIL\nS: {tag} BAD no", ""),
        ("ready", "IMAP4rev1", "", ""),
    ],
)
async def test_the_best_stamp_of_each_server_is_asked_for(greeting, capabilities, more, item):
    script = f"""S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] {greeting}
C: AUTHENTICATE
S: {{tag}} OK [CAPABILITY {capabilities}] in
{more}
C: SELECT
S: * 1 EXISTS
S: * OK [UIDVALIDITY 7] x
S: * OK [UIDNEXT 2] x
S: {{tag}} OK
C: UID FETCH 1:\\* \\(UID INTERNALDATE RFC822.SIZE BODY.PEEK\\[HEADER\\]<0.65536>{item}\\)$
S: {{tag}} OK"""
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(WatchedFolder(name="INBOX", placement=Placement.INBOX))
        assert list(await session.fetch_since(1)) == []


# The ordinary path, against pymap.


class Store(MailStore):
    """The demo's mail store, with its port."""

    port = 0


@pytest.fixture
async def store(certificates):
    store = Store({"watcher": SECRET}, certificates.good)
    store.port = await store.start()
    yield store
    await store.close()


def letter(subject, size=0):
    return f"From: a@x.test\r\nSubject: {subject}\r\nX-Probe: {subject}\r\n\r\nbody {'x' * size}\r\n".encode()


async def deliver(store, subject, folder="INBOX", **parts):
    await store.put("watcher", folder, letter(subject, **parts), 1_790_000_000 * NS)


def open_store(store, certificates, **changes):
    options = TlsOptions(ca_file=certificates.ca_file)
    return session_to(store.port, tls="starttls", tls_options=options.model_dump(), junk="auto", **changes)


async def test_a_message_is_found_read_and_deleted(store, certificates):
    await deliver(store, "foreign")
    async with open_store(store, certificates) as session:
        inbox, junk = await session.folders()
        assert (junk.name, junk.placement) == ("Junk", Placement.JUNK)
        state = await session.select(inbox)
        assert state.exists == 1
        assert await session.fetch_since(state.uidnext) == []
        assert await session.poll() is False

        await deliver(store, "probe", size=3000)
        assert await session.poll() is True
        [message] = await session.fetch_since(state.uidnext)
        assert b"Subject: probe\r\n" in message.header
        assert message.internaldate_ns == 1_790_000_000 * NS
        assert message.size_bytes == len(letter("probe", size=3000))
        assert await session.fetch_text(message.location.uid, 5) == b"body "
        assert len(await session.fetch_text(message.location.uid, 10**6)) == 3007
        assert await session.search_header("X-Probe", "probe") == [message.location.uid]

        await session.remove([message.location.uid])
        assert await session.fetch([message.location.uid]) == []
        assert len(await session.fetch_since(1)) == 1


async def test_idle_tells_of_a_message_and_sleeps_otherwise(store, certificates):
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        state = await session.select(inbox)
        assert await session.idle(0.05) is False
        waiting = asyncio.create_task(session.idle(30))
        await asyncio.sleep(0.05)
        await deliver(store, "probe")
        assert await asyncio.wait_for(waiting, 5) is True
        assert len(await session.fetch_since(state.uidnext)) == 1


async def test_a_message_that_was_there_before_idle_began_is_found(store, certificates):
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        state = await session.select(inbox)
        await deliver(store, "probe")
        started = time.perf_counter()
        assert await session.idle(30) is True
        assert time.perf_counter() - started < 5
        assert len(await session.fetch_since(state.uidnext)) == 1


async def test_no_message_is_marked_as_seen(store, certificates):
    await deliver(store, "foreign")
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        await session.select(inbox)
        await session.fetch_since(1)
        [uid] = await session.search_header("X-Probe", "foreign")
        await session.fetch_text(uid, 100)
    async with open_store(store, certificates) as session:
        await session.select(inbox)
        assert await session._commands.search("UNSEEN") == [uid]


async def test_three_hundred_messages_are_read_in_batches(store, certificates):
    for number in range(300):
        await deliver(store, f"m{number}")
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        await session.select(inbox)
        seen: list[int] = []
        batches = 0
        while messages := await session.fetch_since(seen[-1] + 1 if seen else 1):
            seen += [message.location.uid for message in messages]
            batches += 1
            assert len(messages) <= 100

        assert (len(seen), batches) == (300, 3)


@pytest.mark.slow
async def test_messages_come_while_they_are_watched_and_none_is_missed(store, certificates):
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        state = await session.select(inbox)
        found: list[MailboxMessage] = []
        expected = 60

        async def deliver_all():
            for number in range(expected):
                await deliver(store, f"m{number}")
                await asyncio.sleep(0.003 * (number % 5))

        delivering = asyncio.create_task(deliver_all())
        next_uid = state.uidnext
        async with asyncio.timeout(30):
            while len(found) < expected:
                while messages := await session.fetch_since(next_uid):
                    found += messages
                    next_uid = messages[-1].location.uid + 1
                if len(found) < expected:
                    assert await session.idle(10)
        await delivering

        assert [message.header.split(b"Subject: ")[1].split(b"\r")[0] for message in found] == [
            f"m{number}".encode() for number in range(expected)
        ]


async def test_a_wrong_password_is_refused(store, certificates):
    with pytest.raises(MailboxError) as caught:
        async with open_store(store, certificates, secret="wrong"):
            pass

    assert (caught.value.stage, caught.value.cause) == ("login", Cause.AUTH_REFUSED)


async def test_the_store_stops_while_we_idle(store, certificates):
    async with open_store(store, certificates) as session:
        inbox, *_ = await session.folders()
        await session.select(inbox)
        waiting = asyncio.create_task(session.idle(30))
        await asyncio.sleep(0.05)
        await store.close()
        with pytest.raises(MailboxError) as caught:
            await asyncio.wait_for(waiting, 5)

    assert caught.value.cause is Cause.CONNECTION_LOST

"""A mailbox over JMAP as a watcher sees it, on a server that holds us to the RFC; the real one is in tests/acceptance."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Placement
from smtp_probe.network import jmap
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.jmap import JmapConnector
from smtp_probe.ports import MailboxConnector
from tests.network.jmap_server import INBOX, JUNK, SECRET, TRASH, JmapServer
from tests.network.opened import OpenedFolder, uids
from tests.network.submitting import FixedResolver


@pytest.fixture
async def server():
    made = JmapServer()
    async with TestServer(made.application()) as running:
        made.url = str(running.make_url("/"))
        yield made


def connector(server, secret=lambda: SECRET, **changes):
    auth = {"username": "probe", "password_env": "UNUSED", "mechanism": changes.pop("mechanism", "plain")}
    port = int(server.url.rstrip("/").rpartition(":")[2])
    settings = {
        "protocol": "jmap", "host": "127.0.0.1", "port": port, "tls": "none", "auth": auth,
        "allow_credentials_without_tls": True, "timeouts": {"connect": 2, "command": 2}, **changes,
    }  # fmt: skip
    made: MailboxConnector = JmapConnector(
        "m", Mailbox(**settings), FixedResolver("127.0.0.1"), ReferenceClock(), secret
    )
    return made


class Opened(OpenedFolder):
    def __init__(self, server, folder=0, made=None, **changes):
        super().__init__(made or connector(server, **changes), folder)


async def test_folders_are_found_by_their_roles_and_full_names(server):
    session = await connector(server, folders=["INBOX", "Werbung/2026"], quarantine=["Müll"]).open()
    found = await session.folders()
    assert [(each.name, each.placement) for each in found] == [
        ("INBOX", Placement.INBOX), ("Werbung/2026", Placement.INBOX), ("Werbung", Placement.JUNK),
        ("M&APw-ll", Placement.OTHER),
    ]  # fmt: skip
    await session.close()


async def test_a_mailbox_is_looked_over(server):
    server.put("a")
    seen = await connector(server).survey()
    assert [(each.name, each.messages, each.rights) for each in seen.folders] == [
        ("INBOX", 1, "rte"),
        ("Werbung", 0, "rte"),
    ]


@pytest.mark.parametrize("mechanism", ["plain", "oauthbearer"])
async def test_messages_are_numbered_as_they_come_and_keep_their_numbers(server, mechanism):
    server.put("a")
    server.put("b", mailbox=JUNK)
    opened = Opened(server, mechanism=mechanism)
    async with opened as session:
        assert (opened.state.uidnext, opened.state.exists) == (2, 1)
        assert await uids(session) == [1]
        assert not await session.poll()
        server.put("c")
        server.move("b", INBOX)
        assert await session.poll()
        assert await uids(session, 2) == [2, 3]
        assert session.is_at_end
        server.move("b", JUNK)
        server.lose("a")
        assert await uids(session) == [2]
        server.move("b", INBOX)
        assert await uids(session) == [2, 3]
    async with Opened(server, made=opened.made) as again:
        assert await uids(again) == [2, 3]
    kind = {"plain": "Basic ", "oauthbearer": "Bearer "}[mechanism]
    assert all(each.startswith(kind) for each in server.authorizations)


async def test_a_message_is_shown_as_it_is_stored(server):
    server.put("a", "grüße", body="x" * 500)
    async with Opened(server) as session:
        (message,) = await session.fetch([1, 9])
        assert message.header == "X-SMTP-Probe: v=1;\r\n t=abc\r\nSubject: grüße\r\n\r\n".encode()
        assert message.internaldate_ns == 1_795_824_000_000_000_000
        assert message.size_bytes == len(server.emails["a"]["text"])
        assert await session.fetch_text(1, 10) == b"x" * 10
        assert await session.fetch_text(9, 10) == b""
        server.lose("a")
        assert await session.fetch_text(1, 10) == b""
        assert await session.fetch([1]) == []


async def test_where_the_server_has_forgotten_what_changed_it_is_listed_anew(server):
    server.put("a")
    async with Opened(server) as session:
        await uids(session)
        server.put("b")
        server.lose("a")
        server.forgotten = server.state
        assert await uids(session) == [2]
        server.put("c")
        assert await uids(session, 3) == [3]


async def test_many_changes_are_read_in_pieces(server, monkeypatch):
    monkeypatch.setattr(jmap, "_CHANGES", 7)
    async with Opened(server) as session:
        for number in range(120):
            server.put(f"e{number}")
        first, sizes = 1, []
        while found := await uids(session, first):
            sizes.append((len(found), session.is_at_end))
            first = found[-1] + 1
        assert sizes == [(50, False), (50, False), (20, True)]


async def test_ours_are_found_by_the_server(server):
    server.put("a", "other", marked=False)
    server.put("b", "[smtp-probe x] y")
    server.put("c", "[smtp-probe x]", mailbox=JUNK)
    async with Opened(server) as session:
        assert await session.search_header("X-SMTP-Probe", "") == [2]
        assert await session.search_header("Subject", "[smtp-probe ") == [2]


@pytest.mark.parametrize(("after", "left"), [("delete", {"b"}), ("trash", {"a", "b"}), ("keep", {"a", "b"})])
async def test_only_what_is_named_is_removed(server, after, left):
    server.put("a")
    server.put("b")
    async with Opened(server, after_judgement=after) as session:
        await session.remove([1, 99])
        assert set(server.emails) == left
        assert (TRASH in server.emails["a"]["mailboxIds"] if "a" in left else True) is (after != "keep")
        assert await uids(session) == ([1, 2] if after == "keep" else [2])


async def test_what_the_server_does_not_remove_is_told_once(server, caplog):
    server.put("a")
    server.broken["Email/set"] = lambda call: [
        "Email/set",
        {"notDestroyed": {"a": {"type": "forbidden"}}},
        call,
    ]
    async with Opened(server) as session:
        for _ in range(2):
            await session.remove([1])
        assert [each.message.count("forbidden") for each in caplog.records] == [1]
        assert await uids(session) == [1]
        server.broken["Email/set"] = {"type": "accountReadOnly"}
        await session.remove([1])
        assert "accountReadOnly" in caplog.text


async def test_news_is_told_by_the_stream_of_events(server):
    async with Opened(server) as session:
        waiting = asyncio.create_task(session.idle(30))
        async with asyncio.timeout(5):
            while not server.listeners:
                await asyncio.sleep(0.01)
            server.put("a")
            assert await waiting
        await uids(session)
        asyncio.get_running_loop().call_later(0.05, session.wake)
        assert await asyncio.wait_for(session.idle(30), 5)
        assert not await session.idle(0.1)


async def test_what_came_before_the_stream_began_is_found(server):
    async with Opened(server) as session:
        await uids(session)
        server.put("a")
        assert await asyncio.wait_for(session.idle(30), 5)


async def test_without_a_stream_it_is_asked_now_and_then(server, monkeypatch):
    monkeypatch.setattr(jmap, "_UNTOLD_LOOK_SECONDS", 0.05)
    server.pushes = False
    async with Opened(server) as session:
        await uids(session)
        asyncio.get_running_loop().call_later(0.1, server.put, "a")
        assert await asyncio.wait_for(session.idle(30), 5)


def answering(status, **options):
    return lambda: web.Response(status=status, **options)


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str, Cause]] = {
    "a refused login": ({"secret": lambda: "wrong secret"}, {}, "session", Cause.AUTH_REFUSED),
    "throttled": ({}, {"/jmap/api": answering(429, headers={"Retry-After": "7"})}, "folders", Cause.REPLY_TEMPORARY),
    "down": ({}, {"/jmap/session": answering(503)}, "session", Cause.REPLY_TEMPORARY),
    "not there": ({}, {"/.well-known/jmap": answering(404)}, "session", Cause.REPLY_PERMANENT),
    "no JSON": ({}, {"/jmap/api": answering(200, text="<html>")}, "folders", Cause.PROTOCOL_ERROR),
    "deep JSON": ({}, {"/jmap/api": answering(200, text="[" * 100_000)}, "folders", Cause.PROTOCOL_ERROR),
    "no session": ({}, {"/jmap/session": answering(200, text="{}")}, "session", Cause.PROTOCOL_ERROR),
    "a redirect of the API": (
        {}, {"/jmap/api": answering(302, headers={"Location": "/x"})}, "folders", Cause.PROTOCOL_ERROR,
    ),
    "a method that is refused": ({}, {"Mailbox/get": {"type": "forbidden"}}, "folders", Cause.REPLY_PERMANENT),
    "a method that fails": ({}, {"Mailbox/get": {"type": "serverFail"}}, "folders", Cause.REPLY_TEMPORARY),
    "another answer": (
        {}, {"Mailbox/get": lambda call: ["Email/get", {}, call]}, "folders", Cause.PROTOCOL_ERROR,
    ),
    "a list of nothing": (
        {}, {"Mailbox/get": lambda call: ["Mailbox/get", {"list": [1]}, call]}, "folders", Cause.PROTOCOL_ERROR,
    ),
    "nobody listens": ({"port": 1}, {}, "session", Cause.CONNECT_REFUSED),
    "no TLS": ({"tls": "implicit"}, {}, "session", Cause.TLS_FAILED),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_fails_is_told_by_its_step(server, fault):
    changes, server.broken, stage, cause = FAULTS[fault]
    with pytest.raises(MailboxError) as caught:
        await connector(server, **changes).open()
    assert (caught.value.stage, caught.value.cause) == (stage, cause)
    assert SECRET not in str(caught.value)
    assert "wrong secret" not in str(caught.value)


async def test_what_a_server_quotes_of_an_earlier_secret_is_not_shown(server):
    secrets = iter(["earlier secret", SECRET])
    made = connector(server, lambda: next(secrets, SECRET))
    with pytest.raises(MailboxError):
        await made.open()
    for broken in (
        {"Mailbox/get": {"type": "forbidden", "description": f"{SECRET} and earlier secret"}},
        {"Mailbox/get": {"type": f"earlier secret {SECRET}"}},
        {"/jmap/session": answering(200, text='{"apiUrl": "https://[earlier secret", "downloadUrl": "/"}')},
    ):
        server.broken = broken
        with pytest.raises(MailboxError) as caught:
            await made.open()
        assert "***" in str(caught.value)
        assert SECRET not in str(caught.value)
        assert "earlier secret" not in str(caught.value)


async def test_a_throttled_account_is_left_alone_as_long_as_the_server_wants(server):
    server.broken = {"/jmap/api": answering(429, headers={"Retry-After": "7"})}
    with pytest.raises(MailboxError, match="suggested backoff time: 7000 milliseconds"):
        await connector(server).open()


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/jmap", "http://mail.example.org/jmap", "https://[::1", "/.well-known/jmap"]
)
async def test_a_login_follows_no_redirect_that_is_not_safe(server, target):
    server.redirect = target
    with pytest.raises(MailboxError) as caught:
        await connector(server).open()
    assert caught.value.cause is Cause.PROTOCOL_ERROR


async def test_a_server_that_is_silent_is_given_up(server):
    async def never(_):
        await asyncio.sleep(30)

    server._session = never
    made = JmapServer()
    made._session = never
    async with TestServer(made.application()) as running:
        made.url = str(running.make_url("/"))
        with pytest.raises(MailboxError) as caught:
            await connector(made, timeouts={"command": 0.2}).open()
    assert caught.value.cause is Cause.TIMEOUT


async def test_a_folder_that_is_not_there_is_missing(server):
    session = await connector(server, folders=["Nowhere"]).open()
    with pytest.raises(MailboxError) as caught:
        await session.select((await session.folders())[0])
    assert caught.value.cause is Cause.FOLDER_MISSING
    await session.close()

"""A mailbox over Microsoft Graph as a watcher sees it, on a server that holds us to the documentation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Placement
from smtp_probe.network import graph, graph_account
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.graph import GraphConnector
from smtp_probe.ports import MailboxConnector
from tests.network.graph_server import SECRET, USER, GraphServer, problem
from tests.network.opened import OpenedFolder, uids
from tests.network.submitting import FixedResolver


@pytest.fixture
async def server():
    made = GraphServer()
    async with TestServer(made.application()) as running:
        made.url = str(running.make_url("/"))
        yield made


def connector(server, secret=lambda: SECRET, **changes):
    port = int(server.url.rstrip("/").rpartition(":")[2])
    settings = {
        "protocol": "graph", "host": "127.0.0.1", "port": port, "tls": "none",
        "auth": {"username": USER, "oauth": "tenant", "mechanism": "xoauth2"},
        "allow_credentials_without_tls": True, "timeouts": {"connect": 2, "command": 2}, **changes,
    }  # fmt: skip
    made: MailboxConnector = GraphConnector(
        "m", Mailbox.model_validate(settings), FixedResolver("127.0.0.1"), ReferenceClock(), secret
    )
    return made


class Opened(OpenedFolder):
    def __init__(self, server, folder=0, made=None, **changes):
        super().__init__(made or connector(server, **changes), folder)


async def test_folders_are_found_by_their_well_known_names_and_by_their_own(server):
    server.put("a", folder="F5")
    async with Opened(server, 1, folders=["INBOX", "Archiv/O'Neill"], quarantine=["Archiv"]) as session:
        found = await session.folders()
        assert [(each.name, each.placement) for each in found] == [
            ("INBOX", Placement.INBOX), ("Archiv/O'Neill", Placement.INBOX), ("Junk-E-Mail", Placement.JUNK),
            ("Archiv", Placement.OTHER),
        ]  # fmt: skip
        assert await uids(session) == [1]
        await session.select(found[2])
    with pytest.raises(MailboxError) as caught:
        async with Opened(server, folders=["Archiv/Nowhere"]):
            pass
    assert caught.value.cause is Cause.FOLDER_MISSING


async def test_a_mailbox_is_looked_over(server):
    server.put("a")
    seen = await connector(server).survey()
    assert [(each.name, each.messages) for each in seen.folders] == [("INBOX", 1), ("Junk-E-Mail", 0)]


async def test_messages_are_numbered_as_they_come_and_keep_their_numbers(server):
    for name in "abcdefg":  # three pages
        server.put(name)
    opened = Opened(server)
    async with opened as session:
        assert (opened.state.uidnext, opened.state.exists) == (8, 7)
        assert await uids(session, 6) == [6, 7]
        assert not await session.poll()
        server.touch("a")
        assert not await session.poll()
        server.put("h")
        assert await session.poll()
        assert await uids(session, 8) == [8]
        server.lose("b")
        server.shift("c", "F4")
        assert await uids(session) == [1, 4, 5, 6, 7, 8]
        server.shift("c", "F1")
        assert await uids(session, 2) == [3, 4, 5, 6, 7, 8]
    async with Opened(server, made=opened.made) as again:
        assert await uids(again) == [1, 3, 4, 5, 6, 7, 8]


async def test_a_message_is_shown_with_its_header_its_size_and_its_second(server):
    server.put("a", "grüße", body="x" * 500)
    async with Opened(server) as session:
        (message,) = await session.fetch([1, 9])
        assert message.header == "X-SMTP-Probe: v=1; t=abc\r\nSubject: grüße\r\n\r\n".encode()
        assert message.internaldate_ns == 1_795_824_000_000_000_000
        assert message.size_bytes == len(server.messages["a"]["text"])
        assert await session.fetch_text(1, 10) == b"x" * 10
        assert await session.fetch_text(9, 10) == b""
        server.lose("a")
        assert await session.fetch_text(1, 10) == b""
        assert await session.fetch([1]) == []


@pytest.mark.parametrize("lists_headers", [True, False])
async def test_ours_are_found_by_their_marks(server, lists_headers):
    server.lists_headers = lists_headers
    server.put("a", "other", marked=False)
    server.put("b", "[smtp-probe x] y")
    async with Opened(server) as session:
        asked = len(server.asked)
        assert await session.search_header("X-SMTP-Probe", "") == [2]
        assert await session.search_header("Subject", "[SMTP-probe ") == [2]
        assert len(server.asked) - asked == (0 if lists_headers else 2)


async def test_where_graph_has_forgotten_it_is_listed_anew(server):
    server.put("a")
    async with Opened(server) as session:
        server.put("b")
        server.lose("a")
        server.forgotten = len(server.log)
        assert await uids(session) == [2]
        server.put("c")
        assert await uids(session, 3) == [3]


async def test_a_delta_query_is_begun_anew_before_it_covers_too_much(server, monkeypatch):
    server.put("a")
    async with Opened(server) as session:
        monkeypatch.setattr(graph, "_RENEW_NS", -1)
        server.put("b")
        assert await uids(session) == [1, 2]


async def test_a_look_takes_a_bounded_piece(server):
    for number in range(50):
        server.put(f"e{number}")
    async with Opened(server) as session:
        first, sizes = 1, []
        while found := await uids(session, first):
            sizes.append((len(found), session.is_at_end))
            first = found[-1] + 1
        assert sizes == [(20, False), (20, False), (10, True)]


@pytest.mark.parametrize(("after", "folder"), [("delete", None), ("trash", "F3"), ("keep", "F1")])
async def test_only_what_is_named_is_removed(server, after, folder):
    server.put("a")
    server.put("b")
    async with Opened(server, after_judgement=after) as session:
        await session.remove([1, 99])
        assert server.messages["b"]["folder"] == "F1"
        assert server.messages.get("a", {}).get("folder") == folder
        assert server.deleted == (["a"] if after == "delete" else [])
        server.messages.pop("b")
        await session.remove([2])  # gone meanwhile


async def test_what_graph_does_not_remove_is_told_once(server, caplog):
    server.put("a")
    server.broken["/permanentDelete"] = lambda _: problem(403, "ErrorAccessDenied", "Access is denied.")
    async with Opened(server) as session:
        for _ in range(2):
            await session.remove([1])
        assert [each.message.count("ErrorAccessDenied") for each in caplog.records] == [1]
        assert await uids(session) == [1]


async def test_it_is_asked_now_and_then_and_at_once_when_woken(server, monkeypatch):
    monkeypatch.setattr(graph, "_LOOK_SECONDS", 0.05)
    async with Opened(server) as session:
        assert not await session.idle(0.12)
        asyncio.get_running_loop().call_later(0.1, server.put, "a")
        assert await asyncio.wait_for(session.idle(30), 5)
        await uids(session)
        asyncio.get_running_loop().call_later(0.02, session.wake)
        assert await asyncio.wait_for(session.idle(30), 5)


def throttled(_):
    return problem(
        429,
        "ApplicationThrottled",
        "Application is over its MailboxConcurrency limit.",
        **{"Retry-After": "12"},
    )


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str, Cause]] = {
    "a refused token": ({"secret": lambda: "wrong token"}, {}, "open", Cause.AUTH_REFUSED),
    "no rights": ({}, {"inbox": lambda _: problem(403, "ErrorAccessDenied", "no")}, "open", Cause.REPLY_PERMANENT),
    "no mailbox": ({}, {"inbox": lambda _: problem(404, "ErrorInvalidUser", "no")}, "open", Cause.FOLDER_MISSING),
    "throttled": ({}, {"/delta": throttled}, "changes", Cause.REPLY_TEMPORARY),
    "down": ({}, {"/delta": lambda _: web.Response(status=503)}, "changes", Cause.REPLY_TEMPORARY),
    "always forgotten": ({}, {"/delta": lambda _: web.Response(status=410)}, "changes", Cause.REPLY_TEMPORARY),
    "no JSON": ({}, {"/delta": lambda _: web.Response(text="<html>")}, "changes", Cause.PROTOCOL_ERROR),
    "no list": ({}, {"/delta": lambda _: web.json_response({"value": {}})}, "changes", Cause.PROTOCOL_ERROR),
    "no ids": ({}, {"/delta": lambda _: web.json_response({"value": [{}]})}, "changes", Cause.PROTOCOL_ERROR),
    "no link": ({}, {"/delta": lambda _: web.json_response({"value": []})}, "changes", Cause.PROTOCOL_ERROR),
    "a link elsewhere": (
        {}, {"/delta": lambda _: web.json_response({"value": [], "@odata.nextLink": "https://evil.test/"})},
        "changes", Cause.PROTOCOL_ERROR,
    ),
    "a link that is none": (
        {}, {"/delta": lambda _: web.json_response({"value": [], "@odata.deltaLink": "https://[::1"})},
        "changes", Cause.PROTOCOL_ERROR,
    ),
    "no end": (
        {}, {"/delta": lambda request: web.json_response({"value": [], "@odata.nextLink": str(request.url)})},
        "changes", Cause.PROTOCOL_ERROR,
    ),
    "nobody listens": ({"port": 1}, {}, "open", Cause.CONNECT_REFUSED),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_fails_is_told_by_its_step(server, monkeypatch, fault):
    monkeypatch.setattr(graph_account, "_MOST_PAGES", 5)
    changes, server.broken, stage, cause = FAULTS[fault]
    with pytest.raises(MailboxError) as caught:
        async with Opened(server, **changes):
            pass
    assert (caught.value.stage, caught.value.cause) == (stage, cause)
    assert "wrong token" not in str(caught.value)
    assert SECRET not in str(caught.value)
    if fault == "throttled":
        assert "suggested backoff time: 12000 milliseconds" in caught.value.detail

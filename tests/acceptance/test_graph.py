"""A mailbox read by Microsoft Graph, with tokens of the client itself: the daemon against a Graph of ours, which no other can be had of."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from email import message_from_bytes
from email.policy import compat32

import pytest
import trustme
from aiohttp import web
from aiosmtpd.controller import Controller

from tests.acceptance.commands import sweep_what_was_kept, try_logins
from tests.acceptance.daemon import Daemon, free_port
from tests.network.authorization_server import CLIENT_SECRET, AuthorizationServer
from tests.network.graph_server import USER, GraphServer, problem

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"
RECEIVED = b"Received: from prober by mx.example.org with ESMTP id 1; Sat, 28 Nov 2026 00:00:00 +0000\r\n"


class Store:
    """Takes mail by SMTP, and puts it into a mailbox that Graph shows; `junk` in the recipient makes it junk."""

    def __init__(self, graph: GraphServer) -> None:
        self.graph = graph
        self.count = 0

    async def handle_DATA(self, _server, _session, envelope):
        self.count += 1
        raw = RECEIVED + envelope.content
        head, _, body = raw.partition(b"\r\n\r\n")
        fields = message_from_bytes(head + b"\r\n\r\n", policy=compat32).items()
        self.graph.put(f"AAMk{self.count}=", folder="F2" if "junk" in envelope.rcpt_tos[0] else "F1")
        stored = self.graph.messages[f"AAMk{self.count}="]
        stored["internetMessageHeaders"] = [{"name": name, "value": str(value)} for name, value in fields]
        stored["text"] = (head + b"\r\n\r\n" + body).decode()
        return "250 2.0.0 taken"


class GraphThread(threading.Thread):
    """Serves Graph over TLS on a loop of its own."""

    def __init__(self, graph: GraphServer, tls: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self.graph, self.tls = graph, tls
        self.port = free_port()
        self.graph.url = f"https://{HOST}:{self.port}/"
        self.loop = asyncio.new_event_loop()
        self.is_up = threading.Event()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        runner = web.AppRunner(self.graph.application())
        self.loop.run_until_complete(runner.setup())
        self.loop.run_until_complete(web.TCPSite(runner, HOST, self.port, ssl_context=self.tls).start())
        self.is_up.set()
        self.loop.run_forever()
        self.loop.run_until_complete(runner.cleanup())
        self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(10)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
    for context in contexts:
        authority.issue_cert(HOST).configure_cert(context)
    made = GraphServer()
    made.put("other", "somebody else's mail", marked=False)
    with AuthorizationServer(lifetime=8.0).in_thread(HOST, 0, contexts[0]) as tokens:
        made.allows = lambda token: tokens.active.get(token, 0.0) > time.monotonic()
        thread = GraphThread(made, contexts[1])
        thread.start()
        thread.is_up.wait(10)
        controller = Controller(Store(made), hostname=HOST, port=free_port())
        controller.start()
        try:
            yield made, tokens, thread.port, controller.port, ca_file
        finally:
            controller.stop()
            thread.stop()


@pytest.fixture(scope="module")
def daemon(graph, tmp_path_factory):
    _, tokens, port, smtp_port, ca_file = graph
    work = tmp_path_factory.mktemp("graph")
    (work / "client.secret").write_text(CLIENT_SECRET)
    routes = {
        name: {"sender": "out", "recipient": f"{name}@example.org", "mailbox": "office", "interval": 1}
        for name in ("plain", "junk")
    }
    config = {
        "state_directory": str(work / "state"),
        "schedule": {"minimum_interval": 0.5},
        "senders": {
            "out": {
                "host": HOST, "port": smtp_port, "tls": "none", "ehlo_name": "prober.example.test",
                "envelope_from": "probe@example.test", "max_per_minute": 600,
            }
        },
        "credentials": {
            "tenant": {
                "grant": "client_credentials", "token_url": tokens.url("/token"), "client_id": "smtp-probe",
                "client_secret": {"password_file": "client.secret"}, "ca_file": str(ca_file),
                "scope": "https://graph.microsoft.com/.default",
            }
        },
        "mailboxes": {
            "office": {
                "protocol": "graph", "host": HOST, "port": port, "tls_options": {"ca_file": str(ca_file)},
                "auth": {"username": USER, "mechanism": "xoauth2", "oauth": "tenant"}, "poll_minimum": 0.2,
                "timeouts": {"reconnect_minimum": 0.2, "reconnect_maximum": 2},
            }
        },
        "routes": routes,
    }  # fmt: skip
    path = work / "smtp-probe.yaml"
    path.write_text(json.dumps(config))
    with Daemon(path) as running:
        running.wait_until(
            lambda: all(running.value("smtp_probe_outcomes_total", route=name) >= 2 for name in routes),
            "two ends on each route",
        )
        yield running


def test_probes_are_found_in_their_folders_and_compared_whole(daemon, graph):
    assert set(daemon.outcomes()) == {"delivered", "junked"}
    assert daemon.value("smtp_probe_outcomes_total", route="junk", outcome="delivered") == 0
    arrivals = [row["outcome"]["arrival"] for row in daemon.journal() if row["outcome"]]
    assert {each["found_in"] for each in arrivals} == {"header"}
    assert {each["corrupted"] for each in arrivals} == {False}


def test_throttling_is_our_own_blindness_and_no_lost_mail(daemon, graph):
    server = graph[0]
    server.broken["/delta"] = lambda _: problem(
        429, "ApplicationThrottled", "slow down", **{"Retry-After": "1"}
    )
    up = lambda: daemon.value("smtp_probe_mailbox_up")  # noqa: E731
    daemon.wait_until(lambda: up() == 0, "the mailbox to be left alone")
    server.broken.clear()
    daemon.wait_until(lambda: up() == 1, "the mailbox in view")
    assert "ApplicationThrottled" in daemon.log.read_text()
    assert set(daemon.outcomes()) <= {"delivered", "junked"}


def test_tokens_are_renewed_and_those_that_have_ended_are_not_used(daemon, graph):
    renewed = {"credential": "tenant", "result": "renewed"}
    daemon.wait_until(
        lambda: daemon.value("smtp_probe_credential_refreshes_total", **renewed) >= 2,
        "the token to be replaced",
    )
    more = sum(daemon.outcomes().values()) + 2
    daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= more, "deliveries with the later token")
    assert CLIENT_SECRET not in daemon.log.read_text()
    assert not any(token in daemon.log.read_text() for token in graph[1].issued)


def come_to_rest(daemon: Daemon, server: GraphServer) -> None:
    """End what is on its way, until nothing of the daemon's is in the mailbox."""
    daemon.rest()
    daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
    daemon.wait_until(lambda: set(server.messages) == {"other"}, "ours to go")


def test_ours_are_deleted_for_good_and_the_others_stay(daemon, graph):
    server = graph[0]
    come_to_rest(daemon, server)
    assert daemon.value("smtp_probe_duplicate_messages_total") == 0


def test_the_account_is_shown_by_login_test(daemon, graph):
    shown = try_logins(daemon)
    assert shown["office"]["well"]
    assert {each["placement"] for each in shown["office"]["folders"]} >= {"inbox", "junk"}
    assert not any(token in json.dumps(shown) for token in graph[1].issued)


def test_what_was_left_is_swept_by_hand(daemon, graph):
    come_to_rest(daemon, graph[0])
    for route in ("plain", "junk"):
        sweep_what_was_kept(daemon, "office", route)
    assert set(graph[0].messages) == {"other"}

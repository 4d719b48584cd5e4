"""What each protocol leaves a mailbox no choice of, and what it needs."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.config.load import load
from smtp_probe.config.mailboxes import Mailbox, Protocol
from smtp_probe.errors import ConfigError
from tests.config.test_endpoints import AUTH, MAILBOX, conflicts

MAILDIR = {"protocol": "maildir", "path": "/var/mail/probe"}


def test_a_maildir_needs_its_path_and_nothing_else():
    assert Mailbox(**MAILDIR).place == "/var/mail/probe"
    for settings in ({"protocol": "maildir"}, MAILBOX | {"path": "/var/mail/probe"}):
        assert conflicts(Mailbox, **settings) == ("path", "protocol", "host", "tls")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "mail.example.org"), ("port", 993), ("tls", "implicit"), ("auth", AUTH),
        ("tls_options", {"verify": False}), ("source_address", "127.0.0.1"), ("max_connections", 5),
        ("clock_folder", "clock"), ("after_judgement", "trash"),
    ],
)  # fmt: skip
def test_a_maildir_has_no_server(key, value):
    keys = conflicts(Mailbox, **MAILDIR, **{key: value})
    assert keys is not None
    assert keys[0] in (key, "tls")


@pytest.mark.parametrize(
    ("host", "place"), [("mail.example.org", "mail.example.org:993"), ("::1", "[::1]:993")]
)
def test_a_server_is_named_by_host_and_port(host, place):
    assert Mailbox(host=host, tls="implicit").place == place


def test_what_runs_over_https_has_no_starttls_and_no_clock_folder():
    jmap = {"protocol": "jmap", "host": "a"}
    assert Mailbox(**jmap, tls="implicit", after_judgement="trash").place == "a:443"
    assert conflicts(Mailbox, **jmap, tls="starttls") == ("tls", "protocol")
    assert conflicts(Mailbox, **jmap, tls="implicit", clock_folder="x")[0] == "clock_folder"


def test_graph_takes_tokens_only_and_knows_its_server():
    token = {"username": "a@example.org", "oauth": "tenant", "mechanism": "xoauth2"}
    assert Mailbox.model_validate({"protocol": "graph", "auth": token}).place == "graph.microsoft.com:443"
    assert conflicts(Mailbox, protocol="graph")[0] == "auth"
    assert conflicts(Mailbox, protocol="graph", auth=AUTH)[0] == "auth"


def test_every_protocol_has_its_ports():
    for protocol in Protocol:
        needs: dict[str, Any] = MAILDIR if protocol is Protocol.MAILDIR else MAILBOX | {"protocol": protocol}
        if protocol is Protocol.GRAPH:
            needs = needs | {"auth": {"username": "u", "oauth": "o", "mechanism": "xoauth2"}}
        assert isinstance(Mailbox.model_validate(needs).effective_port, int)


def test_mistakes_are_told_with_their_lines(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "senders: {relay: {host: a, tls: starttls, ehlo_name: b, envelope_from: a@b.c}}\n"
        "mailboxes:\n"
        "  one:\n"
        "    protocol: maildir\n"
        "  two:\n"
        "    protocol: maildir\n"
        "    path: Maildir\n"
        "    port: 993\n"
        "  three:\n"
        "    tls: implicit\n"
        "  four: {host: a, tls: implicit, protocol: mbox}\n"
        "routes: {daily: {sender: relay, recipient: a@b.c, mailbox: two}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    told = [str(problem).partition("c.yaml:")[2] for problem in caught.value.problems]
    assert told[0].startswith("4: mailboxes.one.protocol: protocol: maildir needs path")
    assert told[1].startswith("8: mailboxes.two.port: a maildir is read from the disk")
    assert told[2].startswith("9: mailboxes.three")
    assert "host" in told[2]
    assert "expected one of imap, pop3, maildir, jmap, graph; found the text 'mbox'" in told[3]
    assert len(told) == 4

"""Each protocol has its connector, and each connector the account of its section."""

from __future__ import annotations

import pytest

from smtp_probe.app.connectors import Connector, connect
from smtp_probe.config.settings import Mailbox
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.graph import GraphConnector
from smtp_probe.network.jmap import JmapConnector
from smtp_probe.network.mailbox import ImapConnector
from smtp_probe.network.maildir import MaildirConnector
from smtp_probe.network.pop3 import Pop3Connector
from tests.network.submitting import FixedResolver

TOKEN = {"username": "a@example.org", "oauth": "tenant", "mechanism": "xoauth2"}
SERVER = {"host": "mail.example.org", "tls": "implicit"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (SERVER, ImapConnector),
        (SERVER | {"protocol": "pop3"}, Pop3Connector),
        (SERVER | {"protocol": "jmap"}, JmapConnector),
        ({"protocol": "graph", "auth": TOKEN}, GraphConnector),
        ({"protocol": "maildir", "path": "/mail"}, MaildirConnector),
    ],
)
def test_the_protocol_says_how(settings, kind):
    made: Connector = connect("inbox", Mailbox(**settings), FixedResolver("127.0.0.1"), ReferenceClock())
    assert type(made) is kind
    assert made.name == "inbox"
    assert made.tls_facts is None


def test_two_directories_are_two_accounts():
    sections = [Mailbox.model_validate({"protocol": "maildir", "path": path}) for path in ("/a", "/b", "/a")]
    resolver, clock = FixedResolver("127.0.0.1"), ReferenceClock()
    assert len({connect("m", section, resolver, clock).account for section in sections}) == 2

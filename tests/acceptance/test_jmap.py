"""A mailbox read by JMAP on a real server (Cyrus), which has no stream of events: found, judged, and only ours destroyed."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
from http.client import HTTPSConnection

import pytest

from tests.acceptance.commands import sweep_what_was_kept, try_logins
from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab import MailLab
from tests.lab.client import send, write
from tests.lab.cyrus import start_cyrus

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def daemon(lab: MailLab, tmp_path_factory):
    cyrus = start_cyrus(lab)
    work = tmp_path_factory.mktemp("jmap")
    send(lab, write("jmap@example.test", "somebody else's mail"))
    config = write_config(lab, work, {"jmap": route("jmap", "jmap", interval=1)})
    data = json.loads(config.read_text())
    data["mailboxes"] = {
        "jmap": {
            "protocol": "jmap",
            "host": cyrus.address,
            "tls": "implicit",
            "tls_options": {"ca_file": str(lab.ca_file), "server_name": lab.imap.server_name},
            "auth": {"username": "jmap", "password_file": str(lab.password_file("probe1"))},
            "timeouts": {"reconnect_minimum": 0.2, "reconnect_maximum": 2},
        }
    }
    config.write_text(json.dumps(data))
    with Daemon(config) as running:
        running.wait_until(lambda: running.value("smtp_probe_outcomes_total") >= 4, "four ends")
        yield running


def test_probes_are_found_with_the_second_of_their_storing(daemon):
    assert set(daemon.outcomes()) == {"delivered"}
    assert daemon.value("smtp_probe_mailbox_up") == 1
    assert daemon.value("smtp_probe_mailbox_reconnects_total") == 0
    arrivals = [row["outcome"]["arrival"] for row in daemon.journal() if row["outcome"]]
    assert {each["stamp"] for each in arrivals} <= {"internaldate", "seen"}
    assert {each.get("corrupted") for each in arrivals} == {False}


def test_its_stream_of_events_is_named_and_not_there(daemon, lab):
    """Why push is tested against the strict fake alone (docs/retrieval.md): the day on which this fails, it need not be so any more."""
    mailbox = json.loads(daemon.config.read_text())["mailboxes"]["jmap"]
    tls = ssl.create_default_context(cafile=lab.ca_file)
    login = base64.b64encode(b"jmap:any password").decode()

    def ask(path: str, **headers: str) -> tuple[int, bytes]:
        connection = HTTPSConnection(mailbox["host"], context=tls, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Basic {login}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()

    tls.check_hostname = False
    named = json.loads(ask("/jmap/")[1])["eventSourceUrl"]
    filled = named.replace("{types}", "Email").replace("{closeafter}", "no").replace("{ping}", "30")
    assert ask(filled, Accept="text/event-stream") == (204, b"")


def test_the_certificate_is_shown(daemon):
    shown = {
        dict(labels)["endpoint"]
        for (name, labels) in daemon.samples()
        if name == "smtp_probe_tls_certificate_not_after_timestamp_seconds"
    }
    assert f"{json.loads(daemon.config.read_text())['mailboxes']['jmap']['host']}:443" in shown


def test_ours_are_destroyed_and_the_others_stay(daemon):
    daemon.rest()
    daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
    daemon.wait_until(lambda: try_logins(daemon)["jmap"]["folders"][0]["messages"] == 1, "ours to go")
    shown = try_logins(daemon)["jmap"]
    assert shown["well"]
    assert [(each["name"], each["placement"], each["rights"]) for each in shown["folders"]] == [
        ("INBOX", "inbox", "rte"), ("Junk", "junk", "rte"),
    ]  # fmt: skip


def test_what_was_left_is_swept_by_hand(daemon):
    sweep_what_was_kept(daemon, "jmap", "jmap")


def test_a_server_that_comes_back_is_read_again(daemon, lab):
    lab.stop_part("cyrus")
    daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == 0, "the loss to be seen", 40)
    lab.start_part("cyrus")
    daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == 1, "the mailbox in view", 40)
    assert daemon.value("smtp_probe_duplicate_messages_total") == 0

"""A mailbox read by POP3 on real servers: found, judged, and only what is ours deleted."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.commands import sweep_what_was_kept, try_logins
from tests.acceptance.daemon import Daemon, route, write_config
from tests.acceptance.test_options import own_messages
from tests.lab import MailLab
from tests.lab.client import send, wait_for_mail, write

pytestmark = pytest.mark.lab

WAYS = {"probe1": ("implicit", 995, "plain"), "probe2": ("starttls", 110, "login")}


@pytest.fixture(scope="module")
def daemon(lab: MailLab, tmp_path_factory):
    work = tmp_path_factory.mktemp("pop3")
    for user in WAYS:
        wait_for_mail(lab, user, send(lab, write(f"{user}@example.test", "somebody else's mail")))
    routes = {user: route(user, user, interval=2) for user in WAYS}
    config = write_config(lab, work, routes)
    data = json.loads(config.read_text())
    for user, (tls, port, mechanism) in WAYS.items():
        data["mailboxes"][user] |= {"protocol": "pop3", "tls": tls, "port": port}
        data["mailboxes"][user]["auth"]["mechanism"] = mechanism
    config.write_text(json.dumps(data))
    with Daemon(config) as running:
        running.wait_until(
            lambda: all(running.value("smtp_probe_outcomes_total", route=user) >= 2 for user in WAYS),
            "two ends on each route",
        )
        running.rest()
        running.wait_until(lambda: running.in_flight() == 0, "everything to end")
        yield running


def test_probes_are_found_over_tls_and_stls(daemon):
    assert set(daemon.outcomes()) == {"delivered"}
    assert daemon.value("smtp_probe_mailbox_up") == len(WAYS)
    assert daemon.value("smtp_probe_mailbox_reconnects_total") == 0


def test_ours_are_deleted_and_the_others_stay(daemon, lab):
    for user in WAYS:
        daemon.wait_until(lambda user=user: not own_messages(lab, user, "INBOX"), "ours to be deleted", 20)
        others = [path for part in ("new", "cur") for path in (lab.maildir(user) / part).iterdir()]
        assert len(others) == 1


def test_the_accounts_are_shown_by_login_test(daemon):
    shown = try_logins(daemon)
    for user in WAYS:
        account = shown[user]
        assert account["well"]
        assert account["tls"]["version"].startswith("TLSv1")
        assert [(each["name"], each["messages"]) for each in account["folders"]] == [("INBOX", 1)]
        assert account["quotas"] is None  # POP3 tells none, and that is not said to be zero


def test_what_was_left_is_swept_by_hand(daemon):
    sweep_what_was_kept(daemon, "probe1", "probe1")


def test_a_server_that_comes_back_is_read_again(daemon, lab):
    lab.stop_part("dovecot")
    daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == 0, "the loss to be seen", 40)
    lab.start_part("dovecot")
    daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == len(WAYS), "both mailboxes", 40)

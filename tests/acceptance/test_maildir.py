"""Mailboxes read from the disk, delivered to by Postfix itself and by Dovecot: found, judged, and only ours deleted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.acceptance.commands import sweep_what_was_kept, try_logins
from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab import MailLab
from tests.lab.client import send, wait_for_mail, write
from tests.lab.furnish import MAIL_UID

pytestmark = pytest.mark.lab

WAYS = {"maildir": "Postfix's virtual", "probe2": "Dovecot's LMTP"}
JUNK = "spam"


def files(lab, user, folder=""):
    return [path for part in ("new", "cur") for path in (lab.maildir(user) / folder / part).iterdir()]


@pytest.fixture(scope="module")
def daemon(lab: MailLab, tmp_path_factory):
    work = tmp_path_factory.mktemp("maildir")
    for user in (*WAYS, JUNK):  # the first mail makes the maildir
        sent = send(lab, write(f"{user}@example.test", "somebody else's mail"))
        if user == "probe2":
            wait_for_mail(lab, user, sent)
    routes = {user: route(user, user, interval=1) for user in (*WAYS, JUNK)}
    config = write_config(lab, work, routes)
    data = json.loads(config.read_text())
    data["mailboxes"] = {
        user: {
            "protocol": "maildir",
            "path": str(lab.maildir(user)),
            "timeouts": {"reconnect_minimum": 0.2, "reconnect_maximum": 1},
        }
        for user in (*WAYS, JUNK)
    }
    config.write_text(json.dumps(data))
    with Daemon(config) as running:
        running.wait_until(
            lambda: all(
                running.value("smtp_probe_outcomes_total", route=user) >= 3 for user in (*WAYS, JUNK)
            ),
            "three ends on each route",
        )
        yield running


def test_probes_are_found_where_they_were_filed(daemon):
    for user in WAYS:
        assert daemon.value("smtp_probe_outcomes_total", route=user, outcome="delivered") >= 3
    assert daemon.value("smtp_probe_outcomes_total", route=JUNK, outcome="junked") >= 3
    assert set(daemon.outcomes()) == {"delivered", "junked"}
    assert daemon.value("smtp_probe_mailbox_up") == len(WAYS) + 1


def test_the_time_of_storing_is_the_deliverers_to_the_microsecond(daemon):
    arrivals = [
        row["outcome"]["arrival"] for row in daemon.journal() if row["outcome"] and row["route"] in WAYS
    ]
    assert {each["stamp"] for each in arrivals} == {"file_name"}
    assert all(0 <= each["seen_ns"] - each["stored_ns"] < 5e9 for each in arrivals)


def test_the_account_is_shown_by_login_test(daemon, lab):
    shown = try_logins(daemon)
    assert shown["maildir"]["server"] == str(lab.maildir("maildir"))
    assert shown["maildir"]["well"]
    assert [(each["name"], each["rights"]) for each in shown[JUNK]["folders"]] == [
        ("INBOX", "rte"),
        ("Junk", "rte"),
    ]


def test_what_was_left_is_swept_by_hand(daemon):
    sweep_what_was_kept(daemon, "maildir", "maildir")


def test_a_maildir_that_goes_and_comes_back_is_read_again(daemon, lab):
    path = lab.maildir("maildir")
    path.rename(path.with_name("away"))
    up = lambda: daemon.value("smtp_probe_mailbox_up", mailbox="maildir")  # noqa: E731
    daemon.wait_until(lambda: up() == 0, "the loss to be seen")
    if path.exists():  # Postfix has made a new one meanwhile
        for part in ("new", "cur", "tmp"):
            for each in (path / part).iterdir():
                each.rename(path.with_name("away") / part / each.name)
            (path / part).rmdir()
        path.rmdir()
    path.with_name("away").rename(path)
    daemon.wait_until(lambda: up() == 1, "the maildir in view")
    assert daemon.value("smtp_probe_duplicate_messages_total") == 0


AS_NOBODY = """
import asyncio, os, sys
from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.maildir import MaildirConnector

os.setuid(65534)
try:
    asyncio.run(MaildirConnector("m", Mailbox(protocol="maildir", path=sys.argv[1]), ReferenceClock()).open())
except MailboxError as error:
    print(error)
"""


def test_what_we_must_not_read_is_told_to_the_admin(lab):
    lab.maildir("maildir").chmod(0o700)
    run = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(lab.maildir("maildir"))],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "the system does not let us read a file" in run.stdout, run.stderr
    assert "(as user 65534" in run.stdout


def test_ours_are_deleted_and_the_others_stay_untouched(daemon, lab):
    daemon.rest()
    daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
    for user, folder in (("maildir", ""), ("probe2", ""), (JUNK, ".Junk")):
        daemon.wait_until(
            lambda user=user, folder=folder: len(files(lab, user, folder)) == 1, "ours to be deleted"
        )
        (left,) = files(lab, user, folder)
        assert b"somebody else's mail" in left.read_bytes()
        assert left.parent.name == "new"
        assert left.stat().st_uid == MAIL_UID
    assert list((lab.maildir("maildir") / "tmp").iterdir()) == []

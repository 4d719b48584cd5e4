"""`smtp-probe probe ROUTE` on real servers: exit codes and what it says, well or badly."""

import json
import re
import subprocess
import sys
import time

import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab.client import look, mailbox, send, wait_for_mail, write

pytestmark = pytest.mark.lab


def probe(config, name, *options):
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", "probe", name, f"--config.file={config}", *options],
        capture_output=True,
        text=True,
        timeout=60,
    )


def change(config, section, name, **settings):
    data = json.loads(config.read_text())
    data[section][name] |= settings
    config.write_text(json.dumps(data))


def test_a_delivered_message_is_exit_code_0_with_all_facts_as_json(lab, work):
    config = write_config(lab, work, {"r": route()})
    run = probe(config, "r", "--json")
    told = json.loads(run.stdout)

    assert run.returncode == 0, run.stderr
    assert told["outcome"] == "delivered"
    assert told["placement"] == "inbox"
    assert 0 < told["delivery_seconds"] < 10
    assert [each["phase"] for each in told["phases"]] == [
        "resolve", "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "accept", "quit",
    ]  # fmt: skip
    assert [hop["by"] for hop in told["hops"]][:2] == ["submit.example.test", "relay.example.test"]


def test_plain_lines_when_it_is_no_terminal(lab, work):
    config = write_config(lab, work, {"r": route()})
    run = probe(config, "r")

    assert run.returncode == 0, run.stderr
    assert "\x1b" not in run.stdout
    assert "delivered in" in run.stdout
    assert "relay.example.test" in run.stdout


def test_a_bounce_is_exit_code_1_and_says_why(lab, work):
    config = write_config(lab, work, {"r": route("nobody", "probe2", bounce_mailbox="probe1")})
    run = probe(config, "r")

    assert run.returncode == 1
    assert "5.1.1" in run.stdout


def test_a_message_in_the_junk_folder_is_exit_code_1(lab, work):
    config = write_config(lab, work, {"r": route("spam", "spam")})
    data = json.loads(config.read_text())
    data["mailboxes"]["spam"] = data["mailboxes"]["probe2"] | {
        "auth": {"username": "spam", "password_file": str(lab.password_file("spam"))}
    }
    config.write_text(json.dumps(data))
    run = probe(config, "r", "--json")

    assert run.returncode == 1, run.stdout + run.stderr
    assert json.loads(run.stdout)["placement"] == "junk"


def test_silence_is_exit_code_1_at_the_deadline(lab, work):
    config = write_config(lab, work, {"r": route("blackhole", "probe1", deadline=2)})
    run = probe(config, "r")

    assert run.returncode == 1
    assert "overdue" in run.stdout or "not arrived" in run.stdout


def test_a_refused_submission_is_exit_code_1(lab, work):
    config = write_config(lab, work, {"r": route()})
    wrong = work / "wrong"
    wrong.write_text("hunter2-is-wrong\n")
    change(config, "senders", "submit", auth={"username": "probe1", "password_file": str(wrong)})
    run = probe(config, "r", "--json")
    told = json.loads(run.stdout)

    assert run.returncode == 1
    assert (told["outcome"], told["failure"]["stage"], told["failure"]["reply"]["code"]) == (
        "refused",
        "auth",
        535,
    )
    assert "hunter2" not in run.stdout + run.stderr


@pytest.mark.parametrize(("kind", "cause"), [("expired", "expired"), ("wrong_name", "name_mismatch")])
def test_a_bad_certificate_is_exit_code_1_and_named(lab, work, kind, cause):
    config = write_config(lab, work, {"r": route()})
    lab.stop_part("submit")
    lab.use_certificate("submit", kind)
    lab.start_part("submit")
    try:
        run = probe(config, "r", "--json")
    finally:
        lab.stop_part("submit")
        lab.use_certificate("submit", "good")
        lab.start_part("submit")
    told = json.loads(run.stdout)

    assert run.returncode == 1
    assert told["failure"]["stage"] == "starttls"
    assert cause in json.dumps(told)


def test_an_unreachable_server_is_exit_code_1(lab, work):
    config = write_config(lab, work, {"r": route()})
    change(config, "senders", "submit", port=9)
    run = probe(config, "r")

    assert run.returncode == 1
    assert "refused" in run.stdout


def test_a_mailbox_that_cannot_be_opened_is_exit_code_3_and_nothing_is_sent(lab, work):
    config = write_config(lab, work, {"r": route()})
    wrong = work / "wrong"
    wrong.write_text("hunter2-is-wrong\n")
    change(config, "mailboxes", "probe2", auth={"username": "probe2", "password_file": str(wrong)})
    before = lab.log_file("mail").read_text().count("message-id=<spt1-")
    run = probe(config, "r")

    assert run.returncode == 3
    assert lab.log_file("mail").read_text().count("message-id=<spt1-") == before
    assert "hunter2" not in run.stdout + run.stderr


def test_an_unknown_route_is_exit_code_2_and_names_the_known_ones(lab, work):
    config = write_config(lab, work, {"r": route()})
    run = probe(config, "no-such-route")

    assert run.returncode == 2
    assert "no-such-route" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_configuration_with_a_mistake_is_exit_code_2_with_file_and_line(lab, work):
    config = write_config(lab, work, {"r": route(intervall=3)})
    run = probe(config, "r")

    assert run.returncode == 2
    assert f"{config}:" in run.stderr
    assert "intervall" in run.stderr


def test_a_message_that_comes_too_late_is_swept_away_by_the_daemon_and_no_other(lab, work):
    """Nobody waits for it any more; it is known as ours by its signature, and a forgery of it is foreign mail."""
    lab.set_delay(3)
    config = write_config(lab, work, {"r": route("delayed", "probe1", deadline=1, interval=3600)})
    change(config, "mailboxes", "probe1", sweep_after=1)
    assert probe(config, "r").returncode == 1
    with mailbox(lab, "probe1") as box:
        while not (ours := look(box, "INBOX", ("HEADER", "X-SMTP-Probe", "v=1"))):
            time.sleep(0.2)
        forgery = write("probe1@example.test", "a tag that nobody signed")
        forgery["X-SMTP-Probe"] = re.sub(r"[a-z2-7]{8}(?=;)", "aaaaaaaa", ours[0]["X-SMTP-Probe"], count=1)
        assert forgery["X-SMTP-Probe"] != ours[0]["X-SMTP-Probe"]
        forged = send(lab, forgery)
        foreign = send(lab, write("probe1@example.test", "mail of a user"))
        for each in (forged, foreign):
            wait_for_mail(lab, "probe1", each)
        with Daemon(config) as daemon:
            key = ("HEADER", "Message-ID", ours[0]["Message-ID"])
            daemon.wait_until(lambda: look(box, "INBOX", key) == [], "the orphan to be swept")
            for each in (forged, foreign):
                assert look(box, "INBOX", ("UNSEEN", "HEADER", "Message-ID", each))

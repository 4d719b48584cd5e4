"""Restarts, reloads and full disks: nothing is lost, nothing is counted twice, and it is said. Kills: `test_many_faults`."""

import json
import os
import subprocess
import time

import pytest

from tests.acceptance.daemon import Daemon, account, route, write_config
from tests.lab.client import mailbox

pytestmark = pytest.mark.lab


def submissions(lab):
    """How many messages of ours the first server took, by its log."""
    lines = lab.log_file("mail").read_text().splitlines()
    return sum("postfix-submit/" in line and "message-id=<spt1-" in line for line in lines)


def submitted(probes):
    return [probe for probe in probes if probe["submission"]]


def test_counters_go_on_where_they_stood(lab, work):
    config = write_config(lab, work, {"r": route(interval=0.5)})
    daemon = Daemon(config)
    with daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 5, "five deliveries")
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
        before = daemon.samples()
        daemon.kill()
    with daemon:
        after = daemon.samples()

    durable = ("_total", "_bucket", "_count", "_sum")
    volatile = (
        "smtp_probe_log_messages_total",
        "smtp_probe_mailbox_reconnects_total",
        "smtp_probe_dns_",  # what this process has asked
        "python_gc",
        "process_",
    )
    counters = {
        key: value
        for key, value in before.items()
        if key[0].endswith(durable) and not key[0].startswith(volatile) and value
    }
    assert counters
    assert {key: after.get(key) for key in counters} == counters


def test_sigterm_ends_in_time_logs_out_and_loses_nothing(lab, work):
    config = write_config(
        lab, work, {f"r{number}": route("slowrcpt", "probe1", interval=1) for number in range(3)}
    )
    lab.set_number("slowrcpt_seconds", 2)
    with Daemon(config) as daemon:
        time.sleep(2.5)
        logouts = lab.log_file("dovecot").read_text().count("Logged out")
        code, seconds = daemon.terminate()
        daemon_log = daemon.log.read_text()

    assert code == 0
    assert seconds < 10
    assert "Traceback" not in daemon_log
    assert lab.log_file("dovecot").read_text().count("Logged out") >= logouts + 2
    known = {probe["submission"]["disposition"] for probe in submitted(daemon.journal())}
    assert known <= {"accepted", "uncertain", "unobserved"}


def test_a_configuration_that_does_not_load_never_replaces_the_running_one(lab, work):
    config = write_config(lab, work, {"r": route(interval=0.5)})
    good = config.read_text()
    with Daemon(config, "--web.enable-lifecycle") as daemon:
        config.write_text(good.replace('"interval"', '"intervall"'))
        status, text = daemon.get("/-/reload", "POST")
        assert status == 500
        assert "intervall" in text
        assert "smtp-probe.yaml:" in text
        assert daemon.value("smtp_probe_config_last_reload_successful") == 0
        before = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] > before, "deliveries by the old one")
        config.write_text(good.replace('"r": {', '"renamed": {'))
        assert daemon.get("/-/reload", "POST")[0] == 200
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_probes_total", route="renamed") >= 1, "the new route"
        )

        assert daemon.value("smtp_probe_config_last_reload_successful") == 1


def test_probes_in_flight_survive_a_reload(lab, work):
    lab.set_delay(4)
    config = write_config(lab, work, {"r": route("delayed", "probe1", interval=1)})
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.in_flight() >= 2, "messages in flight")
        daemon.rest()
        assert daemon.in_flight() >= 2
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        assert set(daemon.outcomes()) == {"delivered"}


def test_the_lifecycle_is_shut_unless_it_is_opened(lab, work):
    config = write_config(lab, work, {"r": route(interval=3600)})
    with Daemon(config) as daemon:
        assert daemon.get("/-/reload", "POST")[0] == 403
        assert daemon.get("/-/healthy")[0] == 200


@pytest.fixture
def small_disk(work):
    """A file system for the state that is soon full: the log that a journal is written ahead to may alone be as large."""
    state = work / "state"
    state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(state)], check=True)
    yield state
    subprocess.run(["umount", "--lazy", str(state)], check=True)


def test_a_full_disk_stops_sending_says_so_and_heals(lab, work, small_disk):
    begun = submissions(lab)
    lab.set_delay(3)  # of half of the routes, so that many are under way when the disk is full
    routes = {
        f"r{number}": route(*(("delayed", "probe1") if number % 2 else ()), interval=0.5)
        for number in range(8)
    }
    with Daemon(write_config(lab, work, routes)) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 10, "deliveries")
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        daemon.wait_until(lambda: daemon.value("smtp_probe_journal_up") == 0, "the journal to be down")
        daemon.wait_until(lambda: "journal" in daemon.get("/")[1].lower(), "the page to say so")
        time.sleep(2)  # what had been written down before goes through three servers and their logs
        sent = submissions(lab)
        time.sleep(2)
        assert submissions(lab) == sent
        ballast.unlink()
        before = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.value("smtp_probe_journal_up") == 1, "the journal to be up again")
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= before + 2, "deliveries again")
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        # Every message that a server took has ended, and once; no other has.
        assert set(daemon.outcomes()) == {"delivered"}
        assert {probe["kind"] for probe in daemon.journal()} <= {"delivered", "unobserved"}
        assert daemon.outcomes()["delivered"] == submissions(lab) - begun
        log = daemon.log.read_text()
        for what in (
            "probes are not sent, because they cannot be written down",
            "missed slots are not counted",
        ):
            assert log.count(what) <= 2  # once when it began, once when it was over, however many there were
        assert log.count("probes are not sent, because they cannot be written down: ") == 1


def test_a_wrong_password_is_said_once_and_not_hammered(lab, work):
    wrong = work / "wrong"
    wrong.write_text("not-the-password\n")
    config = write_config(lab, work, {"r": route(interval=3600)})
    settings = json.loads(config.read_text())
    settings["mailboxes"]["probe2"]["auth"]["password_file"] = str(wrong)
    config.write_text(json.dumps(settings))
    daemon = Daemon(config).start()
    try:
        daemon.wait_until(lambda: "auth_refused" in daemon.log.read_text(), "the refusal to be logged")
        time.sleep(6)
        text = daemon.log.read_text()
        assert len([line for line in text.splitlines() if "auth_refused" in line]) == 1
        assert daemon.value("smtp_probe_mailbox_up", mailbox="probe2") == 0
        assert daemon.get("/-/ready")[0] == 503
        assert "not-the-password" not in text
    finally:
        daemon.kill()


def test_ten_thousand_foreign_mails_are_neither_touched_nor_in_the_way(lab, work):
    home = lab.layout.path("mail", "crowded")
    inbox = home / "inbox"
    owner = home.parent.stat()
    home.mkdir()
    inbox.write_text(
        "".join(
            f"From a@b.test  Thu Nov 26 10:00:00 2026\nFrom: a@b.test\nSubject: foreign {number}\n\nhello\n\n"
            for number in range(10_000)
        )
    )
    for path in (home, inbox):
        os.chown(path, owner.st_uid, owner.st_gid)
    routes = {"r": route("crowded", "crowded", interval=0.5)}
    config = write_config(lab, work, routes, mailboxes={"crowded": account(lab, "crowded")})
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 5, "deliveries", 60)
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        assert set(daemon.outcomes()) == {"delivered"}
    with mailbox(lab, "crowded") as box:
        box.select("INBOX", readonly=True)
        found = {
            what: len(box.search(None, what)[1][0].split()) for what in ("ALL", "SEEN", "FLAGGED", "DELETED")
        }
    assert found == {"ALL": 10_000, "SEEN": 0, "FLAGGED": 0, "DELETED": 0}

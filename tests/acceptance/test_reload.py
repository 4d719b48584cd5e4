"""Changes under a running daemon, on real servers: another account, another endpoint, another daemon, folders that go."""

import json
import subprocess
import sys

import pytest

from tests.acceptance.daemon import Daemon, free_port, route, write_config
from tests.lab.client import mailbox

pytestmark = pytest.mark.lab

RELOADED = "smtp_probe_config_last_reload_success_timestamp_seconds"


def change(daemon, edit):
    """Rewrite the configuration and have it taken up."""
    data = json.loads(daemon.config.read_text())
    edit(data)
    daemon.config.write_text(json.dumps(data))
    before = daemon.value(RELOADED)
    daemon.hang_up()
    daemon.wait_until(lambda: daemon.value(RELOADED) > before, "the reload")


def test_probes_in_flight_are_found_in_the_account_that_their_mailbox_was(lab, work):
    lab.set_delay(5)
    config = write_config(lab, work, {"r": route("delayed", "probe1", interval=1)})

    def move(data):
        data["mailboxes"]["probe1"]["auth"] = data["mailboxes"]["probe2"]["auth"]
        data["routes"]["r"] |= {"recipient": "probe2@example.test", "interval": 2}

    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.in_flight() >= 3, "messages in flight")
        change(daemon, move)
        moved = sum(daemon.outcomes().values())
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= moved + 5, "ends in both accounts")
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        assert set(daemon.outcomes()) == {"delivered"}
        assert len(daemon.journal()) == sum(daemon.outcomes().values()) >= 5


def test_a_certificate_is_told_of_the_endpoint_that_is_used_now(lab, work):
    name = "smtp_probe_tls_certificate_not_after_timestamp_seconds"
    config = write_config(lab, work, {"r": route(interval=1)})
    tls, starttls = (f"{lab.imap.host}:{port}" for port in (lab.imap.tls_port, lab.imap.starttls_port))

    def use_starttls(data):
        data["mailboxes"]["probe2"] |= {"port": lab.imap.starttls_port, "tls": "starttls"}

    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.value(name, endpoint=tls) > 0, "the certificate")
        assert daemon.value(name, endpoint=starttls) == 0
        change(daemon, use_starttls)
        daemon.wait_until(
            lambda: daemon.value(name, endpoint=starttls) > 0, "the other endpoint's certificate"
        )
        daemon.wait_until(lambda: daemon.value(name, endpoint=tls) == 0, "the former one to go")


def test_a_junk_folder_that_is_taken_away_and_made_again(lab, work):
    config = write_config(lab, work, {"r": route("probe3", "probe3", interval=0.5)})
    data = json.loads(config.read_text())
    auth = {"username": "probe3", "password_file": str(lab.password_file("probe3"))}
    data["mailboxes"]["probe3"] = data["mailboxes"]["probe2"] | {"auth": auth}
    config.write_text(json.dumps(data))
    with mailbox(lab, "probe3") as box, Daemon(config) as daemon:
        assert box.create("Spam")[0] == "OK"
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 1, "a delivery")
        change(daemon, lambda data: data["mailboxes"]["probe3"].update(junk="Spam"))
        daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up", mailbox="probe3") == 1, "a full view")
        assert box.delete("Spam")[0] == "OK"
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_mailbox_reconnects_total", mailbox="probe3") > 0, "the loss"
        )
        assert box.create("Spam")[0] == "OK"
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_mailbox_up", mailbox="probe3") == 1, "the view again"
        )
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        assert set(daemon.outcomes()) == {"delivered"}


def test_a_folder_that_is_not_there_is_named_and_nothing_is_called_lost(lab, work):
    config = write_config(lab, work, {"r": route(interval=1, deadline=2, give_up_after=4)})
    data = json.loads(config.read_text())
    data["mailboxes"]["probe2"]["folders"] = ["INBOX", "Nowhere"]
    config.write_text(json.dumps(data))
    daemon = Daemon(config).start()
    try:
        daemon.wait_until(
            lambda: "folder_missing" in daemon.log.read_text(), "the missing folder to be named"
        )
        assert "Nowhere" in daemon.log.read_text()
        assert daemon.get("/-/ready")[0] == 503
        assert daemon.value("smtp_probe_mailbox_up", mailbox="probe2") == 0
        assert set(daemon.outcomes()) <= {"delivered", "unobserved"}
    finally:
        daemon.kill()


def test_a_second_daemon_on_one_state_directory_is_told_to_go(lab, work):
    config = write_config(lab, work, {"r": route(interval=1)})
    with Daemon(config) as daemon:
        second = subprocess.run(
            [
                sys.executable, "-m", "smtp_probe", "run", f"--config.file={config}",
                f"--web.listen-address=127.0.0.1:{free_port()}",
            ],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert second.returncode == 2
        assert str(work / "state") in second.stderr
        assert "Traceback" not in second.stderr
        ends = sum(daemon.outcomes().values())
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) > ends, "the first to go on")
        daemon.kill()
    with daemon:
        assert daemon.is_ready()

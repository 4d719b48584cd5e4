"""The daemon as a service of systemd: what it tells through the notification socket, and when."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.acceptance.daemon import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path):
    """A configuration of servers that are not there: what is told does not depend on them."""
    (tmp_path / "state").mkdir(mode=0o700)
    port = free_port()
    path = tmp_path / "smtp-probe.yaml"
    sender = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "ehlo_name": "a.example",
        "envelope_from": "a@a.example",
    }
    settings = {
        "state_directory": str(tmp_path / "state"),
        "senders": {"nobody": sender},
        "mailboxes": {"nowhere": {"host": "127.0.0.1", "port": port, "tls": "none"}},
        "routes": {
            "r": {"sender": "nobody", "recipient": "b@b.example", "mailbox": "nowhere", "interval": 600}
        },
    }
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture
def told(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(20)
        yield lambda: receiver.recv(4096).decode()


def wait_for(told, wanted):
    """The next message that is no sign of life."""
    while (message := told()) == "WATCHDOG=1":
        pass
    assert message.startswith(wanted), message
    return message


def test_the_service_manager_knows_how_the_daemon_is(config, told, tmp_path):
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    command = [
        sys.executable,
        "-m",
        "smtp_probe",
        "run",
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
    ]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stderr=log) as daemon,
    ):
        try:
            assert wait_for(told, "READY=1") == "READY=1\nSTATUS=probing 1 route"
            assert told() == "WATCHDOG=1"
            daemon.send_signal(signal.SIGHUP)
            wait_for(told, "RELOADING=1\nMONOTONIC_USEC=")
            wait_for(told, "READY=1")
            config.write_text("routes: [")
            daemon.send_signal(signal.SIGHUP)
            wait_for(told, "RELOADING=1")
            wait_for(told, "READY=1")
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            wait_for(told, "STOPPING=1")
            assert daemon.wait(15) == 0
            assert time.monotonic() - began < 10
        finally:
            daemon.kill()
    assert "Traceback" not in (tmp_path / "log").read_text()

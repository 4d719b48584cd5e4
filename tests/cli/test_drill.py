"""The command `drill` as a whole: what is said of a name that is none, and of a server that is not there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.daemon import free_port

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("smtp-probe")


@pytest.fixture
def config(tmp_path):
    tmp_path.chmod(0o700)
    own = {"username": "probe", "password_env": "UNUSED"}
    settings = {
        "state_directory": str(tmp_path / "state"),
        "senders": {
            "relay": {
                "host": "127.0.0.1",
                "port": free_port(),
                "tls": "none",
                "ehlo_name": "probe.test",
                "envelope_from": "probe@example.test",
            }
        },
        "mailboxes": {"inbox": {"host": "127.0.0.1", "tls": "implicit", "auth": own}},
        "routes": {"daily": {"sender": "relay", "recipient": "probe@example.test", "mailbox": "inbox"}},
        "drills": {
            "rejection": {
                "closed": {"sender": "relay", "checks": ["relay"], "recipient": "probe@example.test"}
            }
        },
    }
    path = tmp_path / "smtp-probe.yaml"
    path.write_text(json.dumps(settings))
    return path


def run(config, *arguments):
    command = [str(PROGRAM), "drill", f"--config.file={config}", *arguments]
    environment = {"UNUSED": "x", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_a_server_that_is_not_there_is_not_observed(config):
    done = run(config, "closed", "--json")

    assert (done.returncode, done.stderr) == (3, "")
    facts = json.loads(done.stdout)
    assert (facts["result"], facts["findings"]) == ("unobserved", [])
    assert "connect failed" in facts["unobserved"][0]
    assert "not observed: relay: It could not be tried" in " ".join(run(config, "closed").stdout.split())


def test_a_name_that_is_no_drill_is_told_with_those_there_are(config):
    done = run(config, "open")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no drill 'open': choose one of closed" in done.stderr
    assert "Traceback" not in done.stderr

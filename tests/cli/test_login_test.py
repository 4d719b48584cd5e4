"""The command `login-test`, against the embedded mail path."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.embedded_path import TIMEOUT_SECONDS, embedded_path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    with embedded_path(tmp_path_factory.mktemp("path") / "demo", "on-time") as path:
        yield path


def run(config_file, *arguments, **environ):
    known = {name: text for name, text in os.environ.items() if not name.startswith("SMTP_PROBE")}
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", "login-test", f"--config.file={config_file}", *arguments],
        env=known | environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


def test_accounts_that_work_are_shown_with_exit_code_0(config_file):
    done = run(config_file)

    assert (done.returncode, done.stderr) == (0, "")
    titles = [line.split()[:2] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert titles == [["sender", "submission"], ["mailbox", "recipient"], ["mailbox", "sender"]]
    assert "  auth " in done.stdout
    assert "INBOX (inbox): " in done.stdout
    assert "\n  rcpt" not in done.stdout


def test_an_account_that_does_not_work_is_told_beside_the_others(config_file):
    done = run(config_file, "--json", SMTP_PROBE__SENDERS__SUBMISSION__PORT="1")

    assert (done.returncode, done.stderr) == (1, "")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["well"] for result in results] == [False, True, True]
    assert results[0]["problems"][0].startswith("connect: 127.0.0.1: Connection refused")


def test_a_mistake_in_the_configuration_is_told_with_exit_code_2(tmp_path):
    done = run(tmp_path / "none.yaml")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr

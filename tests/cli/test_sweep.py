"""The command `sweep`, against the embedded mail path: what is ours and old goes, and nothing else."""

import imaplib
import json
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.embedded_path import TIMEOUT_SECONDS, embedded_path

pytestmark = pytest.mark.slow
FOREIGN = (
    b"From: a@b.test\r\nSubject: [smtp-probe x]\r\nX-SMTP-Probe: spt1-" + b"a" * 48 + b"\r\n\r\nnot ours\r\n"
)
KEEP = {"SMTP_PROBE__MAILBOXES__RECIPIENT__AFTER_JUDGEMENT": "keep"}
OLD = {"SMTP_PROBE__MAILBOXES__RECIPIENT__SWEEP_AFTER": "1s"}


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    with embedded_path(tmp_path_factory.mktemp("path") / "demo", "on-time") as path:
        yield path


def run(config_file, command, *arguments, **environ):
    known = {name: text for name, text in os.environ.items() if not name.startswith("SMTP_PROBE")}
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", command, f"--config.file={config_file}", *arguments],
        env=known | environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def swept(config_file, *arguments, **environ):
    done = run(config_file, "sweep", "--json", *arguments, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    return {facts["mailbox"]: facts for facts in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def box(config_file):
    """The recipient's mailbox, for somebody else."""
    settings = YAML(typ="safe").load(config_file.read_text())["mailboxes"]["recipient"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4(settings["host"], settings["port"]) as connection:
        connection.starttls(context)
        auth = settings["auth"]
        connection.login(auth["username"], Path(auth["password_file"]).read_text().strip())
        yield connection


def test_what_is_ours_and_old_goes_and_nothing_else(config_file, box):
    assert run(config_file, "probe", "on-time", "--json", **KEEP).returncode == 0
    box.append("INBOX", None, None, FOREIGN)
    time.sleep(1.2)

    (young,) = swept(config_file, "--dry-run")["recipient"]["messages"]
    assert (young["route"], young["folder"], young["orphan"], young["removed"]) == (
        "on-time",
        "INBOX",
        False,
        False,
    )
    assert swept(config_file)["recipient"]["messages"] == [young], "a probe may wait for it"

    (old,) = swept(config_file, "--dry-run", **OLD)["recipient"]["messages"]
    assert (old["orphan"], old["removed"]) == (True, False)
    (kept,) = swept(config_file, **OLD, **KEEP)["recipient"]["messages"]
    assert (kept["orphan"], kept["removed"]) == (True, False)

    done = run(config_file, "sweep", **OLD)
    assert done.returncode == 0
    assert "recipient: 1 of ours, 1 that nobody waits for, 1 removed\n  INBOX " in done.stdout
    assert swept(config_file, **OLD)["recipient"]["messages"] == []
    box.select("INBOX", readonly=True)
    assert box.search(None, "ALL")[1] != [b""], "the foreign one stays"
    assert box.search(None, "SEEN")[1] == [b""]


def test_a_mailbox_that_is_not_there_is_told_with_exit_code_3(config_file):
    done = run(config_file, "sweep", "--dry-run", SMTP_PROBE__MAILBOXES__RECIPIENT__PORT="1")

    assert done.returncode == 3
    assert "recipient: cannot be looked into: " in done.stdout
    assert "Traceback" not in done.stderr

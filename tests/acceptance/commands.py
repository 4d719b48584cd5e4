"""The commands for accounts, run beside a daemon on its configuration: `login-test` and `sweep` as a person uses them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.acceptance.daemon import Daemon


def run_command(config: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", name, f"--config.file={config}", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
    )


def read_lines(run: subprocess.CompletedProcess[str], key: str) -> dict[str, dict[str, Any]]:
    """The JSON objects of an output, by one of their values."""
    assert run.returncode == 0, run.stdout + run.stderr
    return {each[key]: each for each in map(json.loads, run.stdout.splitlines())}


def try_logins(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """What `login-test` says of each account."""
    return read_lines(run_command(daemon.config, "login-test", "--json"), "name")


def sweep_what_was_kept(daemon: Daemon, mailbox: str, route: str) -> None:
    """Leave a message of ours in a mailbox, and have it swept: first in words only, then in deed."""
    kept = _variant(daemon, mailbox, after_judgement="keep")
    sent = json.loads(run_command(kept, "probe", route, "--json").stdout)["probe_id"]
    time.sleep(1.2)  # until nobody can wait for it any more

    def swept(config: Path, *arguments: str) -> dict[str, Any]:
        found = read_lines(run_command(config, "sweep", "--json", *arguments), "mailbox")[mailbox]
        assert found["problem"] is None
        of_ours: dict[str, Any] = {each["probe_id"]: each for each in found["messages"]}
        return of_ours.get(sent, {})

    removing = _variant(daemon, mailbox, after_judgement="delete")
    for config, arguments in ((removing, ("--dry-run",)), (kept, ())):
        message = swept(config, *arguments)
        assert (message["route"], message["orphan"], message["removed"]) == (route, True, False)
    assert swept(removing)["removed"]
    assert swept(removing) == {}


def _variant(daemon: Daemon, mailbox: str, **settings: Any) -> Path:
    """The daemon's configuration with other settings of a mailbox, in which a message is an orphan after a second."""
    data = json.loads(daemon.config.read_text())
    data["mailboxes"][mailbox] |= {"sweep_after": 1, **settings}
    path = daemon.config.with_name(f"{settings['after_judgement']}.yaml")
    path.write_text(json.dumps(data))
    return path

"""Who works alone needs no NATS: nothing of it is imported, and a role without the extra is refused with a sentence."""

import json
import subprocess
import sys

import pytest

from tests.config.samples import write_sound

pytestmark = pytest.mark.slow

WITHOUT = """
import sys
sys.modules["nats"] = None
sys.argv = ["smtp-probe", *sys.argv[1:]]
from smtp_probe.cli import main
main()
"""
LOADED = """
import sys, pkgutil, importlib
import smtp_probe.app.daemon, smtp_probe.app.single, smtp_probe.cli.run, smtp_probe.cli
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("nats", "nkeys")))
"""


def test_the_daemon_loads_nothing_of_nats():
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60)

    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize("arguments", [["run", "--role=worker"], ["check-config"]])
def test_without_the_extra_only_a_role_is_refused(tmp_path, arguments):
    config = write_sound(tmp_path)
    command = [sys.executable, "-c", WITHOUT, *arguments]
    command += [str(config)] if arguments == ["check-config"] else [f"--config.file={config}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"INBOX_PASSWORD": "x", "PATH": ""}
    )

    if arguments == ["check-config"]:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 2
        assert done.stderr == "--role needs the extra `nats`: pip install 'smtp-probe[nats]'\n"


def test_a_role_needs_its_section_and_a_key_that_is_shared(tmp_path):
    config = write_sound(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "smtp_probe", "run", "--role=all", f"--config.file={config}"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"INBOX_PASSWORD": "x", "PATH": ""},
    )

    assert done.returncode == 2
    assert "engine: a role needs this section" in done.stderr
    assert "tag_key_files: processes that share the work must share their signing keys" in done.stderr
    assert json.dumps(done.stdout) == '""'

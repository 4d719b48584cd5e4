"""One daemon for one state directory, by the kernel's own lock."""

import os
import subprocess
import sys

import pytest

from smtp_probe.app.state_lock import StateLock
from smtp_probe.errors import ConfigError

HOLD = """
import sys, time
from pathlib import Path
from smtp_probe.app.state_lock import StateLock
lock = StateLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.mark.slow
def test_a_second_daemon_is_told_who_is_there(tmp_path, other):
    with pytest.raises(ConfigError) as caught:
        StateLock(tmp_path).take()

    assert str(caught.value) == (
        f"state_directory: {tmp_path} is used by another smtp-probe (process {other.pid}):"
        " give each daemon a state directory of its own"
    )


@pytest.mark.slow
def test_a_killed_daemon_holds_nothing(tmp_path, other):
    other.kill()
    other.wait()
    lock = StateLock(tmp_path)
    lock.take()
    lock.take()

    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.give_back()
    second = StateLock(tmp_path)
    second.take()
    second.give_back()


def test_a_directory_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        StateLock(tmp_path / "missing").take()

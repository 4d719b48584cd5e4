"""The lab starts and ends fast, runs twice, survives the loss of a part, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import machine
from .block import claim_block
from .client import send, wait_for_mail, write
from .errors import LabError
from .lab import MailLab
from .readiness import wait_until

pytestmark = pytest.mark.lab

PROJECT = Path(__file__).parents[2]


def space_of(pid: int) -> str | None:
    """Name the mount name space of a process, or None for one that is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return None


def start_of(pid: str) -> str:
    """Return when a process started, as its part recorded it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]


def processes_in(space: str) -> list[int]:
    """Return every process of a mount name space: each lab has one of its own."""
    return [
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and space_of(int(path.name)) == space
    ]


def test_it_leaves_nothing_behind() -> None:
    """No process, no directory; and the start and the end are quick."""
    began = time.monotonic()
    with MailLab.start() as lab:
        assert time.monotonic() - began < 20
        root, space = lab.layout.root, space_of(lab.parts["mx"].pid)
        assert space is not None
        assert len(processes_in(space)) > len(lab.parts)
        recorded = [path.read_text().split() for path in (root / "pids").iterdir()]
        assert len(recorded) == len(lab.parts)
        assert all(start_of(pid) == start for pid, start in recorded)
        send(lab, write("probe1@example.test"))
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 10
    assert processes_in(space) == []
    assert not root.exists()


def test_two_labs_at_once(lab: MailLab) -> None:
    """Each has its own block, and mail stays in its own lab."""
    with MailLab.start() as other:
        assert other.layout.block != lab.layout.block
        sent = [send(each, write("probe2@example.test")) for each in (lab, other)]
        for each, message_id in zip((lab, other), sent, strict=True):
            wait_for_mail(each, "probe2", message_id)
        assert other.mail_log().journey(sent[0]).hops == []
    wait_for_mail(lab, "probe2", send(lab, write("probe2@example.test")))


def test_a_block_that_another_program_uses_is_left_alone() -> None:
    """The next one is taken; when there is none, the error says who is in the way."""
    with socket.create_server(("127.77.253.4", 143)):
        with pytest.raises(LabError, match=r"127\.77\.253\.4:143"):
            claim_block(["127.77.253"])
        with claim_block(["127.77.253", "127.77.254"]).holder as holder:
            assert holder.getsockname() == b"\0smtp-probe-lab-127.77.254"


@pytest.fixture
def command(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", Path, str]]:
    """`python -m tests.lab`, when it runs: the process, the lab's directory and its mount name space."""
    # A shell has the programs that it starts in the background ignore SIGINT, and so do their children.
    lab = [sys.executable, "-m", "tests.lab", "--config-out", str(tmp_path / "smtp-probe.yaml")]
    argv = ["env", "--default-signal=INT", *lab]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdout is not None
        said = "".join(iter(process.stdout.readline, "The lab runs. Ctrl-C ends it.\n"))
        root = Path(re.findall(r"^directory +(\S+)", said, re.MULTILINE)[0])
        assert f"password_file: {root}/secrets/probe1" in (tmp_path / "smtp-probe.yaml").read_text()
        space = space_of(int((root / "pids" / "dns").read_text().split()[0]))
        assert space
        yield process, root, space
        process.kill()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_killed_owner_takes_the_lab_with_it(
    command: tuple["subprocess.Popen[str]", Path, str], number: signal.Signals, code: int
) -> None:
    """Whatever ends the process that started the lab ends the lab."""
    process, root, space = command
    process.send_signal(number)
    assert process.wait(30) == code
    wait_until(lambda: not processes_in(space) and not root.exists(), "the end of the lab", 10)


def test_nothing_survives_the_guardian() -> None:
    """The kernel ends a process name space with its first process; the owner then removes the directory."""
    with MailLab.start() as lab:
        guardian = lab._enclosure.guardian_pid
        space = space_of(guardian)
        assert space is not None
        os.kill(guardian, signal.SIGKILL)
        wait_until(lambda: not processes_in(space), "the end of every process", 5)
        assert not any(part.is_running for part in lab.parts.values())
    assert not lab.layout.root.exists()


def test_a_machine_that_cannot_run_a_lab_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.setattr(machine, "PROGRAMS", ("nsd", "no-such-program"))
    with pytest.raises(LabError, match=r"missing: no-such-program; `sh tests/lab/install\.sh`"):
        MailLab.start()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        MailLab.start()


def test_a_start_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """The directory of a refused start is gone too."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(LabError, match="not all users may enter"):
        MailLab.start(closed / "lab")
    assert list(closed.iterdir()) == []


@pytest.mark.parametrize("name", ["dns", "submit", "relay", "mx", "dovecot", "dkim-sign", "policy"])
def test_a_part_can_be_killed_and_started_again(lab: MailLab, name: str) -> None:
    """Nothing of it answers meanwhile, and afterwards mail goes through."""
    pid = lab.parts[name].pid
    lab.kill_part(name)
    assert not Path(f"/proc/{pid}").exists()
    for listener in lab.layout.listeners(name):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener, 1).close()
    lab.start_part(name)
    wait_for_mail(lab, "probe2", send(lab, write("probe2@example.test")))


@pytest.mark.parametrize("name", ["relay", "dovecot"])
def test_mail_waits_for_a_part_that_is_stopped(lab: MailLab, name: str) -> None:
    """A server in the middle is away for a while; the mail is late, not lost."""
    mail = write("probe2@example.test")
    before = {"relay": "submit", "dovecot": "mx"}[name]
    if name == "dovecot":  # which also checks the passwords of the submission server
        lab.stop_part("relay")
    sent = send(lab, mail)
    lab.stop_part(name)
    if name == "dovecot":
        lab.start_part("relay")
    lab.mail_log().wait_for(
        sent,
        lambda it: any(
            each.status == "deferred" for hop in it.hops if hop.instance == before for each in hop.deliveries
        ),
    )
    lab.start_part(name)
    wait_for_mail(lab, "probe2", sent)


def test_the_packages_are_found_installed_quickly() -> None:
    """Where nothing is missing, the installer takes less than a second."""
    began = time.monotonic()
    subprocess.run(["sh", str(Path(__file__).with_name("install.sh")), "--quiet"], check=True)
    assert time.monotonic() - began < 1
    assert Path("/usr/sbin/nsd").exists()

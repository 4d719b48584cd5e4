"""The command `explain`, as a shell runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smtp_probe.cli import app
from tests.mail.lines import chain, line

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data" / "received"
SOUND = b"From: joe@example.org\r\nSubject: hi\r\nDate: Tue, 1 Sep 2026 08:00:00 +0000\r\n\r\nbody\r\n"
FROM = b"From - Tue Sep 01 08:00:00 2026\r\n"
RUNNER = CliRunner()
EXPLAINED = sorted((DATA / "explained").glob("*.eml"))
HOP_KEYS = (
    *("from_name", "from_host", "from_ip", "by", "with", "id", "for", "tls_version", "tls_cipher"),
    *("at", "resolution_seconds", "stamp_source", "delay_seconds", "uncertainty_seconds", "flags"),
)


def run(*arguments, stdin=None, **environ):
    return RUNNER.invoke(app, ["explain", *map(str, arguments)], input=stdin, env=environ)


def run_process(*arguments, stdin=b"", **environ):
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", "explain", *map(str, arguments)],
        env=clean | environ,
        input=stdin,
        capture_output=True,
        timeout=60,
    )


def objects(result):
    return [json.loads(text) for text in result.stdout.splitlines()]


@pytest.fixture
def mails(tmp_path):
    """A message, an mbox of two, and a file without mail."""
    (tmp_path / "one.eml").write_bytes(line() + SOUND)
    (tmp_path / "two.mbox").write_bytes(
        FROM + b"X-Mozilla-Status: 0001\r\nX-Mozilla-Status2: 00000000\r\n" + line("a.test") + SOUND
        + b"\r\n" + FROM + line("b.test") + SOUND
    )  # fmt: skip
    (tmp_path / "no.txt").write_bytes(b"no mail\n")
    return tmp_path


def test_messages_of_several_files_are_told_in_order_one_object_a_line(mails):
    result = run("--json", mails / "two.mbox", mails / "one.eml")

    assert result.exit_code == 0
    assert [(found["file"], found["message"], found["hops"][0]["by"]) for found in objects(result)] == [
        (str(mails / "two.mbox"), 1, "a.test"),
        (str(mails / "two.mbox"), 2, "b.test"),
        (str(mails / "one.eml"), 1, "mx.example.net"),
    ]


def approximately(value):
    return pytest.approx(value, abs=1e-9) if isinstance(value, float) else value


@pytest.mark.parametrize("mail", EXPLAINED, ids=lambda path: path.stem)
def test_every_hop_of_a_mail_is_told_as_written_beside_it(mail):
    """Whole chains, as each software writes them. What is not written beside a mail is unknown, and must be null."""
    expected = json.loads(mail.with_suffix(".json").read_text(encoding="utf-8"))["hops"]

    hops = objects(run("--json", mail))[0]["hops"]

    assert [{key: hop[key] for key in HOP_KEYS} for hop in hops] == [
        {key: approximately(hop.get(key)) for key in HOP_KEYS} for hop in expected
    ]


def test_standard_input_may_hold_a_message_or_an_mbox(mails):
    assert [found["file"] for found in objects(run("--json", "-", stdin=line() + SOUND))] == ["-"]
    both = objects(run("--json", "-", stdin=(mails / "two.mbox").read_bytes()))
    assert [(found["message"], found["subject"]) for found in both] == [(1, "hi"), (2, "hi")]


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_explained(mails, flags):
    result = run(*flags, mails / "absent", mails / "one.eml", mails, mails / "no.txt", mails / "two.mbox")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{mails}/absent cannot be read: no such file or directory",
        f"{mails} cannot be read: is a directory",
        f"{mails}/no.txt holds no message: it is without any header of mail",
    ]
    assert "mx.example.net" in result.stdout
    assert "b.test" in result.stdout


def test_findings_do_not_change_the_exit_code(tmp_path):
    path = tmp_path / "odd.eml"
    path.write_bytes(chain(("a.test", "09:00:00"), ("b.test", "08:00:00")) + SOUND)

    result = run("--json", path)

    assert result.exit_code == 0
    assert objects(result)[0]["findings"]


@pytest.mark.parametrize(
    "written",
    [["--own", "example.com", "--own", ".example.net"], ["--own", "EXAMPLE.com", "--own", "mx.example.net"]],
)
def test_own_hosts_divide_the_way(tmp_path, written):
    path = tmp_path / "mail"
    hops = [("out.example.org", "08:00:00"), ("gw.example.com", "08:00:05"), ("mx.example.net", "08:00:06")]
    path.write_bytes(chain(*hops) + SOUND)

    found = objects(run("--json", path, *written))[0]

    assert found["own"]["assumed"] is False
    assert found["legs"] == [
        {"leg": "transport", "from_hop": 1, "to_hop": 2, "seconds": 5.0},
        {"leg": "inbound", "from_hop": 2, "to_hop": 3, "seconds": 1.0},
    ]


def test_an_own_host_that_is_none_is_a_mistake_of_the_command_line(mails):
    result = run(mails / "one.eml", "--own", "joe@example.org")

    assert result.exit_code == 2
    assert "no host, domain or address" in result.stderr


def test_no_file_is_a_mistake_of_the_command_line():
    assert run().exit_code == 2


def test_several_messages_are_shown_under_their_names(mails, monkeypatch):
    monkeypatch.chdir(mails)

    page = run("one.eml", "two.mbox").stdout

    assert [text for text in page.splitlines() if text.startswith(("one.eml", "two.mbox"))] == [
        "one.eml",
        "two.mbox",
        "two.mbox, message 2",
    ]


def test_details_are_shown_when_they_are_asked_for(mails):
    assert "at 2026-09-01T08:00:00Z id x-1 from" in run(mails / "one.eml", "--details").stdout
    assert "id x-1" not in run(mails / "one.eml").stdout


def test_a_pipe_gets_plain_lines_of_the_width_that_it_asks_for():
    result = run_process(
        DATA / "gmail.eml", DATA / "mixed-clocks.eml", COLUMNS="40", PYTHONIOENCODING="utf-8"
    )

    page = result.stdout.decode()
    assert result.returncode == 0
    assert result.stderr == b""
    assert all(text.isprintable() and len(text) <= 40 for text in page.split("\n"))


def test_a_stream_of_ascii_gets_ascii():
    result = run_process(DATA / "gmail.eml", PYTHONIOENCODING="ascii", LC_ALL="C")

    assert result.returncode == 0
    assert b"+-1 s" in result.stdout
    assert result.stdout.isascii()


def test_a_reader_that_has_seen_enough_gets_no_traceback(tmp_path):
    path = tmp_path / "big.mbox"
    path.write_bytes((FROM + line() + SOUND) * 2000)
    command = f"{sys.executable} -m smtp_probe explain {path} | head -n 1"

    result = subprocess.run(command, shell=True, capture_output=True, timeout=60)

    assert result.stdout.count(b"\n") == 1
    assert result.stderr == b""


def test_closed_standard_input_gets_no_traceback():
    command = f"{sys.executable} -m smtp_probe explain - <&-"

    result = subprocess.run(command, shell=True, capture_output=True, timeout=60)

    assert (result.returncode, result.stderr) == (2, b"standard input cannot be read: it is closed\n")


@pytest.mark.parametrize(
    "content", [b"\0" * 1000, b"Received:" * 5000, b"\xff\xfe\x00", b"From \n" * 50, os.urandom(5000)]
)
def test_rubbish_gets_no_traceback(content):
    result = run("-", "--details", stdin=content)

    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 2)


def test_every_check_and_every_key_is_in_the_documentation():
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "smtp_probe" / "mail" / "explanation").rglob("*.py")
    ]
    written = r'(?:\bcheck=|_finding\(\s*|_report\()"([a-z_]+)"'
    checks = {check for source in sources for check in re.findall(written, source)}
    keys = objects(run("--json", "-", stdin=line() + SOUND))[0].keys()

    assert len(checks) == 27
    assert [check for check in checks if f"| `{check}` |" not in page] == []
    assert [key for key in keys if f"`{key}`" not in page] == []


def test_the_example_in_the_documentation_is_what_the_command_shows(monkeypatch):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    monkeypatch.chdir(Path(__file__).parent / "samples")

    shown = run_process("complaint.eml", PYTHONIOENCODING="utf-8", PYTHONPATH=str(ROOT)).stdout.decode()

    assert f"$ smtp-probe explain complaint.eml\n{shown}```\n" in page

"""The command `list-routes`: columns, blocks on a narrow terminal, objects for programs."""

import json
import os
import subprocess
import sys

import pytest

from smtp_probe.cli.list_routes import draw_routes
from tests.config.samples import write_sound
from tests.pseudo_terminal import Terminal
from tests.report.samples import make_config

pytestmark = pytest.mark.slow

TIMEOUT_SECONDS = 30


@pytest.fixture
def config_file(tmp_path):
    return write_sound(tmp_path)


def command(path, *arguments):
    return [sys.executable, "-m", "smtp_probe", "list-routes", f"--config.file={path}", *arguments]


def environment(**environ):
    return {name: text for name, text in os.environ.items() if not name.startswith("SMTP_PROBE")} | environ


def run(path, *arguments):
    return subprocess.run(
        command(path, *arguments), env=environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )


def test_in_a_pipe_each_route_is_one_line_however_wide_and_no_secret_is_read(config_file):
    done = run(config_file)

    assert (done.returncode, done.stderr) == (0, "")
    title, line = done.stdout.splitlines()
    assert title.split() == ["route", "from", "by", "to", "mailbox", "every", "deadline"]
    assert line == "daily  probe@example.org  relay  probe@example.org  inbox    300 s  300 s"
    assert title.index("mailbox") == line.index("inbox")


def test_programs_get_an_object_a_line(config_file):
    done = run(config_file, "--json")

    assert json.loads(done.stdout) == {
        "route": "daily",
        "sender": "relay",
        "sender_server": "mail.example.org:587",
        "envelope_from": "probe@example.org",
        "recipient": "probe@example.org",
        "mailbox": "inbox",
        "mailbox_server": "mail.example.org:993",
        "bounce_mailbox": None,
        "interval_seconds": 300.0,
        "deadline_seconds": 300.0,
        "labels": {},
    }


def test_routes_stand_in_the_order_of_their_names_and_columns_fit_the_longest():
    lines = list(draw_routes(make_config("to-a-far-place", "a"), None))

    assert [line.split()[0] for line in lines] == ["route", "a", "to-a-far-place"]
    assert {line.index("probe@") for line in lines[1:]} == {len("to-a-far-place") + 2}


def test_on_a_narrow_terminal_each_route_is_a_block():
    lines = list(draw_routes(make_config("daily"), 40))

    assert lines[:2] == ["daily", "  from      probe@example.net"]
    assert lines[-1] == "  deadline  300 s"
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}])
def test_a_terminal_of_eighty_columns_has_no_line_that_wraps(config_file, environ):
    with Terminal(command(config_file), environment(**environ)) as terminal:
        assert terminal.wait(TIMEOUT_SECONDS) == 0

    assert "probe@example.org" in terminal.written
    assert "\x1b" not in terminal.written


def test_a_reader_that_has_seen_enough_is_no_error(config_file):
    with subprocess.Popen(
        command(config_file), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()

    assert process.returncode == 0
    assert complaint == b""


def test_a_configuration_with_a_mistake_is_told_with_exit_code_2(tmp_path):
    done = run(tmp_path / "none.yaml")

    assert (done.returncode, done.stdout) == (2, "")
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.stderr

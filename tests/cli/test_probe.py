"""The command `probe`, against the embedded mail path."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.cli.embedded_path import TIMEOUT_SECONDS, embedded_path
from tests.cli.views import is_plain
from tests.pseudo_terminal import ENDING_SECONDS, Terminal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    with embedded_path(tmp_path_factory.mktemp("path") / "demo", "on-time", "bounced", "lost") as path:
        yield path


def command(*arguments):
    return [sys.executable, "-m", "smtp_probe", "probe", *map(str, arguments)]


def clean_environment(**environ):
    strange = ("SMTP_PROBE", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    known = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return known | environ


def probe(*arguments, **environ):
    return subprocess.run(
        command(*arguments),
        env=clean_environment(**environ),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


def test_a_delivery_is_shown_as_plain_lines_in_a_pipe(config_file):
    done = probe("on-time", "--config.file", config_file, FORCE_COLOR="1")

    assert done.returncode == 0, done.stderr
    assert is_plain(done.stdout)
    assert "  starttls " in done.stdout
    assert "  store.example.test " in done.stdout
    assert "reply     250 2.0.0 Ok: queued as " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("✓ delivered in ")
    assert done.stderr == ""


def test_a_bounce_is_a_mail_problem(config_file):
    done = probe("bounced", "--json", "--config.file", config_file)

    assert done.returncode == 1, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["outcome"], facts["exit_code"]) == ("bounced", 1)
    assert facts["bounce"]["status"] == "5.1.1"
    assert facts["queue_id"]


def test_as_a_plugin_it_says_one_line_and_exits_by_the_guidelines(config_file):
    done = probe("on-time", "--nagios", "-w", "30", "-c", "60", "--config.file", config_file)
    slow = probe("on-time", "--nagios", "--warning", "0.001", "--config.file", config_file)
    bounced = probe("bounced", "--nagios", "--config.file", config_file)

    assert (done.returncode, slow.returncode, bounced.returncode) == (0, 1, 2)
    assert re.fullmatch(
        r"SMTP_PROBE OK - on-time: delivered in \S+ m?s \| delivery=\d\.\d{6}s;30;60;0 "
        r"visibility=U;;;0 submission=\d\.\d{6}s;;;0\n",
        done.stdout,
    )
    assert "(warning range 0.001) | " in slow.stdout
    assert bounced.stdout.startswith(
        "SMTP_PROBE CRITICAL - bounced: bounced by relay.example.test: 550 5.1.1"
    )
    assert done.stderr + slow.stderr + bounced.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["nowhere"], {}, "there is no route 'nowhere'"),
        (["on-time", "-w", "soon"], {}, "'soon' is no range of seconds"),
        (["on-time"], {"SMTP_PROBE__MAILBOXES__RECIPIENT__PORT": "1"}, "not observed: mailbox recipient"),
        (
            ["on-time"],
            {"SMTP_PROBE__SENDERS__SUBMISSION__PORT": "x"},
            "SMTP_PROBE__SENDERS__SUBMISSION__PORT",
        ),
    ],
)
def test_as_a_plugin_what_hinders_the_check_is_unknown(config_file, arguments, environ, said):
    done = probe(*arguments, "--nagios", "--config.file", config_file, **environ)

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("SMTP_PROBE UNKNOWN - ")
    assert said in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_as_a_plugin_a_timeout_of_the_monitoring_system_is_unknown(config_file):
    environ = clean_environment(
        SMTP_PROBE__ROUTES__LOST__DEADLINE="60s", SMTP_PROBE__ROUTES__LOST__GIVE_UP_AFTER="60s"
    )
    arguments = command("lost", "--nagios", "--config.file", config_file)
    with subprocess.Popen(arguments, env=environ, stdout=subprocess.PIPE, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)  # by then it waits, and a signal finds its handler
        process.terminate()
        said, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 3
    assert said == "SMTP_PROBE UNKNOWN - stopped by signal 15 before there was a result\n"


@pytest.mark.parametrize("arguments", [["--nagios", "--json"], ["--warning", "5"]])
def test_flags_that_exclude_each_other_are_told_and_nothing_is_sent(config_file, arguments):
    done = probe("on-time", *arguments, "--config.file", config_file)

    assert (done.returncode, done.stdout) == (2, "")
    assert "--nagios" in done.stderr


def test_a_mailbox_that_cannot_be_opened_is_not_observed_and_nothing_is_sent(config_file):
    done = probe(
        "on-time", "--json", "--config.file", config_file, SMTP_PROBE__MAILBOXES__RECIPIENT__PORT="1"
    )

    assert done.returncode == 3, done.stderr
    facts = json.loads(done.stdout)
    assert facts["outcome"] == "unobserved"
    assert facts["unobserved"].startswith("mailbox recipient: connect")
    assert facts["phases"] is None


def test_a_server_that_is_not_there_is_a_mail_problem(config_file):
    done = probe("on-time", "--config.file", config_file, SMTP_PROBE__SENDERS__SUBMISSION__PORT="1")

    assert done.returncode == 1, done.stderr
    assert "✗ connection refused while connecting" in done.stdout
    assert "TLS " not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["nowhere"], {}, "no route 'nowhere': choose one of bounced, lost, on-time"),
        (["\x1b[31mred"], {}, "no route '\\x1b[31mred'"),
        (["on-time"], {"SMTP_PROBE__STATE_DIRECTORY": "/proc/nowhere"}, "run it as the daemon's user"),
        (
            ["on-time"],
            {"SMTP_PROBE__SENDERS__SUBMISSION__PORT": "x"},
            "SMTP_PROBE__SENDERS__SUBMISSION__PORT",
        ),
        ([], {}, "Missing argument"),
    ],
)
def test_a_mistake_is_told_in_words_with_exit_code_2(config_file, arguments, environ, said):
    done = probe(*arguments, "--config.file", config_file, COLUMNS="200", **environ)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_and_gives_the_terminal_back(config_file, number, code):
    environ = clean_environment(
        SMTP_PROBE__ROUTES__LOST__DEADLINE="60s", SMTP_PROBE__ROUTES__LOST__GIVE_UP_AFTER="60s"
    )
    with Terminal(command("lost", "--config.file", config_file), environ) as terminal:
        live = terminal.read_until("watching the mailbox for the message, at most 60.00 s", TIMEOUT_SECONDS)
        terminal.process.send_signal(number)
        assert terminal.wait(ENDING_SECONDS) == code
        assert terminal.settings_now() == terminal.settings

    assert "starttls" in live
    assert terminal.written.rfind("\x1b[?25h") > terminal.written.rfind("\x1b[?25l")
    assert "Traceback" not in terminal.written


def test_on_a_terminal_the_result_stands_in_place_of_the_live_view(config_file):
    with Terminal(command("on-time", "--config.file", config_file), clean_environment()) as terminal:
        assert terminal.wait(TIMEOUT_SECONDS) == 0

    assert "\x1b[1;32m✓ delivered in " in terminal.written
    assert terminal.written.rfind("submission") > terminal.written.rfind("\x1b[?25h")


def test_no_color_is_obeyed_on_a_terminal(config_file):
    with Terminal(
        command("on-time", "--config.file", config_file), clean_environment(NO_COLOR="1")
    ) as terminal:
        assert terminal.wait(TIMEOUT_SECONDS) == 0

    assert "\x1b" not in terminal.written
    assert "arrival: watching the mailbox" in terminal.written
    assert "✓ delivered in " in terminal.written


def complete(words, **environ):
    """What bash would offer after these words."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "smtp_probe"],
        env=clean_environment(_SMTP_PROBE_COMPLETE="complete_bash", **asked, **environ),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    return done.stdout.split(), done.stderr


def test_the_shell_completes_routes(config_file):
    assert complete(f"smtp-probe probe --config.file {config_file} o") == (["on-time"], "")
    assert complete("smtp-probe probe o", SMTP_PROBE_CONFIG_FILE=str(config_file)) == (["on-time"], "")
    assert complete(f"smtp-probe probe --config.file {config_file} z") == ([], "")


@pytest.mark.parametrize(
    ("shell", "asked", "offered"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "smtp-probe probe o"}, '_arguments \'*: :(("on-time"))\''),
        ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": "smtp-probe probe o"}, "on-time"),
    ],
)  # fmt: skip
def test_other_shells_complete_them_too(config_file, shell, asked, offered):
    done = subprocess.run(
        [sys.executable, "-m", "smtp_probe"],
        env=clean_environment(
            _SMTP_PROBE_COMPLETE=f"complete_{shell}", SMTP_PROBE_CONFIG_FILE=str(config_file), **asked
        ),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert (done.stdout.strip().replace("\n", ""), done.stderr) == (offered, "")


def test_a_configuration_that_cannot_be_read_completes_to_nothing(tmp_path):
    assert complete(f"smtp-probe probe --config.file {tmp_path}/none o") == ([], "")

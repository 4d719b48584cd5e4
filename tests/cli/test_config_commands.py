import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import smtp_probe
from smtp_probe.cli import app
from smtp_probe.config.schema import json_schema, markdown_reference
from tests.config.samples import SOUND, write_sound

pytestmark = pytest.mark.slow

RUNNER = CliRunner()
ENVIRON = {"INBOX_PASSWORD": "hunter2"}


def run(*arguments, **environ):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], env=ENVIRON | environ)


def run_process(*arguments, **environ):
    """The whole program, as a shell starts it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SMTP_PROBE")}
    return subprocess.run(
        [sys.executable, "-m", "smtp_probe", *map(str, arguments)],
        env=clean | ENVIRON | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def sound(tmp_path):
    path = write_sound(tmp_path)
    (tmp_path / "relay.password").chmod(0o600)
    return path


def test_a_sound_file_is_counted(sound):
    result = run("check-config", sound)
    assert result.exit_code == 0
    assert result.stdout == f"{sound}: ok: 1 route, 1 sender, 1 mailbox\n"
    assert result.stderr == ""


def test_several_of_a_kind_are_counted(tmp_path):
    text = SOUND.replace("  inbox:\n", "  other: {host: a, tls: implicit}\n  inbox:\n")
    text += "  weekly: {sender: relay, recipient: a@b, mailbox: other}\n"
    assert (
        ": ok: 2 routes, 1 sender, 2 mailboxes\n" in run("check-config", write_sound(tmp_path, text)).stdout
    )


def test_problems_go_to_standard_error_and_the_exit_code_is_2(tmp_path):
    path = write_sound(tmp_path, SOUND.replace("tls: implicit", "tls: ssl") + "    intervall: 5\n")
    result = run("check-config", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:13: mailboxes.inbox.tls: expected one of implicit, starttls, none; found the text 'ssl'",
        (
            f"{path}:22: routes.daily.intervall: unknown key 'intervall': did you mean 'interval'? allowed here: sender, "
            "recipient, mailbox, bounce_mailbox, interval, deadline, give_up_after, message_size, max_in_flight, "
            "plus_address, echo, echo_from, junk_is_failure, authentication, labels"
        ),
    ]


def test_several_files_are_all_checked(sound, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("routes: 5\n")
    result = run("check-config", bad, sound, tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert result.stdout == f"{sound}: ok: 1 route, 1 sender, 1 mailbox\n"
    assert f"{bad}:1: routes: expected a section of names; found the number 5" in result.stderr
    assert f"{tmp_path}/none.yaml: cannot be read: no such file or directory" in result.stderr


def test_the_environment_is_part_of_the_check(sound):
    result = run("check-config", sound, SMTP_PROBE__ROUTES__DAILY__INTERVAL="soon")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "SMTP_PROBE__ROUTES__DAILY__INTERVAL: routes.daily.interval: expected a duration"
    )


def test_secrets_are_left_out_on_demand(sound, tmp_path):
    (tmp_path / "relay.password").unlink()
    assert run("check-config", sound).exit_code == 2
    assert run("check-config", "--skip-secrets", sound).exit_code == 0


def test_a_password_that_everybody_may_read_is_noted(sound, tmp_path):
    (tmp_path / "relay.password").chmod(0o644)
    result = run("check-config", sound)
    assert result.exit_code == 0
    assert result.stderr == f"{sound}: note: every user of this machine can read {tmp_path}/relay.password\n"


def test_the_check_makes_nothing(tmp_path):
    path = write_sound(tmp_path, SOUND + "state_directory: state\n")
    before = set(tmp_path.iterdir())
    assert run("check-config", path).exit_code == 0
    assert set(tmp_path.iterdir()) == before


def test_no_secret_is_printed(sound, tmp_path):
    (tmp_path / "relay.password").write_text("hunter2\nhunter2\n")
    result = run("check-config", sound)
    assert result.exit_code == 2
    assert "hunter2" not in result.output


def test_the_schema_is_printed_as_json():
    assert json.loads(run("config-schema").stdout) == json_schema()


def test_the_reference_is_printed_as_markdown():
    assert run("config-schema", "--markdown").stdout == markdown_reference() + "\n"


def test_the_version_is_printed():
    assert run("version").stdout == f"smtp-probe {smtp_probe.__version__}\n"


# As a process.


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["check-config"], ["check-config", "--nonsense", "x"], []]
)
def test_a_mistake_on_the_command_line_ends_with_2_and_no_traceback(arguments):
    result = run_process(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "Usage: smtp-probe" in result.stdout + result.stderr


def test_a_mistake_in_the_file_ends_with_2_and_no_traceback(tmp_path):
    result = run_process("check-config", tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == f"{tmp_path}: is a folder\n"


def test_no_colour_is_printed_where_none_is_wanted():
    result = run_process("--help", NO_COLOR="1", TERM="xterm-256color")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert all(command in result.stdout for command in ("check-config", "config-schema", "version"))


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m smtp_probe config-schema | head -c 10"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert result.stdout == '{\n  "$sche'
    assert "Traceback" not in result.stderr


def test_the_shells_can_complete_the_commands():
    # The shell is recognised by the process that the command was started from, so a real one starts it.
    command = f"{sys.executable} -m smtp_probe --show-completion; exit $?"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0
    assert "complete" in result.stdout


def test_small_commands_load_no_network_library():
    """`version` and `check-config` start fast, since every command imports what it needs when it runs."""
    script = (
        "import sys; from smtp_probe.cli import app; app(['version'], standalone_mode=False); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    version, modules = result.stdout.splitlines()
    assert version == f"smtp-probe {smtp_probe.__version__}"
    heavy = {
        "aiohttp",
        "aiosmtplib",
        "aioimaplib",
        "dns",
        "rich",
        "jinja2",
        "prometheus_client",
        "ruamel",
        "cryptography",
    }
    assert heavy & set(modules.split()) == set()

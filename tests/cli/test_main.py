"""How the program ends, whatever a command does."""

import shlex
import subprocess
import sys

import pytest
import typer

from smtp_probe import cli
from smtp_probe.__main__ import main
from smtp_probe.errors import ConfigError, ConfigProblem


def end_with(error, monkeypatch):
    """The exit code of the program when a command raises this."""

    def fail(**_):
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_a_configuration_error_is_said_and_ends_with_2(monkeypatch, capsys):
    problems = (
        ConfigProblem(message="is wrong", path="a.b", file="f", line=3),
        ConfigProblem(message="as well"),
    )
    assert end_with(ConfigError(problems), monkeypatch) == 2
    captured = capsys.readouterr()
    assert captured.err == "f:3: a.b: is wrong\nas well\n"
    assert captured.out == ""


def test_who_has_no_configuration_yet_is_told_how_to_get_one(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli, "DEFAULT_CONFIG_FILE", tmp_path / "none.yaml")
    missing = ConfigProblem(
        message="cannot be read: no such file or directory", file=str(tmp_path / "none.yaml")
    )
    assert end_with(ConfigError((missing,)), monkeypatch) == 2
    assert (
        "`smtp-probe init` writes a first one; --config.file names one elsewhere" in capsys.readouterr().err
    )


def test_an_interrupt_ends_with_130(monkeypatch):
    assert end_with(KeyboardInterrupt(), monkeypatch) == 130


INTERRUPTED = """
import sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

class Attribute:
    def __set_name__(self, owner, name):
        import smtp_probe.interrupted

sys.meta_path.insert(0, Interrupting())
if sys.argv[1] == "smtp_probe.interrupted":
    import smtp_probe.cli.options
    smtp_probe.cli.app = lambda **_: type("Made", (), {"attribute": Attribute()})
from smtp_probe.__main__ import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", ["smtp_probe.cli", "typer", "smtp_probe.interrupted"])
def test_an_interrupt_while_modules_are_read_shows_no_traceback(at):
    """The last one comes while a class is made, where Python makes a RuntimeError of it."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, at], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_within_a_command_ends_with_130(monkeypatch):
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def wait():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr("sys.argv", ["smtp-probe"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130


def test_a_bug_is_not_hidden():
    """Only mistakes of the user are turned into text: a bug shows its traceback."""
    assert cli.app.pretty_exceptions_enable is False


def test_a_bug_leaves_main_as_it_is(monkeypatch):
    def fail(**_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(RuntimeError):
        main()


def run_with(redirection: str, arguments: str = "version") -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -m smtp_probe {arguments} {redirection}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)


@pytest.mark.slow
def test_a_full_disk_is_told_in_a_line():
    done = run_with("> /dev/full")
    assert (done.returncode, done.stderr) == (
        1,
        "standard output cannot be written: No space left on device\n",
    )


@pytest.mark.slow
def test_a_closed_output_is_no_mistake():
    done = run_with(">&-")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_closed_output_is_no_terminal_either():
    done = run_with(">&- 2>&-", "check-config /nowhere")
    assert done.returncode == 2

"""The help of every command, as a person reads it, in every width."""

import re

import pytest
from typer.testing import CliRunner

from smtp_probe.cli import app

pytestmark = pytest.mark.slow

COMMANDS = [(), *((each.name,) for each in app.registered_commands)]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: "".join(words) or "all")
@pytest.mark.parametrize("width", [40, 120])
def test_no_flag_has_a_value_no_type_of_python_is_shown_and_no_line_is_too_wide(words, width, monkeypatch):
    monkeypatch.delenv(
        "TERMINAL_WIDTH", raising=False
    )  # the library keeps it from its first use on, for other tests, too
    monkeypatch.setenv("COLUMNS", str(width))
    done = CliRunner().invoke(app, [*words, "--help"])

    assert done.exit_code == 0
    assert "--help" in done.output
    assert re.findall(r"<(?:bool|str|path|float|int|list)\b[^>]*>", done.output) == []
    assert [line for line in done.output.splitlines() if len(line) > width] == []
    assert "\x1b" not in done.output

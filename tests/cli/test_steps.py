"""The steps of one probe while it runs."""

import pytest
from rich.cells import cell_len

from smtp_probe.cli.steps import _WAITS, Steps
from smtp_probe.cli.terminal import LINES
from smtp_probe.model import Phase


def steps():
    made = Steps("inbound", 300.0)
    for name, at_seconds in (
        ("mailbox", 100.0),
        ("resolve", 100.31),
        ("connect", 100.312),
        ("arrival", 100.4),
    ):
        made.begin(name, at_seconds)
    return made


def draw(at_seconds=101.5, width=100, height=24):
    return [line.plain for line in steps().draw(at_seconds, width, height, LINES)]


def test_what_was_done_and_what_is_waited_for():
    assert draw() == [
        "inbound  1.5 s",
        "  ✓ mailbox       310 ms",
        "  ✓ resolve       2.0 ms",
        "  ✓ connect        88 ms",
        "  ● arrival        1.1 s  watching the mailbox for the message, at most 5 min 0 s",
    ]


def test_a_low_terminal_shows_the_newest_steps():
    assert [line.split()[1] for line in draw(height=4)[1:]] == ["connect", "arrival"]
    assert len(draw(height=1)) == 2


@pytest.mark.parametrize("width", [5, 20, 39])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(cell_len, draw(width=width))) <= width


def test_a_step_that_begins_again_goes_on():
    made = steps()
    made.begin("arrival", 120.0)

    assert made.draw(101.5, 100, 24, LINES)[-1].plain.split()[2] == "1.1"


def test_nothing_has_begun_yet():
    assert [line.plain for line in Steps("inbound").draw(5.0, 80, 24, LINES)] == ["inbound  0.0 s"]


def test_every_phase_has_words():
    assert all(phase in _WAITS for phase in Phase)
    assert Steps("x").explain("something new") == "something new"

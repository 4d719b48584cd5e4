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


def draw(at_seconds=101.5, width=100, height=24, made=None):
    return [line.plain for line in (made or steps()).draw(at_seconds, width, height, LINES)]


def handed_over(usual_seconds):
    """A message whose final dot was sent at 100.5, and whose arrival is waited for."""
    made = Steps("inbound", 300.0, usual_seconds)
    for name, at_seconds in (("data", 100.4), ("accept", 100.5), ("arrival", 100.6)):
        made.begin(name, at_seconds)
    return made


def test_what_was_done_and_what_is_waited_for():
    assert draw() == [
        "inbound  1.5 s",
        "  ✓ mailbox       310 ms",
        "  ✓ resolve       2.0 ms",
        "  ✓ connect        88 ms",
        "  ● arrival        1.1 s  watching the mailbox for the message, at most 5 min",
    ]


def test_a_low_terminal_shows_the_newest_steps():
    assert [line.split()[1] for line in draw(height=4)[1:]] == ["connect", "arrival"]
    assert len(draw(height=1)) == 2


def test_the_time_since_the_final_dot_stands_against_the_usual_one():
    lines = draw(101.5, made=handed_over(2.0))
    assert lines[-1] == "  delivery 1.0 s, usually 2.00 s  [━━━━━━━━━━          ]"
    assert "watching the mailbox" in lines[-2]

    assert (
        draw(104.5, made=handed_over(2.0))[-1] == "  delivery 4.0 s, usually 2.00 s  [━━━━━━━━━━━━━━━━━━━━]"
    )


def test_an_unknown_usual_time_is_said_to_be_so():
    assert draw(101.5, made=handed_over(None))[-1] == "  delivery 1.0 s, no usual time is known yet"


def test_before_the_final_dot_only_the_usual_time_is_told():
    made = Steps("inbound", 300.0, 2.0)
    made.begin("mailbox", 100.0)
    assert draw(101.5, made=made)[-1] == "  delivery: usually 2.00 s"


def test_in_forty_columns_nothing_of_it_is_lost():
    assert draw(101.5, width=39, made=handed_over(2.0)) == [
        "inbound  1.1 s",
        "  ✓ data          100 ms",
        "  ✓ accept        100 ms",
        "  ● arrival        0.9 s",
        "    watching the mailbox for the",
        "    message, at most 5 min",
        "  delivery 1.0 s, usually 2.00 s",
        "  [━━━━━━━━━━          ]",
    ]


@pytest.mark.parametrize("width", [5, 20, 39])
@pytest.mark.parametrize("height", [1, 4, 30])
def test_no_frame_is_larger_than_the_terminal(width, height):
    for made in (steps(), handed_over(2.0)):
        lines = draw(width=width, height=height, made=made)
        assert max(map(cell_len, lines)) <= width
        assert len(lines) <= max(height - 1, 2)


def test_a_step_that_begins_again_goes_on():
    made = steps()
    made.begin("arrival", 120.0)

    assert made.draw(101.5, 100, 24, LINES)[-1].plain.split()[2] == "1.1"


def test_nothing_has_begun_yet():
    assert [line.plain for line in Steps("inbound").draw(5.0, 80, 24, LINES)] == ["inbound  0.0 s"]


def test_every_phase_has_words():
    assert all(phase in _WAITS for phase in Phase)
    assert Steps("x").explain("something new") == "something new"

"""Sections as lines of a width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from smtp_probe.cli.drawing import cut, draw_bars, draw_facts, draw_sections, fit, wrap
from smtp_probe.cli.section import Bar
from smtp_probe.cli.terminal import ASCII, LINES
from smtp_probe.cli.waterfall import sections
from tests.cli.views import HOSTILE, is_plain, outcome, shown, submission, trace

WIDE = """\
submission                    33 ms  the phases of SMTP, on our clock
  resolve                   <0.1 ms  ╸
  connect                    1.0 ms  ━━
  greeting                   2.0 ms    ━━━━
  ehlo                       1.0 ms        ━╸
  starttls                   6.0 ms         ╺━━━━━━━━━━━
  auth                       1.0 ms                     ━━
  mail                       0.5 ms                       ━
  rcpt                       0.5 ms                        ━
  data                       0.5 ms                         ━
  accept                      20 ms                          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  quit                       0.5 ms                                                                ━
hops                                 raw, on each host's own clock; whole seconds are ±1 s
  submission.example.test     first  ╸
  relay.example.test           +0 s  ╸
  filter.example.test          +1 s  ━━━━━━━━━━━━━━━━━━━━━
  store.example.test           +2 s                       ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
mailbox                      2.64 s  after the final dot, on our clock
  accepted                   1.00 s  ━━━━━━━━━━━━━━━━━━━━━━━━
  stored                     2.64 s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  seen                       2.64 s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
"""
NARROW = """\
submission 33 ms  SMTP phases
  resolve      <0.1 ms  ╸
  connect       1.0 ms  ╸
  greeting      2.0 ms  ╺╸
  ehlo          1.0 ms   ╺
  starttls      6.0 ms    ━━━
  auth          1.0 ms       ╸
  mail          0.5 ms       ╺
  rcpt          0.5 ms       ╺
  data          0.5 ms        ╸
  accept         20 ms        ━━━━━━━━━━
  quit          0.5 ms                 ╺
hops  the clocks disagree
  submission     first               ╺
  relay           +7 s               ╺━━
  filter         -48 s  ◂━━━━━━━━━━━━━━━
  store          +42 s  ━━━━━━━━━━━━━━
mailbox 2.64 s  after the dot
  accepted      1.00 s  ━━━━━━
  stored        2.64 s  ━━━━━━━━━━━━━━━━
  seen          2.64 s  ━━━━━━━━━━━━━━━━
"""


def draw(made, width, glyphs=LINES, **options):
    return draw_sections(sections(made), width, glyphs, **options)


def test_a_wide_waterfall():
    assert shown(draw(outcome(), 100), 100) == WIDE


def test_a_waterfall_in_forty_columns_of_a_path_with_wrong_clocks():
    assert shown(draw(outcome(way=trace(stamps=(0, 7, -41, 1))), 40), 40) == NARROW


def test_a_terminal_without_line_drawing_gets_letters():
    assert shown(draw(outcome(), 80, ASCII, with_details=True), 80).replace("±", "").isascii()


def test_a_note_that_would_be_cut_gives_way_to_a_shorter_one():
    made = outcome(way=trace(stamps=(0, 7, -41, 1)))

    assert "raw, and these clocks disagree: not real delays\n" in shown(draw(made, 100), 100)
    assert "  the clocks disagree\n" in shown(draw(made, 80), 80)


def test_details_stand_beneath_their_row_and_are_not_cut():
    text = shown(draw(outcome(), 40, with_details=True), 40)

    assert "    from submission.example.test with\n    ESMTPS id id0\n" in text


@pytest.mark.parametrize("width", [8, 20, 40, 59, 60, 80, 100, 300])
def test_no_line_is_wider_than_asked_for(width):
    lines = draw(outcome(way=trace(hosts=("漢字" * 20, HOSTILE, "c" * 90, "d"))), width, with_details=True)

    assert max(cell_len(line.plain) for line in lines) <= max(width, 8)


def test_markup_and_control_characters_of_servers_have_no_effect():
    made = outcome(sent=submission(HOSTILE), way=trace(hosts=(HOSTILE, "b", "c", "d")))
    lines = draw(made, 100, with_details=True)
    coloured = shown(lines, 100, force_terminal=True, color_system="standard")

    assert is_plain(shown(lines, 100))
    assert "[red]a[/red]" in shown(lines, 100)
    assert "\x1b[31m" not in coloured, "nothing here is red, whatever a host says"
    assert "\x1b]8" not in coloured, "no link either"


@pytest.mark.parametrize(
    ("bars", "drawn"),
    [
        ([Bar(begin=0, end=1)], "━━━━"),
        ([Bar(begin=0, end=0)], "╸   "),
        ([Bar(begin=1, end=1)], "   ╺"),
        ([Bar(begin=0.25, end=0.5)], " ━  "),
        ([Bar(begin=0.125, end=0.5)], "╺━  "),
        ([Bar(begin=1, end=0)], "◂━━━"),
        ([Bar(begin=0, end=0.25), Bar(begin=0.75, end=1)], "━  ━"),
        ([Bar(begin=-5, end=9)], "━━━━"),
        ([], "    "),
    ],
)
def test_bars(bars, drawn):
    assert draw_bars(bars, 4, LINES) == drawn


@given(
    st.lists(st.tuples(st.floats(-2, 3), st.floats(-2, 3)), max_size=3),
    st.integers(min_value=1, max_value=90),
)
def test_bars_are_always_as_wide_as_asked_for(points, columns):
    bars = [Bar(begin=begin, end=end) for begin, end in points]
    drawn = draw_bars(bars, columns, LINES)

    assert cell_len(drawn) == columns
    assert bool(drawn.strip()) == bool(bars)


def test_facts_go_on_beneath_themselves():
    lines = draw_facts([("reply", "250 2.0.0 Ok: queued as 4jYG3M6jDtzyN4"), ("tag", "header")], 30)

    assert [line.plain for line in lines] == [
        "reply  250 2.0.0 Ok: queued as",
        "       4jYG3M6jDtzyN4",
        "tag    header",
    ]


@given(st.text(alphabet="ab 漢", max_size=60), st.integers(min_value=2, max_value=20))
def test_wrapping_loses_no_letter_and_keeps_to_the_width(text, columns):
    lines = wrap(text, columns)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= columns for line in lines)


def test_cutting_and_fitting_count_columns_and_not_characters():
    assert cut(Text("漢字漢字"), 5).plain == "漢字…"
    assert fit("漢", 4) == "漢  "
    assert fit("abcdef", 4) == "abc…"

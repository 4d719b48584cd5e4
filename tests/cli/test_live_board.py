"""A run of the demo on a terminal."""

import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from smtp_probe.cli.lines import Told
from smtp_probe.cli.live_board import LiveBoard
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import LINES
from smtp_probe.model import OutcomeKind, ProbeEnded, ProbeStarted
from tests.cli.test_boards import OPENING
from tests.cli.views import HOSTILE, Page, outcome
from tests.report.samples import NS, START_NS, make_probe

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A live board on a console of a size, and a clock that is moved by hand."""

    def __init__(self, width=100, height=40):
        self.page = Page(is_terminal=True)
        self.console = Console(
            file=self.page,
            force_terminal=True,
            color_system="standard",
            width=width,
            height=height,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )
        self.now_ns = START_NS
        self.tally = Tally(["inbound", "skewed-clocks"])
        self.board = LiveBoard(self.tally, self.console, LINES, lambda: self.now_ns)
        self.board.open(OPENING)

    def tell(self, event):
        self.tally.learn(event)
        self.board.show(Told(event, self.now_ns))

    def tick(self, seconds=0.0):
        """Let time pass; gives what is written for the frame, line by line."""
        self.now_ns += round(seconds * NS)
        start = len(self.page.getvalue())
        self.board.tick(self.now_ns)
        return ESCAPES.sub("", self.page.getvalue()[start:]).replace("\r", "").split("\n")

    def resize(self, width, height):
        self.console.size = (width, height)


@pytest.fixture
def terminal():
    return Terminal()


def ended(kind=OutcomeKind.DELIVERED, number=1, **facts):
    return ProbeEnded(outcome=outcome(kind, number=number, **facts))


def test_beneath_the_lines_stands_the_waterfall_of_the_newest_probe_and_what_is_on_the_way(terminal):
    terminal.tell(ProbeStarted(probe=make_probe(2, "skewed-clocks", START_NS)))
    terminal.tell(ended())
    frame = terminal.tick(3.0)

    assert frame[1].startswith("inbound  delivered in 2.64 s  14:13:30Z")
    assert frame[2].startswith("submission ")
    assert any(line.startswith("  store.example.test           +2 s  ") for line in frame)
    assert frame[-1] == "on the way  skewed-clocks: submission 3 s"
    assert "14:13:30Z  inbound        delivered      2.64 s" in ESCAPES.sub("", terminal.page.getvalue())


def test_a_waterfall_stays_long_enough_to_be_read(terminal):
    terminal.tell(ended())
    assert "delivered" in terminal.tick(3.0)[1]
    terminal.tell(ended(OutcomeKind.LOST, number=2))
    assert "delivered" in terminal.tick(1.0)[1]
    terminal.tell(ended(OutcomeKind.BOUNCED, number=3))
    assert "delivered" in terminal.tick(0.5)[1]
    assert any("bounced" in line for line in terminal.tick(0.6)), "the newest, not the next"


def test_every_route_has_its_turn_however_often_another_ends(terminal):
    """Two routes of one rhythm would otherwise show the same one for ever."""
    seen = []
    for number in range(0, 12, 2):
        for route in ("skewed-clocks", "inbound"):
            terminal.tell(ended(number=number, route=route))
        seen.append(terminal.tick(2.0)[1].split()[0])

    assert seen == ["skewed-clocks", "inbound"] * 3


def test_the_frame_keeps_its_height_so_that_nothing_moves(terminal):
    terminal.tell(ended())
    tall = len(terminal.tick(3.0))
    terminal.tell(ended(OutcomeKind.LOST, number=2))

    assert len(terminal.tick(3.0)) == tall


@pytest.mark.parametrize("size", [(100, 40), (80, 24), (40, 24), (40, 12), (30, 6), (12, 3), (2, 2)])
def test_a_frame_never_leaves_the_terminal(size):
    terminal = Terminal(*size)
    terminal.tell(ended())
    frame = terminal.tick(3.0)

    assert max(map(cell_len, frame)) < max(size[0], 2)
    assert len(frame) < size[1] or frame == [""]


def test_a_new_size_is_taken_over_with_the_newest_lines(terminal):
    for number in range(1, 30):
        terminal.tell(ended(number=number))
    terminal.tick(3.0)
    terminal.resize(40, 20)
    start = len(terminal.page.getvalue())
    terminal.tick(0.2)
    text = terminal.page.getvalue()[start:]
    after = ESCAPES.sub("", text[text.index("\x1b[2J") :])

    assert after.count("14:13:30 inbound") >= 3
    assert max(cell_len(line) for line in after.replace("\r", "").split("\n")) < 40
    assert len(after.split("\n")) < 2 * 20


def test_remarks_of_the_log_stand_among_the_lines(terminal):
    terminal.board.remark("level=warning msg=x")

    assert "level=warning msg=x\n" in ESCAPES.sub("", terminal.page.getvalue())


def test_the_end_gives_the_cursor_back_and_sums_up(terminal):
    terminal.tell(ended())
    terminal.tick(3.0)
    terminal.board.close(20.0)
    terminal.board.leave()
    text = terminal.page.getvalue()

    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")
    assert text.endswith("1 probe ended in 20.00 s.\n")


def test_the_terminal_is_given_back_without_a_summary_too(terminal):
    terminal.board.leave()

    assert terminal.page.getvalue().rfind("\x1b[?25h") > terminal.page.getvalue().rfind("\x1b[?25l")


def test_what_strangers_write_moves_no_cursor(terminal):
    from tests.report.samples import make_bounce

    bounce = make_bounce(action="failed", diagnostic=HOSTILE)
    start = len(terminal.page.getvalue())
    terminal.tell(ended(OutcomeKind.BOUNCED, bounce=bounce))
    text = terminal.page.getvalue()[start:]

    assert "[red]a[/red]" in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\x1b]" not in text

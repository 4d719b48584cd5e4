"""The thread that shows a run."""

import threading

from smtp_probe.cli.screen import Screen
from smtp_probe.cli.tally import Tally
from smtp_probe.model import ProbeEnded
from tests.cli.test_boards import OPENING
from tests.report.samples import START_NS, make_outcome

WAIT_SECONDS = 10.0
EVENT = ProbeEnded(outcome=make_outcome())


class Board:
    """Notes what it is told; may fail or hang at a step."""

    def __init__(self, fail_at="", error=None, blocker=None):
        self.heard = []
        self._fail_at = fail_at
        self._error = error
        self._blocker = blocker
        self.ticked = threading.Event()

    def _hear(self, step):
        self.heard.append(step)
        if step == self._fail_at:
            if self._blocker is not None:
                self._blocker.wait(WAIT_SECONDS)
            if self._error is not None:
                raise self._error

    def open(self, opening):
        self._hear("open")

    def show(self, told):
        assert told.at_ns == START_NS
        self._hear("show")

    def remark(self, text):
        self._hear(f"remark {text}")

    def tick(self, now_ns):
        self.ticked.set()

    def close(self, seconds):
        self._hear(f"close {seconds:g}")

    def leave(self):
        self.heard.append("leave")


def start(board, on_gone=lambda: None):
    screen = Screen(board, Tally(["example"]), lambda: START_NS, on_gone)
    screen.start()
    return screen


def test_everything_is_shown_in_order_and_summed_up():
    board = Board()
    screen = start(board)
    screen.open(OPENING)
    screen.tell(EVENT)
    screen.remark("x")

    assert screen.close(5.0, WAIT_SECONDS)
    assert board.heard == ["open", "show", "remark x", "close 5", "leave"]
    assert not screen.is_gone
    assert screen.error is None


def test_time_passes_without_events():
    board = Board()
    screen = start(board)

    assert board.ticked.wait(WAIT_SECONDS)
    screen.close(1.0, WAIT_SECONDS)


def test_a_run_that_never_began_is_not_summed_up():
    board = Board()

    assert start(board).close(1.0, WAIT_SECONDS)
    assert board.heard == ["leave"]


def test_a_stream_that_is_gone_is_told_once_and_nothing_more_is_shown():
    board, gone = Board("show", BrokenPipeError()), []
    screen = start(board, lambda: gone.append(True))
    screen.open(OPENING)
    screen.tell(EVENT)
    screen.tell(EVENT)

    assert screen.close(1.0, WAIT_SECONDS)
    assert screen.is_gone
    assert gone == [True]
    assert board.heard == ["open", "show", "leave"]


def test_a_bug_is_kept_for_the_owner_and_the_terminal_given_back():
    board, gone = Board("show", KeyError("bug")), []
    screen = start(board, lambda: gone.append(True))
    screen.tell(EVENT)

    assert screen.close(1.0, WAIT_SECONDS)
    assert isinstance(screen.error, KeyError)
    assert gone == [True]
    assert board.heard == ["show", "leave"]


def test_a_terminal_that_takes_nothing_holds_nobody_up():
    blocker = threading.Event()
    screen = start(Board("show", blocker=blocker))
    for _ in range(1000):
        screen.tell(EVENT)

    assert not screen.close(1.0, 0.05)
    blocker.set()

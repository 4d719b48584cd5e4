"""The thread that shows a run of the demo, so that a slow or stopped terminal never holds up a probe.

In: events and remarks from the daemon's thread. Out: calls of a board, one after the other. When the stream is gone (its
reader has ended, the terminal was closed) the thread shows nothing more and says so to its owner, once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from smtp_probe.cli.boards import Board, Opening
from smtp_probe.cli.lines import Told
from smtp_probe.cli.tally import Tally
from smtp_probe.model import Event

_TICK_SECONDS = 0.2


class Screen:
    """Shows what it is told. `tell`, `remark` and `open` never wait and never raise."""

    def __init__(
        self,
        board: Board,
        tally: Tally,
        now_ns: Callable[[], int],
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self._board = board
        self._tally = tally
        self._now_ns = now_ns
        self._on_gone = on_gone
        self._actions: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._is_open = False
        self.is_gone = False
        """Whether the stream is gone."""
        self.error: BaseException | None = None
        """A fault of ours that ended the thread."""

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def open(self, opening: Opening) -> None:
        """Show what is said first."""
        self._is_open = True
        self._actions.put(lambda: self._board.open(opening))

    def tell(self, event: Event) -> None:
        """Show an event. Fits `ports.Sink`."""
        told = Told(event, self._now_ns())
        self._actions.put(lambda: self._take(told))

    def remark(self, text: str) -> None:
        """Show a line of the log."""
        self._actions.put(lambda: self._board.remark(text))

    def close(self, run_seconds: float, wait_seconds: float) -> bool:
        """Show the summary of a run that was opened, and wait for the end.

        False when the stream takes nothing more: then the thread still hangs.
        """
        if self._is_open:
            self._actions.put(lambda: self._board.close(run_seconds))
        self._actions.put(None)
        self._thread.join(wait_seconds)
        return not self._thread.is_alive()

    def _take(self, told: Told) -> None:
        self._tally.learn(told.event)
        self._board.show(told)

    def _run(self) -> None:
        try:
            while self._act():
                self._board.tick(self._now_ns())
        except OSError:
            self.is_gone = True
            self._on_gone()
        except BaseException as error:  # noqa: BLE001 - told to the owner, who raises it in his own thread
            self.error = error
            self._on_gone()
        finally:
            with suppress(OSError):
                self._board.leave()

    def _act(self) -> bool:
        """Do all that waits to be done, after a tick at the latest. False at the end."""
        try:
            action = self._actions.get(timeout=_TICK_SECONDS)
            while True:
                if action is None:
                    return False
                action()
                action = self._actions.get_nowait()
        except queue.Empty:
            return True

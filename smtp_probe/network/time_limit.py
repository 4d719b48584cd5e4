"""Deadlines for one piece of work after the other, on one timer.

In: instants in the event loop's time. Out: TimeoutError in the work that is not done by then. `asyncio.timeout` makes a timer
for each wait and throws it away; where a connection waits for twenty answers, each with minutes of time, that is more work than
reading them. Here a timer that rings too early is set anew, so a deadline that is met costs next to nothing.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class TimeLimit:
    """A context manager to be entered again and again, by one task at a time: `with limit.until(when): await ...`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancellations = 0
        self._is_over = False

    @property
    def is_busy(self) -> bool:
        """Whether some work is under way."""
        return self._task is not None

    @property
    def is_over(self) -> bool:
        """Whether the time of the work in hand has run out."""
        return self._is_over

    def until(self, when: float) -> TimeLimit:
        """Set the deadline of the work in hand, or of that which begins now."""
        self._ends_at = when
        if not self._is_over and (self._timer is None or self._timer.when() > when):
            self._set_timer(when)
        return self

    def within(self, seconds: float) -> TimeLimit:
        """Set the deadline so many seconds from now. Work that begins while other work is under way has a limit of its own."""
        return (TimeLimit() if self.is_busy else self).until(self._loop.time() + seconds)

    def close(self) -> None:
        """Let go of the timer: nothing will be waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None or self._task is not None:
            message = "a time limit is for one piece of work at a time, in a task"
            raise RuntimeError(message)
        self._task, self._cancellations = task, task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        task, self._task, self._ends_at = self._task, None, None
        if not self._is_over or task is None:
            return
        self._is_over = False
        # As asyncio.Timeout does: a cancellation by somebody else in the same breath stays one.
        if task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _set_timer(self, when: float) -> None:
        self.close()
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._ends_at is None or self._task is None:
            return
        if self._loop.time() < self._ends_at:
            self._set_timer(self._ends_at)
        else:
            self._is_over = True
            self._task.cancel()

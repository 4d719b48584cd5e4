"""A trouble that comes with every probe while it lasts, said once when it begins and once when it is over.

In: each time it was met, and each time that it might have been and was not. Out: a line in the log at the beginning, with why, and
one at the end, with how often. A full disk is so told in two lines, and not in one a slot until the disk is full of them.
"""

from __future__ import annotations

import logging

from smtp_probe.ports import Clock

QUIET_SECONDS = 10.0
"""It is over when it was not met for so long: on a disk that is nearly full every other transaction may succeed."""


class RecurringTrouble:
    """One kind of trouble of one part. `what` begins both lines."""

    def __init__(self, log: logging.Logger, clock: Clock, what: str) -> None:
        self._log = log
        self._clock = clock
        self._what = what
        self._times = 0
        self._last_ns = 0

    def met(self, why: object) -> None:
        """Learn that it happened, and say so where it is the first time."""
        self._times += 1
        self._last_ns = self._clock.now_ns()
        if self._times == 1:
            self._log.warning(
                "%s: %s; what follows of this is counted and told when it is over", self._what, why
            )

    def not_met(self) -> None:
        """Learn that all went well, and say that it is over where it was not met for a while."""
        if self._times and self._clock.now_ns() - self._last_ns >= QUIET_SECONDS * 1e9:
            self._log.info("over: %s", self._what, extra={"times": self._times})
            self._times = 0

"""Before when it makes no sense to look for a message: how long the fastest of the last ones took to its mailbox.

In: ends of probes. Out: for a mailbox, for how long after the final dot nothing is to be expected; zero where that is not known.
A look at a mailbox costs us and its server as much as ten lines of the dialogue, and most of them would come before any message
ever did. Learns only from what a fine clock of the mailbox tells: where our seeing a message is the best time that there is,
looking later would make the next one's time longer, and so on. Pure besides its memory.
"""

from __future__ import annotations

from collections import deque

from smtp_probe.model import Outcome, Stamp

_REMEMBERED = 16
_SHARE = 0.8
"""A message that is faster than the fastest of the last ones by more than a fifth is seen later than it could be."""
_COARSE = frozenset({Stamp.SEEN, Stamp.INTERNALDATE})


class EarliestArrivals:
    """All mailboxes. Of each the last deliveries, whatever their routes: the fastest route counts."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = {}

    def note(self, outcome: Outcome) -> None:
        """Learn from the end of a probe. One without a fine time makes all that was known void."""
        arrival, mailbox = outcome.arrival, outcome.probe.mailbox
        if arrival is None:
            return
        seconds = outcome.delivery_seconds
        if seconds is None or arrival.stamp in _COARSE or arrival.echo is not None:
            self._seconds.pop(mailbox, None)
        else:
            self._seconds.setdefault(mailbox, deque(maxlen=_REMEMBERED)).append(seconds)

    def quiet_seconds(self, mailbox: str) -> float:
        """For how long after its final dot a message is not to be looked for here."""
        return max(0.0, min(self._seconds.get(mailbox, (0.0,)))) * _SHARE

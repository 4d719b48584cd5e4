"""What happened inside the embedded mail path, for the view and for tests: the newest events, in order.

In: events from the hops. Out: an immutable copy of the newest ones. Bounded; keeps no message content.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from smtp_probe.ports import Clock

_MAXIMUM_EVENTS = 500


class Happening(StrEnum):
    """What a host did with a message."""

    RECEIVED = "received"
    REFUSED = "refused"
    """It said 4xx or 5xx to a recipient."""
    DEFERRED = "deferred"
    """Its own attempt to hand the message on was put off; it will try again."""
    FORWARDED = "forwarded"
    BOUNCED = "bounced"
    DISCARDED = "discarded"
    STORED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathEvent:
    """One thing that one host did. `at_ns` is true time, on the reference clock."""

    at_ns: int
    host: str
    happening: Happening
    recipient: str
    queue_id: str = ""
    detail: str = ""


class PathLog:
    """The newest five hundred events of a path."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[PathEvent] = deque(maxlen=_MAXIMUM_EVENTS)

    def record(
        self, host: str, happening: Happening, recipient: str, *, queue_id: str = "", detail: str = ""
    ) -> None:
        """Add one event, stamped now."""
        self._events.append(
            PathEvent(
                at_ns=self._clock.now_ns(),
                host=host,
                happening=happening,
                recipient=recipient,
                queue_id=queue_id,
                detail=detail,
            )
        )

    def events(self) -> tuple[PathEvent, ...]:
        """The newest events, oldest of them first."""
        return tuple(self._events)

"""The states of a queue by the words of each server, and the error of a listing that cannot be read."""

from __future__ import annotations

from smtp_probe.model import QueueState

_POSTFIX = {
    "incoming": QueueState.INCOMING,
    "maildrop": QueueState.INCOMING,
    "active": QueueState.ACTIVE,
    "deferred": QueueState.DEFERRED,
    "hold": QueueState.HOLD,
}
POSTFIX_STATES = (QueueState.INCOMING, QueueState.ACTIVE, QueueState.DEFERRED, QueueState.HOLD)
EXIM_LISTING_STATES = (QueueState.QUEUED, QueueState.HOLD)
EXIM_SPOOL_STATES = (QueueState.INCOMING, QueueState.DEFERRED, QueueState.HOLD)


class ListingError(Exception):
    """A listing is not what it should be. Nothing can be said of the queue then."""


def postfix_state(queue_name: str) -> QueueState:
    """Give the state that one of Postfix's queues stands for."""
    return _POSTFIX.get(queue_name, QueueState.OTHER)

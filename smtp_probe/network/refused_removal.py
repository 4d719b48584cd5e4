"""Judged messages that a server does not let us remove: told once for each reason, since the mailbox can be watched all the same.

In: the name of a mailbox, reasons. Out: one warning in the log for each reason.
"""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class RefusedRemovals:
    """Those of one session."""

    def __init__(self, mailbox: str) -> None:
        self._mailbox = mailbox
        self._told: set[str] = set()

    def tell(self, reason: str) -> None:
        """Say that messages stay, and why. The same reason is said once."""
        if reason not in self._told:
            self._told.add(reason)
            _log.warning("judged messages stay in the mailbox: %s", reason, extra={"mailbox": self._mailbox})

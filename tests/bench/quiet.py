"""Makes the lab as it was: nothing under way, mailboxes empty. What one measurement leaves must not burden the next."""

from __future__ import annotations

import time

from tests.lab import MailLab
from tests.lab.client import mailbox

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_QUEUES = ("maildrop", "incoming", "active", "deferred")


def make_quiet(lab: MailLab, *users: str) -> None:
    """Wait until all that is under way has been delivered, then empty these users' mailboxes. Raises TimeoutError."""
    gives_up_at = time.monotonic() + _PATIENCE_SECONDS
    while count_queued(lab):
        if time.monotonic() > gives_up_at:
            raise TimeoutError(f"{count_queued(lab)} messages are still in the lab's queues")
        time.sleep(_LOOK_SECONDS)
    for user in users:
        _empty(lab, user)


def count_queued(lab: MailLab) -> int:
    """Count the messages in the queues of all three Postfix instances."""
    return sum(
        path.is_file()
        for instance in ("submit", "relay", "mx")
        for queue in _QUEUES
        for path in lab.layout.path(instance, "queue", queue).rglob("*")
    )


def _empty(lab: MailLab, user: str) -> None:
    with mailbox(lab, user) as box:
        for folder in ("INBOX", "Junk"):
            if box.select(folder)[0] == "OK":
                box.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
                box.expunge()

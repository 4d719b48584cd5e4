"""Whether a chain of Received lines begins at the server that we handed our message to.

In: the hops of a message of ours, and the queue id in that server's reply. Out: which line bears that id, and how many
lines stand beneath it. We send no Received lines ourselves, so whatever stands there was put there by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smtp_probe.model import Finding, Hop, Origin, Severity

_NOT_IN_RECEIVED = re.compile(r"[0-9]+|[0-9a-f]{16}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{6}")
"""Exchange's InternalId and the message id of Amazon SES: their servers write other ids into their lines."""


def find_origin(hops: Sequence[Hop], queue_id: str | None) -> tuple[Origin | None, int]:
    """Give what is known of the origin, and how many of the lowest lines are not of our message's way."""
    if not hops or queue_id is None or _NOT_IN_RECEIVED.fullmatch(queue_id):
        return None, 0
    for index, hop in enumerate(hops):
        if is_same_id(hop.id, queue_id):
            return (Origin.ABOVE if index else Origin.CONFIRMED), index
    return Origin.MISSING, 0


def was_sent_anew(first: Sequence[Hop], copy: Sequence[Hop], queue_id: str | None) -> bool:
    """Whether a copy did not come by the server that took our message, though the first one did: a replay.

    We hand a message over once, and every copy that the mail path makes of it has that server's line. Not known, and so
    False, where the first copy has it not either.
    """
    known = (Origin.CONFIRMED, Origin.ABOVE)
    return find_origin(first, queue_id)[0] in known and find_origin(copy, queue_id)[0] is Origin.MISSING


def is_same_id(written: str | None, queue_id: str) -> bool:
    """Whether a line's id is the queue id. Google adds the date to it, behind a dot."""
    return written is not None and (written == queue_id or written.startswith(f"{queue_id}."))


def check_origin(hops: Sequence[Hop], origin: Origin | None, queue_id: str | None) -> tuple[Finding, ...]:
    """Say what is wrong with the origin."""
    if origin is Origin.MISSING:
        lowest = hops[0].id or "none"
        message = (
            f"No Received line bears the id of the server's reply ({queue_id}); the lowest has {lowest}. The message was "
            "injected anew on its way, the server's line was taken out, or the chain is forged."
        )
    elif origin is Origin.ABOVE:
        message = (
            f"There are Received lines beneath the one that bears the id of the server's reply ({queue_id}), and we sent "
            "none: somebody else wrote them."
        )
    else:
        return ()
    return (
        Finding(
            check="origin",
            severity=Severity.WARNING,
            message=message,
            hop=1,
            advice="Find out which host rewrites the header; hop times up to it belong to nobody.",
            source="RFC 5321 section 4.4",
        ),
    )

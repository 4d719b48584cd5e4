"""Why a message came back, in one bounded word, and whether it may get through later.

In: what a bounce says (`bounce.BounceReport`). Out: one word of a short list, by the enhanced status code (RFC 3463 and the
IANA registry of RFC 5248), and whether the code is of the temporary class. Prose of servers is not interpreted.
"""

from __future__ import annotations

from smtp_probe.mail.bounce.report import BounceReport

_BY_STATUS = {
    "1.1": "no_such_mailbox",
    "1.2": "no_such_domain",
    "1.10": "null_mx",
    "2.0": "mailbox_unavailable",
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "too_large",
    "3.4": "too_large",
    "4.4": "routing",
    "4.6": "loop",
    "4.7": "expired",
}
"""By subject and detail, where they say more than the subject alone."""
_BY_SUBJECT = {
    "0": "other",
    "1": "address",
    "2": "mailbox",
    "3": "system",
    "4": "network",
    "5": "protocol",
    "6": "content",
    "7": "policy",
}
REASONS = frozenset({*_BY_STATUS.values(), *_BY_SUBJECT.values(), "unknown"})


def find_reason(report: BounceReport) -> str:
    """Give one of `REASONS`; `unknown` without a status code."""
    _, _, detail = (report.status or "").partition(".")
    return _BY_STATUS.get(detail) or _BY_SUBJECT.get(detail.partition(".")[0]) or "unknown"


def is_temporary(report: BounceReport) -> bool | None:
    """Whether the status is of class 4: the same message may get through later (RFC 3463 section 2).

    Without a status the action decides: a delayed message is still being tried. None where neither says it.
    """
    if report.status:
        return report.status.startswith("4")
    return True if report.action == "delayed" else None

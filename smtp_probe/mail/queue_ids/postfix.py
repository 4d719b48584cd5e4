"""Reading the time in Postfix's queue ids (Postfix, `src/global/mail_queue.h` and `mail_queue_enter`).

In: a hop. Out: for a long id (`enable_long_queue_ids = yes`) an instant; for a short id, the default, the fraction
of the second alone. Both to a microsecond. smtpd opens the queue file, and so makes the id, when it accepts the first
recipient; the date of its header is that of MAIL. Between the two may lie whatever a policy server makes of it.
"""

from __future__ import annotations

import re

from smtp_probe.mail.queue_ids.id_stamps import (
    MICROSECOND_NS,
    SECOND_NS,
    IdStamp,
    ModularStamp,
    read_number,
    value_digits,
)
from smtp_probe.model import Hop

_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
"""No vowels, so that no id is a word."""
_VALUES = value_digits(_DIGITS)
_LONG = re.compile(rf"(?P<seconds>[{_DIGITS}]{{6,7}})(?P<micros>[{_DIGITS}]{{4}})z[{_DIGITS[:-1]}]{{1,20}}")
"""The inode behind the last z is in base 51, without the z."""
_SHORT = re.compile(r"(?P<micros>[0-9A-F]{5})[0-9A-F]{1,16}")

_RESOLUTION_SECONDS = 1e-6
_MAX_RCPT_SECONDS = 300.0
"""How long a recipient may be after MAIL: a client waits five minutes for a reply (RFC 5321 section 4.5.3.2.3)."""


def decode_postfix(hop: Hop) -> IdStamp | ModularStamp | None:
    """Read a Postfix queue id, to 1 microsecond, of the event `rcpt`.

    A long id is its own sign: an administrator may have renamed the software (`mail_name`). A short one needs
    the name in the header. For a message from the maildrop directory there was no RCPT: its event is not told.
    """
    written = hop.id or ""
    event = "rcpt" if "SMTP" in (hop.with_ or "") else None
    if (match := _LONG.fullmatch(written)) is not None and hop.software in ("postfix", None):
        return _read_long(match, event)
    if hop.software == "postfix" and (match := _SHORT.fullmatch(written)) is not None:
        return _read_short(match, event)
    return None


def _read_long(match: re.Match[str], event: str | None) -> IdStamp | None:
    micros = read_number(match["micros"], _VALUES)
    if micros >= 1_000_000:
        return None
    seconds = read_number(match["seconds"], _VALUES)
    return IdStamp(
        at_ns=seconds * SECOND_NS + micros * MICROSECOND_NS,
        resolution_seconds=_RESOLUTION_SECONDS,
        source="postfix_id",
        event=event,
        lead_seconds=0.0,
        lag_seconds=_MAX_RCPT_SECONDS,
    )


def _read_short(match: re.Match[str], event: str | None) -> ModularStamp | None:
    micros = int(match["micros"], 16)
    if micros >= 1_000_000:
        return None
    return ModularStamp(
        fraction_ns=micros * MICROSECOND_NS,
        resolution_seconds=_RESOLUTION_SECONDS,
        source="postfix_short_id",
        event=event,
    )

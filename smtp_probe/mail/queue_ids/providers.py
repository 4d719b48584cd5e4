"""Reading the time in the ids of providers and smaller servers: Gmail, Zoho, Halon, Stalwart, Amazon SES.

In: a hop, or a Message-ID. Out: the instant that the id tells. None of them but Stalwart documents its ids in public:
each form was checked against real headers, where its second is that of the header's date. SendGrid is not here: it
writes its fractions into the date itself, where `dates` reads them.
"""

from __future__ import annotations

import re
import uuid

from smtp_probe.mail.queue_ids.id_stamps import MILLISECOND_NS, IdStamp
from smtp_probe.model import Hop

_GMAIL = re.compile(r"[0-9a-z-]{1,40}mr[0-9]{1,12}[a-z0-9]{1,6}\.[0-9]{1,4}\.([0-9]{13})")
_ZOHO = re.compile(r"([0-9]{13})[0-9]{1,4}\.[0-9]{1,20}")
_STALWART = re.compile(r"[0-9A-Fa-f]{12,16}")
_SES = re.compile(
    r"<[0-9a-f]{4}([0-9a-f]{12})-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9]{6}"
    r"@(?:[a-z0-9-]{1,40}\.)?amazonses\.com>"
)

_GREGORIAN_TICKS = 0x01B2_1DD2_1381_4000
"""From the beginning of the Gregorian calendar to 1970, in units of 100 ns (RFC 9562 section 5.1)."""
_STALWART_EPOCH_MS = 1_632_280_000_000


def decode_gmail(hop: Hop) -> IdStamp | None:
    """Read Gmail's milliseconds: at the end of the hop's own id, or of the X-Received line that stands closest above it.

    Source: real headers. The form is its own sign (`...mr914856qvb.17.1788249603119`). The event is not known.
    """
    for written in (hop.id, *reversed(hop.relay_ids)):
        if (match := _GMAIL.fullmatch(written or "")) is not None:
            return _in_milliseconds(match[1], "gmail_id")
    return None


def decode_zoho(hop: Hop) -> IdStamp | None:
    """Read Zoho's milliseconds: the first 13 digits of the id. Source: real headers. The event is not known.

    What follows them is a random number, and no finer time: it has one to four digits before its point.
    """
    match = _ZOHO.fullmatch(hop.id or "") if hop.software == "zoho" else None
    return _in_milliseconds(match[1], "zoho_id") if match else None


def decode_halon(hop: Hop) -> IdStamp | None:
    """Read Halon's ids, to 100 ns, where they are UUIDs of version 1 (RFC 9562 section 5.1). Others are random.

    Source: real headers, whose ids are up to two seconds before the date. The event is the connection.
    """
    if hop.software != "halon":
        return None
    try:
        read = uuid.UUID(hop.id or "")
    except ValueError:
        return None
    if read.version != 1:
        return None
    at_ns = (read.time - _GREGORIAN_TICKS) * 100
    return IdStamp(
        at_ns=at_ns, resolution_seconds=1e-7, source="halon_id", event="connection", lead_seconds=10.0
    )


def decode_stalwart(hop: Hop) -> IdStamp | None:
    """Read Stalwart's ids, to 1 ms, of the event `end_of_data`: they are made just before the header is written.

    Source: Stalwart's `snowflake.rs`, and headers of 2025 and 2026: milliseconds since 2021-09-22T03:06:40Z above 21
    bits of node and serial number. Older releases may have another form: their ids do not agree with the date.
    """
    match = _STALWART.fullmatch(hop.id or "") if hop.software == "stalwart" else None
    if match is None:
        return None
    milliseconds = (int(match[0], 16) >> 21) + _STALWART_EPOCH_MS
    return IdStamp(
        at_ns=milliseconds * MILLISECOND_NS,
        resolution_seconds=1e-3,
        source="stalwart_id",
        event="end_of_data",
    )


def decode_ses(message_id: str) -> IdStamp | None:
    """Read the Message-ID that Amazon SES puts in the place of ours, to 1 ms: when SES took the message.

    Source: real notifications, whose time stamp is the same to the millisecond. Four digits of region and cell,
    and then twelve of milliseconds since 1970, in hexadecimal. The event is not known.
    """
    match = _SES.fullmatch(message_id.strip())
    return None if match is None else _in_milliseconds(str(int(match[1], 16)), "ses_message_id")


def _in_milliseconds(digits: str, source: str) -> IdStamp:
    return IdStamp(at_ns=int(digits) * MILLISECOND_NS, resolution_seconds=1e-3, source=source, event=None)

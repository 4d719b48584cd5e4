"""Reading the time in the session ids of Dovecot's LMTP server (Dovecot, `lib/guid.c`, `guid_128_generate`).

In: a hop. Out: when the client connected. The id is 16 bytes in base64: nanoseconds, seconds, process id and a hash
of the host's name, each a little-endian 32-bit number. A second message on the same connection has the first's id and
`:T2` behind it: then the message came later than the id says, and nobody knows how much. Dovecot's X-GUID, which
tells when a message was stored, is read in `stamps`.
"""

from __future__ import annotations

import base64
import re

from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, IdStamp
from smtp_probe.model import Hop

_GUID = re.compile(r"[0-9A-Fa-f]{32}")
_ID = re.compile(r"(?P<session>[A-Za-z0-9+/]{22})(?P<reuse>:[A-Z]?[0-9]{1,9})?")


def decode_dovecot(hop: Hop) -> IdStamp | None:
    """Read a Dovecot session id, to 1 microsecond, of the event `connection`; a lower bound where it was used again.

    The field has nanoseconds; Dovecot fills it from a clock of microseconds. A process never goes back in its ids, so
    after a step of the clock they are ahead of the date, and are not believed. A client that connects in advance
    makes them too early: they are believed up to two seconds before the date, which is that of MAIL.
    """
    match = _ID.fullmatch(hop.id or "") if hop.software == "dovecot" else None
    if match is None:
        return None
    raw = base64.b64decode(match["session"] + "==")
    nanoseconds, seconds = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:8], "little")
    if nanoseconds >= SECOND_NS:
        return None
    return IdStamp(
        at_ns=seconds * SECOND_NS + nanoseconds,
        resolution_seconds=1e-6,
        source="dovecot_id",
        event="connection",
        lead_seconds=2.0,
        is_lower_bound=match["reuse"] is not None,
    )


def is_same_host(hop: Hop, guid: str | None) -> bool:
    """Whether a session id, and the X-GUID under which the message was stored, are certainly of one host.

    Both end in the hash of the host's name; a maildir's GUID is a file name that ends in the name itself.
    """
    match = _ID.fullmatch(hop.id or "") if hop.software == "dovecot" else None
    if match is None or guid is None:
        return False
    if _GUID.fullmatch(guid):
        return base64.b64decode(match["session"] + "==")[12:] == bytes.fromhex(guid)[12:]
    name = guid.partition(",")[0].split(".", 2)[2:]
    return bool(name) and name[0].lower() == (hop.by or "").lower()

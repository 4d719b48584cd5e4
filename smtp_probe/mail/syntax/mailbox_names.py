"""Mailbox names in modified UTF-7, as IMAP writes them (RFC 3501 section 5.1.3).

In: a name as people read it, or as a server lists it. Out: the other. Reading never fails, so writing what was read
need not give the server's own spelling: keep that one for commands.
"""

from __future__ import annotations

import base64
import binascii
import re

_TO_ENCODE = re.compile(r"&|[^\x20-\x7e]+")
_ENCODED = re.compile(r"&([A-Za-z0-9+,]*)-")


def encode_mailbox_name(name: str) -> str:
    """Write a name in printable ASCII: `&` as `&-`, other characters as UTF-16 in base64 between `&` and `-`."""
    return _TO_ENCODE.sub(_encode_run, name)


def decode_mailbox_name(name: str) -> str:
    """Read a name; a part that is not well formed stays as it is. Linear, never raises."""
    return _ENCODED.sub(_decode_run, name)


def _encode_run(match: re.Match[str]) -> str:
    run = match.group()
    if run == "&":
        return "&-"
    encoded = base64.b64encode(run.encode("utf-16-be", "surrogatepass"), altchars=b"+,")
    return f"&{encoded.decode('ascii').rstrip('=')}-"


def _decode_run(match: re.Match[str]) -> str:
    run = match[1]
    if not run:
        return "&"
    try:
        raw = base64.b64decode(run + "=" * (-len(run) % 4), altchars=b"+,", validate=True)
        return raw.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return match.group()

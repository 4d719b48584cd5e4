"""The queue ids of real mail servers, made from an instant: the inverse of what the prober reads from them.

In: an instant (nanoseconds since the epoch, on the clock of the host that makes the id) and the numbers that a real
server would take from its process or file. Out: the id as text. Pure; the reading side is `smtp_probe.mail`.
"""

from __future__ import annotations

import base64
import struct

_POSTFIX_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_EXIM_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _digits(number: int, alphabet: str, base: int, width: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, base)
        text = alphabet[digit] + text
    return text.rjust(width, alphabet[0])


def postfix_long_id(at_ns: int, inode: int) -> str:
    """The id of Postfix with `enable_long_queue_ids = yes`.

    Six digits of seconds and four of microseconds in base 52, a `z`, and the inode in base 51, which therefore
    never holds a `z` (Postfix, src/global/mail_queue.h).
    """
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    return (
        _digits(seconds, _POSTFIX_DIGITS, 52, 6)
        + _digits(nanoseconds // 1000, _POSTFIX_DIGITS, 52, 4)
        + "z"
        + _digits(inode, _POSTFIX_DIGITS, 51, 1)
    )


def exim_id(at_ns: int, pid: int) -> str:
    """The id of Exim 4.97 and later: seconds, process id and microseconds in base 62 (6-11-4 digits)."""
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    fields = ((seconds, 6), (pid, 11), (nanoseconds // 1000, 4))
    return "-".join(_digits(number, _EXIM_DIGITS, 62, width) for number, width in fields)


def dovecot_id(at_ns: int, pid: int, host_hash: int) -> str:
    """The session id of Dovecot's LMTP server: base64, without padding, of four little-endian 32-bit numbers.

    They are nanoseconds, seconds, process id and a hash of the host name (Dovecot, `guid_128_generate`).
    """
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    numbers = (nanoseconds, seconds & 0xFFFFFFFF, pid & 0xFFFFFFFF, host_hash & 0xFFFFFFFF)
    return base64.b64encode(struct.pack("<4I", *numbers)).decode("ascii").rstrip("=")

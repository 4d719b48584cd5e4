"""Until when a certificate is valid: a walk through its DER to that one date (RFC 5280 section 4.1).

In: a certificate, as a stranger presented it, whether or not it was verified. Out: seconds since the epoch. Raises ValueError
where it cannot be read. Whatever else of it is odd, a serial number of zero or a key of no known kind, does not matter here,
and the library that reads all of a certificate takes 9 MB of memory. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime

from smtp_probe.mail.syntax.der import GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME, read_element

_VERSION = 0xA0
_FIRST_YEAR = "50"
"""Two digits of a year are those of 1950 to 2049 (RFC 5280 section 4.1.2.5.1)."""
_PLACES = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))


def certificate_end_seconds(certificate: bytes) -> int:
    """Give notAfter."""
    signed, _ = read_element(certificate, SEQUENCE)
    rest, _ = read_element(signed, SEQUENCE)
    if rest[:1] == bytes([_VERSION]):
        _, rest = read_element(rest, _VERSION)
    _, rest = read_element(rest, INTEGER)  # the serial number
    _, rest = read_element(rest, SEQUENCE)  # the algorithm
    _, rest = read_element(rest, SEQUENCE)  # the issuer
    validity, _ = read_element(rest, SEQUENCE)
    _, rest = read_element(validity, UTC_TIME, GENERALIZED_TIME)
    text, _ = read_element(rest, UTC_TIME, GENERALIZED_TIME)
    return _read_time(text.decode("ascii"), has_century=rest[0] == GENERALIZED_TIME)


def _read_time(text: str, *, has_century: bool) -> int:
    century = "" if has_century else "19" if text[:2] >= _FIRST_YEAR else "20"
    digits = century + text.removesuffix("Z")
    if not text.endswith("Z") or not digits.isdecimal() or len(digits) != len("YYYYMMDDHHMMSS"):
        raise ValueError("the date has another form")
    year, month, day, hour, minute, second = (int(digits[start:end]) for start, end in _PLACES)
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())

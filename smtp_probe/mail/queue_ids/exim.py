"""Reading the time in Exim's message ids (Exim, `src/receive.c`; its specification, "Message identification").

In: a hop. Out: the instant at which Exim began to receive the message's data; the date of its header is that of the
end. An id is `seconds-process-fraction` in base 62. The fraction has a new meaning with several versions:

- from 4.97 on, four digits of microseconds (the id has 23 characters);
- 4.96 and its patch releases, two digits in units of 5 ms, unlike what its specification says;
- before, two digits in units of 0.5 ms; long before, a serial number.

With `localhost_number` set, the fraction is coarser and has the host's number in front. That is seen only where it
makes the fraction greater than a second; with a small number it is not, and the fraction is misread then. The
setting is for hosts that share a spool. On systems with base 36 the seconds do not agree with the date.
"""

from __future__ import annotations

import re

from smtp_probe.mail.queue_ids.id_stamps import MICROSECOND_NS, SECOND_NS, IdStamp, read_number, value_digits
from smtp_probe.model import Hop

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = value_digits(_DIGITS)
_NEW = re.compile(r"([0-9A-Za-z]{6})-[0-9A-Za-z]{11}-([0-9A-Za-z]{4})")
_OLD = re.compile(r"([0-9A-Za-z]{6})-[0-9A-Za-z]{6}-([0-9A-Za-z]{2})")
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(?!\d)", re.ASCII)

_FRACTIONS_SINCE = (4, 50)
"""Not the first version with fractions, but one that has them for certain."""
_COARSE = (4, 96)
_HALF_MILLISECOND_NS = 500_000
_GRID_NS = 5_000_000
"""The unit of 4.96, and of any version before it that has a `localhost_number`."""

_FIXED_CLOCK_LEAD_SECONDS = 2.0
"""From 4.97 on, ids are of a clock that was set when the daemon started, and that no later correction reaches: an id
that is further from the date may be of a slow content filter, or of a wrong clock."""
_DATA_LEAD_SECONDS = 300.0
"""Before, the same clock wrote id and date: between them is the data and what filters make of it. Exim waits five
minutes for a line (`smtp_receive_timeout`)."""


def decode_exim(hop: Hop) -> IdStamp | None:
    """Read an Exim message id, of the event `data`: to 1 us from 4.97 on, 5 ms in 4.96, 0.5 ms from 4.50 to 4.95.

    The new form is its own sign: the header's text is a setting. The old form needs the version in the header.
    A message that no SMTP client sent had no DATA: its event is not told.
    """
    if hop.software not in ("exim", None):
        return None
    if (match := _NEW.fullmatch(hop.id or "")) is not None:
        return _read_new(match, hop)
    if (match := _OLD.fullmatch(hop.id or "")) is not None:
        return _read_old(match, hop)
    return None


def _read_new(match: re.Match[str], hop: Hop) -> IdStamp | None:
    fraction = read_number(match[2], _VALUES)
    unit_us = 1
    if fraction >= 1_000_000:
        # A host's number, times half a million, plus units of two microseconds.
        fraction, unit_us = fraction % 500_000, 2
    fraction_ns = fraction * unit_us * MICROSECOND_NS
    return _give(match, fraction_ns, unit_us * 1e-6, hop, lead_seconds=_FIXED_CLOCK_LEAD_SECONDS)


def _read_old(match: re.Match[str], hop: Hop) -> IdStamp | None:
    version = _read_version(hop.software_version)
    if version is None or not _FRACTIONS_SINCE <= version <= _COARSE:
        return None
    fraction = read_number(match[2], _VALUES)
    if version == _COARSE or fraction >= 2000:
        # A host's number, times two hundred, is in front of the fraction; without one it is zero.
        return _give(match, fraction % 200 * _GRID_NS, 0.005, hop, lead_seconds=_DATA_LEAD_SECONDS)
    return _give(match, fraction * _HALF_MILLISECOND_NS, 0.0005, hop, lead_seconds=_DATA_LEAD_SECONDS)


def _give(
    match: re.Match[str], fraction_ns: int, resolution_seconds: float, hop: Hop, *, lead_seconds: float
) -> IdStamp:
    return IdStamp(
        at_ns=read_number(match[1], _VALUES) * SECOND_NS + fraction_ns,
        resolution_seconds=resolution_seconds,
        source="exim_id",
        event="data" if "smtp" in (hop.with_ or "").lower() else None,
        lead_seconds=lead_seconds,
    )


def _read_version(text: str | None) -> tuple[int, int] | None:
    match = _VERSION.match(text or "")
    return (int(match[1]), int(match[2])) if match else None

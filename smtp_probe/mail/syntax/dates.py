"""Reading dates as mail software writes them (RFC 5322 sections 3.3 and 4.3, and what else is about).

In: text that begins with a date, or has one somewhere. Out: the instant on the writer's clock, how finely it is
given, and what was odd. Never raises, and guesses nothing: what is no date gives no instant.

Read are the Internet form with all its obsolete parts, the form of `ctime` and `date`, the form of Go and ISO, and the
American form in words (`Monday, March 2, 2026 10:00:00 AM -0500`).
Flags: `no_zone`, `unknown_zone`, `zone_clamped` (the instant is right only if UTC, or the clamped zone, is),
`minus_zero_zone` (RFC 5322 3.3: UTC, by a writer that does not tell its own zone), `two_digit_year`,
`three_digit_year`, `no_seconds`, `leap_second`, `wrong_weekday`; and `bad_date` where there is no instant.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from smtp_probe.mail.syntax.tokens import Kind, mask, tokenize

_SECOND_NS = 1_000_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ZONE_LIMIT_MINUTES = 14 * 60
_RESOLUTIONS = tuple(float(f"1e-{digits}") for digits in range(10))
"""In seconds, by the digits of the fraction."""
_SCAN_CHARACTERS = 256
"""A date lies within this many characters of its beginning, comments and all."""

_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)  # noqa: SIM905
}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# RFC 5322 section 4.3, and names that stand for one offset wherever they are used. Hours from UTC.
_ZONE_HOURS = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0,
    "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
    "wet": 0, "west": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2, "eest": 3, "msk": 3,
    "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip

_WEEKDAY = r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)[a-z]*+[ ]*+[.,]?[ ]*+)?"
_TIME = (
    r"(?P<hour>\d{1,2})[ ]*+:[ ]*+(?P<minute>\d{1,2})"
    r"(?:[ ]*+:[ ]*+(?P<second>\d{1,2})(?:[.,](?P<fraction>\d++))?)?(?!\d)(?:[ ]*+(?P<half>[ap])\.?m\b\.?)?"
)
_NAMED = r"(?!(?:for|from|by|via|with|id|tls)\b)[a-z]{1,5}(?![^ ;(])"
_ZONE = rf"(?:[ ]*+(?P<zone>(?:(?:gmt|utc?)[ ]?)?[+-]\d{{1,2}}:?\d{{0,2}}(?!\d)|{_NAMED}))?"
_INTERNET = re.compile(
    rf"[ ]*+{_WEEKDAY}(?P<day>\d{{1,2}})[ -]++(?P<month>[a-z]{{3}})[a-z]*+\.?[ -]++(?P<year>\d{{2,4}}),?[ ]++{_TIME}{_ZONE}",
    re.ASCII | re.IGNORECASE,
)
_ISO = re.compile(
    rf"[ ]*+{_WEEKDAY}(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})[ t]++{_TIME}{_ZONE}"
    r"(?:[ ]++(?:(?-i:[A-Z]{1,5})|[+-]\d{2,4})(?![^ ]))?(?:[ ]++m=[+-][\d.]++)?",
    re.ASCII | re.IGNORECASE,
)
_CTIME = re.compile(
    rf"[ ]*+{_WEEKDAY}(?P<month>[a-z]{{3}})[a-z]*+[ ]++(?P<day>\d{{1,2}}),?[ ]++{_TIME}"
    rf"(?:[ ]++(?P<early>[+-]\d{{4}}|{_NAMED}))?[ ]++(?P<year>\d{{4}})(?!\d){_ZONE}",
    re.ASCII | re.IGNORECASE,
)
_AMERICAN = re.compile(
    rf"[ ]*+{_WEEKDAY}(?P<month>[a-z]{{3}})[a-z]*+\.?[ ]++(?P<day>\d{{1,2}}),?[ ]++(?P<year>\d{{4}}),?(?:[ ]++at)?[ ]++{_TIME}{_ZONE}",
    re.ASCII | re.IGNORECASE,
)
_BEGINNING = re.compile(
    r"(?<![^ ;])(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*+[ ]?[.,]?[ ]?)?"
    r"(?:\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+[ -]\d{2,4},?[ ]\d{1,2}[ ]?:"
    r"|\d{4}-\d{2}-\d{2}[ t]\d{1,2}:"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+[ ]\d{1,2},?[ ](?:\d{4},?[ ](?:at[ ])?)?\d{1,2}:)",
    re.ASCII | re.IGNORECASE,
)


class DateReading(NamedTuple):
    """What a date says. `end` is where it ended in the text, 0 where there was none."""

    at_ns: int | None
    """Nanoseconds since the epoch, on the clock of the writer."""
    resolution_seconds: float | None
    flags: tuple[str, ...]
    end: int


_NOTHING = DateReading(None, None, ("bad_date",), 0)


def parse_date(text: str) -> DateReading:
    """Read the date with which the text begins; comments may stand in it anywhere, and anything behind it.

    White space must be blanks, as `tokens.read_text` makes it.
    """
    match = _match(text)
    if match is None and "(" in text:
        beginning = text[:_SCAN_CHARACTERS]
        match = _match(mask(beginning, tokenize(beginning), Kind.COMMENT))
    return _NOTHING if match is None else _read(match)


def find_date(text: str) -> int | None:
    """Give the place where the last date in the text begins. None without one.

    A date in a comment or in quotes counts as well: blank them out before (`tokens.mask`).
    """
    place = None
    for match in _BEGINNING.finditer(text):
        place = match.start()
    return place


def _match(text: str) -> re.Match[str] | None:
    return _INTERNET.match(text) or _ISO.match(text) or _CTIME.match(text) or _AMERICAN.match(text)


def _read(match: re.Match[str]) -> DateReading:
    flags: list[str] = []
    day, odd = _read_day(*match.group("year", "month", "day", "weekday"))
    flags += odd
    seconds = _read_time(match["hour"], match["minute"], match["second"], match["half"], flags)
    if day is None or seconds is None:
        return _NOTHING
    early = match["early"] if match.re is _CTIME else None
    zone_seconds, odd = _read_zone(early or match["zone"])
    flags += odd
    digits = (match["fraction"] or "")[:9]
    fraction_ns = int(digits.ljust(9, "0")) if digits else 0
    at_ns = ((day - _EPOCH_DAY) * 86400 + seconds - zone_seconds) * _SECOND_NS + fraction_ns
    resolution = _RESOLUTIONS[len(digits)] if match["second"] else 60.0
    return DateReading(at_ns, resolution, tuple(flags), match.end())


@lru_cache(maxsize=64)  # the dates of one message are of one day, or of two
def _read_day(
    year_text: str, month_text: str, day_text: str, weekday: str | None
) -> tuple[int | None, tuple[str, ...]]:
    """Give the day as a proleptic Gregorian ordinal; years of two and three digits as RFC 5322 section 4.3."""
    year, month = int(year_text), _MONTHS.get(month_text.lower())
    flags: list[str] = []
    if month_text.isdigit():
        month = int(month_text)
    if len(year_text) == 2:
        year += 2000 if year < 50 else 1900
        flags.append("two_digit_year")
    elif len(year_text) == 3:
        year += 1900
        flags.append("three_digit_year")
    try:
        day = date(year, month or 0, int(day_text))
    except ValueError:
        return None, ()
    if weekday and weekday.lower() != _WEEKDAYS[day.weekday()]:
        flags.append("wrong_weekday")
    return day.toordinal(), tuple(flags)


def _read_time(
    hour_text: str, minute_text: str, second_text: str | None, half: str | None, flags: list[str]
) -> int | None:
    """Give the second of the day. A leap second becomes the one before it, as on a POSIX clock."""
    hour, minute, second = int(hour_text), int(minute_text), int(second_text or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    if not second_text:
        flags.append("no_seconds")
    if second == 60:
        second = 59
        flags.append("leap_second")
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second


@lru_cache(maxsize=64)
def _read_zone(zone: str | None) -> tuple[int, tuple[str, ...]]:
    """Give the offset from UTC in seconds: 0, with a flag, where it is not told."""
    if not zone:
        return 0, ("no_zone",)
    sign = max(zone.find("+"), zone.find("-"))
    if sign < 0:
        hours = _ZONE_HOURS.get(zone.lower())
        return (0, ("unknown_zone",)) if hours is None else (hours * 3600, ())
    digits = zone[sign + 1 :].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    total = hours * 60 + minutes
    flags: tuple[str, ...] = ()
    if total > _ZONE_LIMIT_MINUTES:
        total, flags = _ZONE_LIMIT_MINUTES, ("zone_clamped",)
    if total == 0 and zone[sign] == "-":
        flags = ("minus_zero_zone",)
    return total * (-60 if zone[sign] == "-" else 60), flags

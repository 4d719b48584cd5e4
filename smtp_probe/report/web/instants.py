"""Times in words: instants as RFC 3339 text for views and as short text for pages, durations as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

from smtp_probe.report.sentences import describe_duration

DASH = "\N{EN DASH}"
_NS = 1_000_000_000
_EARLIEST_NS, _LATEST_NS = 0, 253_402_300_799 * _NS


def instant(at_ns: int) -> str:
    """Give an instant as RFC 3339 text in UTC, to the microsecond. What a calendar cannot hold is drawn to its edge."""
    at_ns = min(max(at_ns, _EARLIEST_NS), _LATEST_NS)
    whole, rest = divmod(at_ns, _NS)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def instant_or_none(at_ns: int | None) -> str | None:
    """Give an instant, or None for None."""
    return None if at_ns is None else instant(at_ns)


def show_instant(text: str | None) -> str:
    """Give an instant for a table, to the second; a dash for None."""
    return DASH if text is None else f"{text[:10]} {text[11:19]}"


def show_precisely(text: str | None) -> str:
    """Give an instant to the millisecond; a dash for None."""
    return DASH if text is None else f"{text[:10]} {text[11:23]}"


def show_clock(text: str | None) -> str:
    """Give the time of day of an instant; a dash for None."""
    return DASH if text is None else text[11:19]


def show_seconds(seconds: float | None) -> str:
    """Say a duration as people do; a dash for None."""
    if seconds is None:
        return DASH
    if 0 < abs(seconds) < 1e-6:
        return "under 0.001 ms"
    if seconds != 0 and abs(seconds) < 0.01:
        return f"{seconds * 1000:.2g} ms"
    return describe_duration(seconds)

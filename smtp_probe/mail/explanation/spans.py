"""Durations in words, as a person reads them in a finding.

In: seconds. Out: a short text. Rounds to what matters; the numbers themselves stand beside it for programs.
"""

from __future__ import annotations

_DAY_SECONDS = 86_400
_UNITS = ((1.0, 1, "s"), (1e-3, 1000, "ms"), (1e-6, 1_000_000, "µs"), (1e-9, 1_000_000_000, "ns"))


def say_span(seconds: float) -> str:
    """Say how long: `36 ms`, `4.5 s`, `2 min 3 s`, `5 h 12 min`, `3 d 4 h`. The sign is left out."""
    length = abs(seconds)
    if length < 1:
        return "0 s" if length == 0 else say_limit(length)
    whole = round(length)
    if whole < 120:
        return f"{whole} s" if abs(length - whole) < 0.05 else f"{length:.1f} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * _DAY_SECONDS:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // _DAY_SECONDS} d {whole % _DAY_SECONDS // 3600} h"


def say_limit(seconds: float) -> str:
    """Say a bound, such as that of an error, in one unit: `14 h`, `60 s`, `1 s`, `5 ms`, `1 µs`."""
    if seconds >= 3600:
        return f"{seconds / 3600:.0f} h"
    for unit, per_second, name in _UNITS:
        if seconds >= unit * 0.9995:
            return f"{seconds * per_second:.0f} {name}"
    return "0 s"

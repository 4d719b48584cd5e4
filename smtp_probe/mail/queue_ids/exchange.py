"""Reading the times that Microsoft's transport writes into headers of its own.

In: the fields of a header, and the hops. Out: for which hop there is which finer stamp. All of one message's stamps
of this kind are of one service, and its header fields say nothing of the hop they belong to: that is found by the
dates. Exchange writes its fields below its Received lines, so their place says only which ones belong together.

- `X-MS-Exchange-Organization-OriginalArrivalTime`, `X-MS-Exchange-CrossTenant-OriginalArrivalTime`: when the first
  server of the organisation, or of Exchange Online, had the message, to 100 microseconds.
- `X-MS-Exchange-Transport-EndToEndLatency`: how long it was from then until the message was in the mailbox.
- `X-OriginalArrivalTime`: when the SMTP service of Windows had it.

Source: real headers of 2016 to 2024, and the form in which .NET writes such values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS, IdStamp, agrees_with_date, to_ns
from smtp_probe.model import Hop

_ARRIVALS = frozenset(
    {"x-ms-exchange-organization-originalarrivaltime", "x-ms-exchange-crosstenant-originalarrivaltime"}
)
_WINDOWS_ARRIVAL = "x-originalarrivaltime"
_LATENCY = "x-ms-exchange-transport-endtoendlatency"
_WINDOWS_SERVICE = "Microsoft SMTPSVC"
_MAX_FIELDS = 16

_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_INSTANT = re.compile(
    rb"(\d{2}) ([A-Z][a-z]{2}) (\d{4}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{4})\s{1,8}\(UTC\)(?:\s.{0,100})?"
)
_DURATION = re.compile(rb"(?:(\d{1,3})\.)?(\d{2}):(\d{2}):(\d{2})(?:\.(\d{7}))?")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_RESOLUTION_SECONDS = 1e-4
_END_RESOLUTION_SECONDS = 2e-4
"""Of an arrival and a duration, whose sum is cut to what the arrival has: the cut leaves out as much again."""


def find_exchange_stamps(fields: Iterable[tuple[str, bytes]], hops: Sequence[Hop]) -> Mapping[int, IdStamp]:
    """Give the stamps by the hop's place in `hops`, which are oldest first. The first stamp for a hop counts."""
    found: dict[int, IdStamp] = {}
    arrival: tuple[int, int] | None = None
    for name, value in _choose_fields(fields):
        if name == _LATENCY:
            duration_ns = read_duration_ns(value)
            if arrival is not None and duration_ns is not None:
                _place_end(found, hops, after=arrival[0], at_ns=arrival[1] + duration_ns)
            continue
        at_ns = read_arrival_ns(value)
        if at_ns is None:
            continue
        is_windows = name == _WINDOWS_ARRIVAL
        place = _place_arrival(found, hops, at_ns, is_windows=is_windows)
        if not is_windows:
            arrival = None if place is None else (place, at_ns)
    return found


def read_arrival_ns(value: bytes) -> int | None:
    """Read `31 Mar 2024 05:37:52.6959 (UTC)`, in nanoseconds since the epoch.

    None for a fraction of `.0000`: Exchange puts an earlier Received line's whole second there, if it trusts one.
    """
    match = _INSTANT.fullmatch(value)
    if match is None or match[7] == b"0000":
        return None
    try:
        day = date(int(match[3]), _MONTHS.get(match[2], 0), int(match[1])).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = day * 86400 + int(match[4]) * 3600 + int(match[5]) * 60 + int(match[6])
    return seconds * SECOND_NS + int(match[7]) * (SECOND_NS // 10_000)


def read_duration_ns(value: bytes) -> int | None:
    """Read a .NET TimeSpan, `00:00:02.4964141` or `1.02:03:04`, in nanoseconds. Negative ones are not read."""
    match = _DURATION.fullmatch(value)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return whole * SECOND_NS + int(match[5] or 0) * 100


def _choose_fields(fields: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    names = _ARRIVALS | {_LATENCY, _WINDOWS_ARRIVAL}
    return [field for field in fields if field[0] in names][:_MAX_FIELDS]


def _place_arrival(
    found: dict[int, IdStamp], hops: Sequence[Hop], at_ns: int, *, is_windows: bool
) -> int | None:
    """Give the stamp to the oldest hop of its kind whose second it lies in, or else that it precedes by little."""
    source = "smtpsvc_arrival" if is_windows else "exchange_arrival"
    for lead_seconds in (0.0, 2.0):
        stamp = IdStamp(
            at_ns=at_ns,
            resolution_seconds=_RESOLUTION_SECONDS,
            source=source,
            event=None,
            lead_seconds=lead_seconds,
        )
        for place, hop in enumerate(hops):
            if _is_exchange(hop, is_windows=is_windows) and agrees_with_date(stamp, hop):
                found.setdefault(place, stamp)
                return place
    return None


def _place_end(found: dict[int, IdStamp], hops: Sequence[Hop], *, after: int, at_ns: int) -> None:
    """Give the end to the newest hop of the service: its date is when the mailbox server had the message to store."""
    place = max((place for place, hop in enumerate(hops) if _is_exchange(hop, is_windows=False)), default=-1)
    stamp = IdStamp(
        at_ns=at_ns - at_ns % to_ns(_RESOLUTION_SECONDS),
        resolution_seconds=_END_RESOLUTION_SECONDS,
        source="exchange_latency",
        event="stored",
        lead_seconds=0.0,
        lag_seconds=2.0,
    )
    if place > after and agrees_with_date(stamp, hops[place]):
        found.setdefault(place, stamp)


def _is_exchange(hop: Hop, *, is_windows: bool) -> bool:
    return hop.software == "exchange" and (hop.with_ == _WINDOWS_SERVICE) == is_windows

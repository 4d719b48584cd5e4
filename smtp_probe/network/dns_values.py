"""Records as the DNS library has them, made into the values of `model.dns`.

In: one record of a kind, by its attributes. Out: text, bytes or one of the record types; None for what cannot be read.
Does not import the library: the records are plain objects here. Names lose their final dot and are lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from smtp_probe.model import CaaRecord, DnsValue, MxRecord, SoaRecord, SrvRecord, TlsaRecord

MOST_VALUES = 256
"""More records of one set than anybody has are not looked at."""


def _name(name: Any) -> str:
    """A name as text, with the escapes of a zone file for odd octets; empty for the root."""
    text: str = name.to_text(omit_final_dot=True)
    return "" if text in (".", "@") else text.lower()


def _soa(record: Any) -> SoaRecord:
    return SoaRecord(
        primary=_name(record.mname),
        contact=_name(record.rname),
        serial=record.serial,
        refresh=record.refresh,
        retry=record.retry,
        expire=record.expire,
        minimum=record.minimum,
    )


_READERS: dict[str, Callable[[Any], DnsValue]] = {
    "A": lambda record: str(record.address),
    "AAAA": lambda record: str(record.address),
    "MX": lambda record: MxRecord(record.preference, _name(record.exchange)),
    "TXT": lambda record: b"".join(record.strings),
    "PTR": lambda record: _name(record.target),
    "CNAME": lambda record: _name(record.target),
    "NS": lambda record: _name(record.target),
    "SOA": _soa,
    "TLSA": lambda record: TlsaRecord(record.usage, record.selector, record.mtype, record.cert),
    "CAA": lambda record: CaaRecord(
        record.flags, record.tag.decode("ascii", "replace").lower(), record.value.decode("utf-8", "replace")
    ),
    "SRV": lambda record: SrvRecord(record.priority, record.weight, record.port, _name(record.target)),
    "DS": lambda record: str(record.to_text()),
    "DNSKEY": lambda record: str(record.to_text()),
}
KINDS = tuple(_READERS)


def read_values(records: Iterable[Any], kind: str) -> tuple[DnsValue, ...]:
    """Every record of a set that can be read, in the set's order, at most `MOST_VALUES`."""
    read = _READERS[kind]
    values: list[DnsValue] = []
    for record in records:
        if len(values) >= MOST_VALUES:
            break
        try:
            values.append(read(record))
        except (AttributeError, ValueError):  # a record in a form that the library keeps unread (RFC 3597)
            continue
    return tuple(values)

"""A zone in a few lines: an `Ask` that answers from a table, and remembers what it was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from smtp_probe.model import DnsAnswer, DnsSecurity, DnsStatus, DnsValue, MxRecord

Zone = Mapping[str, Mapping[str, tuple[DnsValue, ...] | list[DnsValue] | DnsStatus] | DnsStatus]
"""By name: records by kind, or a status for any kind. A name that is missing does not exist."""


def mx(*hosts: str) -> tuple[MxRecord, ...]:
    """MX records: `10 mail.test`."""
    return tuple(MxRecord(int(text.split()[0]), text.split()[1].rstrip(".")) for text in hosts)


class ScriptedDns:
    """Fits `ports.Ask`."""

    def __init__(self, zone: Zone, *, ttl: int = 3600, security: DnsSecurity = DnsSecurity.UNKNOWN) -> None:
        self.zone = {name.lower(): records for name, records in zone.items()}
        self.ttl = ttl
        self.security = security
        self.asked: Counter[tuple[str, str]] = Counter()

    async def __call__(self, name: str, kind: str) -> DnsAnswer:
        """Answer one question; text becomes bytes where TXT records are asked for."""
        key = name.lower().removesuffix(".")
        self.asked[key, kind] += 1
        return self._answer(key, kind, ())

    def _answer(self, key: str, kind: str, aliases: tuple[str, ...]) -> DnsAnswer:
        records = self.zone.get(key)
        if records is None:
            exists = any(name.endswith(f".{key}") for name in self.zone)
            records = {} if exists else DnsStatus.NO_SUCH_NAME
        found = records if isinstance(records, DnsStatus) else records.get(kind, ())
        if isinstance(records, Mapping) and not found and kind != "CNAME" and "CNAME" in records:
            target = str(next(iter(records["CNAME"])))
            return self._answer(target, kind, (*aliases, target))
        status = found if isinstance(found, DnsStatus) else DnsStatus.FOUND if found else DnsStatus.NO_DATA
        values = () if isinstance(found, DnsStatus) else tuple(found)
        if kind == "TXT":
            values = tuple(value.encode("latin-1") if isinstance(value, str) else value for value in values)
        return DnsAnswer(
            name=key,
            kind=kind,
            status=status,
            values=values,
            ttl_seconds=self.ttl,
            original_ttl_seconds=self.ttl if values else None,
            security=self.security,
            aliases=aliases,
        )

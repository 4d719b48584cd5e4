"""What the resolver answers to one question: the records, how long they hold, and how far they can be believed.

NXDOMAIN, no data, and each way in which a resolver fails are different values. A failure is the observer's
matter: it makes a check unobserved, never failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DnsStatus(StrEnum):
    """How a question ended. Bounded: these values are metric labels."""

    FOUND = "found"
    NO_DATA = "no_data"
    """The name exists, but has no record of this kind (RFC 2308 section 2.2)."""
    NO_SUCH_NAME = "no_such_name"
    """NXDOMAIN."""
    SERVER_FAILED = "server_failed"
    """SERVFAIL, which is also what a validating resolver says of a bogus zone."""
    REFUSED = "refused"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    """There are records of this kind, and none of them can be read."""
    ALIAS_LOOP = "alias_loop"
    """The name is an alias whose chain leads back, or on and on."""
    BAD_NAME = "bad_name"
    """Not a name that can be asked for: an empty or too long label, or too long as a whole."""
    OVER_BUDGET = "over_budget"
    """Not asked: the check had spent its budget of questions."""
    UNREACHABLE = "unreachable"
    """No name server could be spoken to, or what came back was not DNS."""


class DnsSecurity(StrEnum):
    """What is known of an answer's DNSSEC status (RFC 4035 section 4.3)."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    UNKNOWN = "unknown"
    """Nobody whom we trust has looked: the AD bit counts only where the configuration says so."""


@dataclass(frozen=True, slots=True)
class MxRecord:
    """RFC 1035 section 3.3.9. `host` without the final dot; empty for the null MX (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """RFC 8659 section 4.1."""

    flags: int
    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """RFC 2782. `target` without the final dot; empty where the service is decidedly not offered."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class SoaRecord:
    """RFC 1035 section 3.3.13."""

    primary: str
    contact: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


DnsValue = str | bytes | MxRecord | TlsaRecord | CaaRecord | SrvRecord | SoaRecord
"""One record: A and AAAA as address text, PTR, CNAME and NS as names without the final dot, TXT as the
concatenated bytes of its strings (RFC 7208 section 3.3), DS and DNSKEY as the text of a zone file, the others as the
records above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer:
    """The answer to one question. `values` is empty unless `status` is FOUND."""

    name: str
    kind: str
    """`A`, `AAAA`, `MX`, `TXT`, `PTR`, `CNAME`, `NS`, `SOA`, `TLSA`, `CAA`, `SRV`, `DS`, `DNSKEY`."""
    status: DnsStatus
    values: tuple[DnsValue, ...] = ()
    ttl_seconds: int | None = None
    """As the server gave it: the least of the chain; for a negative answer by RFC 2308 section 5."""
    security: DnsSecurity = DnsSecurity.UNKNOWN
    original_ttl_seconds: int | None = None
    """What the zone says: from a server with authority, or by the signature (RFC 4034 section 3.1.4). None where it is
    not known: a resolver's cache counts down, so `ttl_seconds` is only a lower bound of it."""
    unreadable: int = 0
    """Records that could not be read, beside those in `values`."""
    signed_until_seconds: int | None = None
    """When the signature over the records ends, in seconds since the epoch; None where there is none."""
    aliases: tuple[str, ...] = ()
    """The CNAME chain that was followed, without the name that was asked for."""
    duration_seconds: float | None = None
    """How long the asking took; None for an answer from the cache."""
    zone: str = ""
    """The zone that says that there is nothing, by its SOA record; empty for other answers."""
    detail: str = ""
    """What went wrong, sanitised, for people."""

    @property
    def is_failure(self) -> bool:
        """Whether nothing is known: neither that there are records nor that there are none."""
        return self.status not in (DnsStatus.FOUND, DnsStatus.NO_DATA, DnsStatus.NO_SUCH_NAME)

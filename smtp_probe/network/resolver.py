"""Names to addresses, through dnspython and nothing else of it anywhere.

In: the name servers of the settings, or the system's with its table of hosts. Out: addresses in the order to be
tried, or a `ResolverError` that tells a name that does not exist (the path's matter) from a resolver that does not
answer (ours). Names are absolute: no search list is applied.

Each question is asked once, however many wait for its answer, and answers are kept for as long as their TTL says.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Sequence
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import ResolverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, Phase
from smtp_probe.network.hosts_file import HostsFile

_CACHED_ANSWERS = 10_000
_MOST_ADDRESSES = 32
_EDNS_BYTES = 1232
"""The answer size that passes everywhere unfragmented; more comes over TCP."""

_GRACE_SECONDS = 0.5
"""dnspython keeps its own deadlines; ours stands behind them, in case it does not."""

_KINDS = {
    "any": (dns.rdatatype.AAAA, dns.rdatatype.A),
    "ipv6": (dns.rdatatype.AAAA,),
    "ipv4": (dns.rdatatype.A,),
}
_VERSIONS = {"any": (6, 4), "ipv6": (6,), "ipv4": (4,)}
_LOOPBACK = ("::1", "127.0.0.1")

_Question = tuple[dns.name.Name, dns.rdatatype.RdataType]


class DnsResolver:
    """`ports.Resolver` with a cache, for one event loop."""

    def __init__(
        self,
        settings: ResolverSettings,
        *,
        hosts_path: Path = Path("/etc/hosts"),
        system_path: Path = Path("/etc/resolv.conf"),
    ) -> None:
        self._settings = settings
        self._hosts = HostsFile(hosts_path)
        self._system_path = system_path
        self._system_changed_ns: int | None = None
        self._stub: dns.asyncresolver.Resolver | None = None
        self._cache = dns.resolver.LRUCache(_CACHED_ANSWERS)
        self._under_way: dict[_Question, asyncio.Task[dns.resolver.Answer | None]] = {}

    async def addresses(self, host: str, family: str) -> Sequence[str]:
        """IPv6 addresses before IPv4 ones, at most 32. Raises ResolverError; an address comes back as it is."""
        name = host.removeprefix("[").removesuffix("]")
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return (name,)
        known = self._known_without_asking(name, family)
        found = known or await self._ask_for_addresses(_parse_name(name), family)
        if not found:
            raise ResolverError(Phase.RESOLVE, Cause.NO_SUCH_HOST, detail=f"{sanitise(host)} has no address")
        return found[:_MOST_ADDRESSES]

    async def close(self) -> None:
        """Give up the questions that are under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _known_without_asking(self, name: str, family: str) -> tuple[str, ...]:
        """What the table of hosts says, when the system's ways are ours, and what `localhost` is (RFC 6761)."""
        known = self._hosts.addresses(name) if not self._settings.nameservers else ()
        if not known and f".{name.lower().removesuffix('.')}".endswith(".localhost"):
            known = _LOOPBACK
        return tuple(
            address
            for version in _VERSIONS[family]
            for address in known
            if ipaddress.ip_address(address).version == version
        )

    async def _ask_for_addresses(self, name: dns.name.Name, family: str) -> tuple[str, ...]:
        """Ask for both kinds at once. A kind that failed is passed over when the other has an address."""
        results = await asyncio.gather(
            *(self._ask(name, kind) for kind in _KINDS[family]), return_exceptions=True
        )
        found: list[str] = []
        failed: BaseException | None = None
        for result in results:
            if isinstance(result, BaseException):
                failed = failed or result
            elif result is not None and result.rrset is not None:
                found.extend(record.address for record in result.rrset)
        if failed is not None and not found:
            raise failed
        return tuple(found)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.resolver.Answer | None:
        """One question, from the cache or shared with all who ask it now. None: the name does not exist."""
        cached = self._cache.get((name, kind, dns.rdataclass.IN))
        if cached is not None:
            return cached
        question = name, kind
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.create_task(self._query(name, kind))
            self._under_way[question] = task
            task.add_done_callback(lambda done: self._settle(question, done))
        return await asyncio.shield(task)

    def _settle(self, question: _Question, done: asyncio.Task[dns.resolver.Answer | None]) -> None:
        del self._under_way[question]
        if not done.cancelled():
            done.exception()  # seen, also when all who asked have gone meanwhile

    async def _query(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.resolver.Answer | None:
        """Ask the name servers. Raises ResolverError when none of them gives a usable answer in time."""
        try:
            stub = self._current_stub()
            async with asyncio.timeout(self._settings.lifetime + _GRACE_SECONDS):
                return await stub.resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            detail = sanitise(f"{name.to_text(omit_final_dot=True)} {kind.name}: {error}")
            raise ResolverError(Phase.RESOLVE, Cause.RESOLVER_FAILED, detail=detail) from error

    def _current_stub(self) -> dns.asyncresolver.Resolver:
        """The configured stub; the system's is made anew when its file has changed. Raises DNSException, OSError."""
        changed_ns = None if self._settings.nameservers else self._system_path.stat().st_mtime_ns
        if self._stub is not None and changed_ns == self._system_changed_ns:
            return self._stub
        if self._settings.nameservers:
            stub = dns.asyncresolver.Resolver(configure=False)
            stub.port = self._settings.port
            stub.nameservers = list(self._settings.nameservers)
        else:
            stub = dns.asyncresolver.Resolver(filename=str(self._system_path))
        stub.timeout = self._settings.timeout
        stub.lifetime = self._settings.lifetime
        stub.cache = self._cache
        stub.use_edns(0, 0, _EDNS_BYTES)
        self._stub, self._system_changed_ns = stub, changed_ns
        return stub


def _parse_name(name: str) -> dns.name.Name:
    """Read a host name as absolute. Raises ResolverError when it is none."""
    try:
        return dns.name.from_text(name.removesuffix(".") + ".")
    except (dns.exception.DNSException, UnicodeError):
        detail = f"{sanitise(name)} is not a host name"
        raise ResolverError(Phase.RESOLVE, Cause.NO_SUCH_HOST, detail=detail) from None

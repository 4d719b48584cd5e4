"""The resolver: questions to name servers, through dnspython and nothing else of it anywhere.

In: the name servers of the settings, or the system's with its table of hosts. Out: for host names, addresses in the order
to be tried, or a `ResolverError` that tells a name that does not exist (the path's matter) from a resolver that does
not answer (ours); for any other question a `DnsAnswer`, and never an exception. Names are absolute: no search list.

Each question is asked once, however many wait for its answer, and answers are kept for as long as their TTL says. When
all name servers say SERVFAIL, the question is asked again with checking disabled (RFC 4035 section 3.2.2): an answer
then means that the zone is bogus. The AD bit says `secure` only where the settings trust it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import ResolverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, DnsAnswer, DnsSecurity, DnsStatus, Phase
from smtp_probe.network.dns_cache import DnsCache
from smtp_probe.network.dns_transport import NotAnAnswerError, ask_by_datagram, ask_by_tcp
from smtp_probe.network.dns_values import KINDS, read_values
from smtp_probe.network.hosts_file import HostsFile

_CACHED_ANSWERS = 20_000
_MOST_ADDRESSES = 32
_EDNS_BYTES = 1232
"""The answer size that passes everywhere unfragmented; more comes over TCP."""
_MOST_ALIASES = 8

_ADDRESS_KINDS = {"any": ("AAAA", "A"), "ipv6": ("AAAA",), "ipv4": ("A",)}
_VERSIONS = {"any": (6, 4), "ipv6": (6,), "ipv4": (4,)}
_LOOPBACK = ("::1", "127.0.0.1")

_RCODES = {
    dns.rcode.NOERROR: DnsStatus.FOUND,
    dns.rcode.NXDOMAIN: DnsStatus.NO_SUCH_NAME,
    dns.rcode.REFUSED: DnsStatus.REFUSED,
}
_DEFINITE = (
    DnsStatus.FOUND,
    DnsStatus.NO_DATA,
    DnsStatus.NO_SUCH_NAME,
    DnsStatus.MALFORMED,
    DnsStatus.ALIAS_LOOP,
)
_TELLING = (DnsStatus.SERVER_FAILED, DnsStatus.REFUSED, DnsStatus.TIMEOUT, DnsStatus.UNREACHABLE)
"""Of several name servers that failed, the failure that stands first here is told."""

OnAnswer = Callable[[DnsAnswer], None]


class DnsResolver:
    """`ports.Resolver` and `ports.Ask` (its method `ask`) with a cache, for one event loop.

    `on_answer` is told of every question that went out to a name server, with its duration.
    """

    def __init__(
        self,
        settings: ResolverSettings,
        *,
        hosts_path: Path = Path("/etc/hosts"),
        system_path: Path = Path("/etc/resolv.conf"),
        on_answer: OnAnswer = lambda _: None,
    ) -> None:
        self._settings = settings
        self._hosts = HostsFile(hosts_path)
        self._system_path = system_path
        self._system_changed_ns: int | None = None
        self._servers: tuple[str, ...] = ()
        self._cache = DnsCache(_CACHED_ANSWERS)
        self._under_way: dict[tuple[str, str], asyncio.Task[DnsAnswer]] = {}
        self.on_answer = on_answer

    async def addresses(self, host: str, family: str) -> Sequence[str]:
        """IPv6 addresses before IPv4 ones, at most 32. Raises ResolverError; an address comes back as it is."""
        name = host.removeprefix("[").removesuffix("]")
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return (name,)
        found = self._known_without_asking(name, family) or await self._ask_for_addresses(name, family)
        if not found:
            what = "address" if family == "any" else f"{family.replace('ip', 'IP')} address"
            raise ResolverError("resolve", Cause.NO_SUCH_HOST, detail=f"{sanitise(host)} has no {what}")
        return found[:_MOST_ADDRESSES]

    async def ask(self, name: str, kind: str) -> DnsAnswer:
        """The records of one kind, from the cache or shared with all who ask it now. Never raises; bounded in time."""
        if kind not in KINDS:
            message = f"questions for {kind} are not made here"
            raise ValueError(message)
        if _parse(name) is None:
            return DnsAnswer(
                name=name, kind=kind, status=DnsStatus.BAD_NAME, detail=f"{sanitise(name)} is no name"
            )
        question = name.lower().removesuffix("."), kind
        cached = self._cache.get(*question, asyncio.get_running_loop().time())
        return cached or await self._ask_anew(question)

    async def ask_server(self, address: str, name: str, kind: str, port: int | None = None) -> DnsAnswer:
        """Ask one server, past the cache: for a comparison of those that have authority. Never raises."""
        parsed = _parse(name)
        if parsed is None:
            return DnsAnswer(name=name, kind=kind, status=DnsStatus.BAD_NAME)
        return await self._ask_one(parsed, kind, address, port or self._settings.port)

    async def close(self) -> None:
        """Give up the questions that are under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Addresses.

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

    async def _ask_for_addresses(self, name: str, family: str) -> tuple[str, ...]:
        """Ask for both kinds at once. A kind that failed is passed over when the other has an address."""
        answers = await asyncio.gather(*(self._ask_urgently(name, kind) for kind in _ADDRESS_KINDS[family]))
        found = tuple(str(value) for answer in answers for value in answer.values)
        failed = [answer for answer in answers if answer.is_failure]
        if failed and not found:
            is_no_name = failed[0].status is DnsStatus.BAD_NAME
            cause = Cause.NO_SUCH_HOST if is_no_name else Cause.RESOLVER_FAILED
            detail = f"{sanitise(name)} {failed[0].kind}: {failed[0].detail or failed[0].status}"
            raise ResolverError(Phase.RESOLVE, cause, detail=detail)
        return found

    async def _ask_urgently(self, name: str, kind: str) -> DnsAnswer:
        """Ask for a probe, which is not to suffer from a failure of some seconds ago."""
        answer = await self.ask(name, kind)
        if answer.is_failure and answer.duration_seconds is None and answer.status is not DnsStatus.BAD_NAME:
            answer = await self._ask_anew((name.lower().removesuffix("."), kind))
        return answer

    # One question.

    async def _ask_anew(self, question: tuple[str, str]) -> DnsAnswer:
        """Ask, or share the asking that is under way."""
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.create_task(self._find(*question))
            self._under_way[question] = task
            task.add_done_callback(lambda done: self._settle(question, done))
        return await asyncio.shield(task)

    def _settle(self, question: tuple[str, str], done: asyncio.Task[DnsAnswer]) -> None:
        del self._under_way[question]
        if not done.cancelled():
            done.exception()  # seen, also when all who asked have gone meanwhile

    async def _find(self, name: str, kind: str) -> DnsAnswer:
        """Ask, follow an alias that the server left open, and keep the answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._settings.lifetime):
                answer = await self._follow(await self._ask_in_turn(name, kind))
        except TimeoutError:
            detail = f"no name server answered within {self._settings.lifetime:g} s"
            answer = DnsAnswer(name=name, kind=kind, status=DnsStatus.TIMEOUT, detail=detail)
        answer = dataclasses.replace(answer, duration_seconds=loop.time() - began)
        self.on_answer(answer)
        self._cache.put(name, answer, loop.time())
        return answer

    async def _follow(self, answer: DnsAnswer) -> DnsAnswer:
        """A server that only has authority leaves it to us to ask for what an alias of another zone points to."""
        now = asyncio.get_running_loop().time
        for _ in range(_MOST_ALIASES):
            if answer.detail != _OPEN_ALIAS:
                return answer
            target = answer.aliases[-1]
            rest = self._cache.get(target, answer.kind, now())
            if rest is None:
                rest = await self._ask_in_turn(target, answer.kind)
                if rest.detail != _OPEN_ALIAS:
                    self._cache.put(target, rest, now())
            answer = _join(answer, rest)
        detail = "a chain of aliases without an end"
        return dataclasses.replace(answer, status=DnsStatus.ALIAS_LOOP, detail=detail)

    async def _ask_in_turn(self, name: str, kind: str) -> DnsAnswer:
        """Ask one name server after the other, over and over within the lifetime, until one knows."""
        parsed = _parse(name)
        assert parsed is not None
        try:
            servers = self._current_servers()
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return _failed(name, kind, DnsStatus.UNREACHABLE, f"no name servers: {error}")
        failures: list[DnsAnswer] = []
        for _ in range(max(round(self._settings.lifetime / self._settings.timeout), 1)):
            for server in servers:
                answer = await self._ask_one(parsed, kind, server, self._settings.port)
                if answer.status in _DEFINITE:
                    return answer
                failures.append(answer)
            if all(failure.status is not DnsStatus.TIMEOUT for failure in failures[-len(servers) :]):
                break  # all have spoken, or are not there: nothing is gained by asking again at once
        worst = min(failures, key=lambda failure: _TELLING.index(failure.status))
        if worst.status is DnsStatus.SERVER_FAILED and await self._is_bogus(parsed, kind, servers):
            detail = "its signatures do not hold: without checking them there is an answer"
            return dataclasses.replace(worst, security=DnsSecurity.BOGUS, detail=detail)
        return worst

    async def _is_bogus(self, name: dns.name.Name, kind: str, servers: Sequence[str]) -> bool:
        answer = await self._ask_one(name, kind, servers[0], self._settings.port, is_checked=False)
        return answer.status in _DEFINITE

    async def _ask_one(
        self, name: dns.name.Name, kind: str, server: str, port: int, *, is_checked: bool = True
    ) -> DnsAnswer:
        """Ask one server: by datagram, and by TCP when that was cut. Never raises."""
        query = dns.message.make_query(name, kind, use_edns=0, want_dnssec=True, payload=_EDNS_BYTES)
        query.flags |= dns.flags.AD | (dns.flags.RD if is_checked else dns.flags.RD | dns.flags.CD)
        text, read = _to_text(name), functools.partial(_read_response, query)
        try:
            async with asyncio.timeout(self._settings.timeout):
                response = await ask_by_datagram(query.to_wire(), server, port, read)
                if response.flags & dns.flags.TC:
                    response = await ask_by_tcp(query.to_wire(), server, port, read)
                elif response.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS):
                    query.use_edns(False)  # a server from before RFC 6891
                    response = await ask_by_datagram(query.to_wire(), server, port, read)
        except TimeoutError:
            return _failed(text, kind, DnsStatus.TIMEOUT, f"{server} did not answer")
        except NotAnAnswerError as error:
            return _failed(text, kind, DnsStatus.UNREACHABLE, f"{server}: {error}")
        except OSError as error:
            return _failed(text, kind, DnsStatus.UNREACHABLE, f"{server}: {error.strerror or error}")
        return _to_answer(response, text, kind, trusts_ad=self._settings.trust_ad)

    def _current_servers(self) -> tuple[str, ...]:
        """The configured name servers; the system's are read anew when its file has changed."""
        if self._settings.nameservers:
            return self._settings.nameservers
        changed_ns = self._system_path.stat().st_mtime_ns
        if changed_ns != self._system_changed_ns:
            stub = dns.resolver.Resolver(filename=str(self._system_path))
            self._servers = tuple(str(server) for server in stub.nameservers)
            self._system_changed_ns = changed_ns
        return self._servers


_OPEN_ALIAS = "the server knows the alias, and not what it points to"


@functools.lru_cache(maxsize=1024)  # also what is answered from memory is asked for by name
def _parse(name: str) -> dns.name.Name | None:
    """Read a name as absolute; None for what cannot be asked for. Text from mail comes here."""
    text = name.removesuffix(".")
    if not text or len(text) > 1100:  # 255 octets, each escaped as four characters
        return None
    with contextlib.suppress(dns.exception.DNSException, UnicodeError, ValueError):
        return dns.name.from_text(text + ".")
    return None


def _to_text(name: dns.name.Name) -> str:
    return str(name.to_text(omit_final_dot=True)).lower()


def _join(alias: DnsAnswer, rest: DnsAnswer) -> DnsAnswer:
    """The answer to an alias: what is known of its target, for as long as both hold, and as far as both are believed."""
    ttls = [ttl for ttl in (alias.ttl_seconds, rest.ttl_seconds) if ttl is not None]
    return dataclasses.replace(
        rest,
        name=alias.name,
        aliases=alias.aliases + rest.aliases,
        ttl_seconds=min(ttls) if len(ttls) == 2 else None,
        security=rest.security if rest.security is alias.security else DnsSecurity.UNKNOWN,
    )


def _failed(name: str, kind: str, status: DnsStatus, detail: str) -> DnsAnswer:
    return DnsAnswer(name=name, kind=kind, status=status, detail=sanitise(detail))


def _read_response(query: dns.message.QueryMessage, wire: bytes) -> dns.message.Message | None:
    """Read bytes as the answer to our query; None for anything else. Bytes of strangers come here."""
    try:
        response = dns.message.from_wire(
            wire, ignore_trailing=True, raise_on_truncation=False, continue_on_error=True
        )
    except (dns.exception.DNSException, ValueError, IndexError, UnicodeError, AttributeError):
        return None
    return response if query.is_response(response) else None


def _to_answer(response: dns.message.Message, name: str, kind: str, *, trusts_ad: bool) -> DnsAnswer:
    """Make a value of a response. A referral is no answer: whoever gives one does not look further for us."""
    status = _RCODES.get(response.rcode(), DnsStatus.SERVER_FAILED)
    if status not in (DnsStatus.FOUND, DnsStatus.NO_SUCH_NAME):
        return _failed(name, kind, status, f"the name server said {dns.rcode.to_text(response.rcode())}")
    try:
        chain = response.resolve_chaining()  # type: ignore[attr-defined]  # of QueryMessage
    except dns.message.ChainTooLong:
        return _failed(name, kind, DnsStatus.ALIAS_LOOP, "a chain of aliases without an end")
    except (dns.exception.DNSException, AttributeError) as error:
        return _failed(name, kind, DnsStatus.SERVER_FAILED, f"the answer cannot be followed: {error}")
    aliases = tuple(_to_text(rrset[0].target) for rrset in chain.cnames)
    values = () if chain.answer is None else read_values(chain.answer, kind)
    zone = next((rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA), None)
    has_soa = zone is not None
    detail = ""
    unreadable = len(response.errors) + (0 if chain.answer is None else len(chain.answer) - len(values))
    if status is DnsStatus.FOUND and not values:
        if unreadable:
            return _failed(name, kind, DnsStatus.MALFORMED, "there are records, and they cannot be read")
        status = DnsStatus.NO_DATA
        recurses = bool(response.flags & dns.flags.RA)
        if not has_soa and not recurses and aliases:
            detail = _OPEN_ALIAS
        elif _refers(response) and not has_soa and not recurses and not response.flags & dns.flags.AA:
            return _failed(
                name, kind, DnsStatus.REFUSED, "a referral: this name server does not look further"
            )
    is_positive = status is DnsStatus.FOUND or bool(detail)
    return DnsAnswer(
        name=name,
        kind=kind,
        status=status,
        values=values,
        ttl_seconds=chain.minimum_ttl if is_positive or has_soa else None,
        unreadable=unreadable,
        original_ttl_seconds=_original_ttl(response, chain.answer),
        signed_until_seconds=_signed_until(response, chain.answer),
        security=_security(response, trusts_ad=trusts_ad),
        aliases=aliases,
        zone="" if zone is None or values else _to_text(zone),
        detail=detail,
    )


def _refers(response: dns.message.Message) -> bool:
    """Whether other name servers are named; without any, nothing is there (RFC 2308 section 2.2, type 3)."""
    return any(rrset.rdtype == dns.rdatatype.NS for rrset in response.authority)


def _original_ttl(response: dns.message.Message, answer: dns.rrset.RRset | None) -> int | None:
    """The TTL that the zone gives the records, where this answer tells it."""
    if answer is None:
        return None
    if response.flags & dns.flags.AA or not response.flags & dns.flags.RA:
        return answer.ttl  # who does not look further has it from the zone, not from a cache
    signatures = _signatures(response, answer)
    return int(signatures[0].original_ttl) if signatures else None


def _signed_until(response: dns.message.Message, answer: dns.rrset.RRset | None) -> int | None:
    """When the signatures over the records end: the last of them, for one that holds is enough."""
    if answer is None:
        return None
    return max((int(signature.expiration) for signature in _signatures(response, answer)), default=None)


def _signatures(response: dns.message.Message, answer: dns.rrset.RRset) -> list[Any]:
    """The RRSIG records over a set (RFC 4034 section 3)."""
    return [
        signature
        for rrset in response.answer
        if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == answer.rdtype and rrset.name == answer.name
        for signature in rrset
    ]


def _security(response: dns.message.Message, *, trusts_ad: bool) -> DnsSecurity:
    """What the AD bit says, where we are told to believe it (RFC 6840 section 5.8)."""
    if not trusts_ad:
        return DnsSecurity.UNKNOWN
    return DnsSecurity.SECURE if response.flags & dns.flags.AD else DnsSecurity.INSECURE

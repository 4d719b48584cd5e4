"""Names to addresses: whose fault a missing answer is, and how often a question is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import dns.flags
import dns.rcode
import pytest

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import ResolverError
from smtp_probe.model import Cause, DnsAnswer, DnsSecurity, DnsStatus
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.ports import Resolver
from tests.network.hostile_dns import HostileDns

ZONE: Any = {
    "both.test": {"A": ("192.0.2.1", "192.0.2.2"), "AAAA": ("2001:db8::1",)},
    "four.test": {"A": ("192.0.2.4",)},
    "alias.test": {},
    "empty.test": {},
    "broken.test": dns.rcode.SERVFAIL,
    "refusing.test": dns.rcode.REFUSED,
    "silent.test": None,
    "many.test": {"A": tuple(f"192.0.2.{number}" for number in range(60))},
}


def _resolver(server: HostileDns, **changes: Any) -> DnsResolver:
    settings = {
        "nameservers": ("127.0.0.1",),
        "port": server.port,
        "timeout": 0.1,
        "lifetime": 0.25,
        **changes,
    }
    return DnsResolver(ResolverSettings(**settings))


async def _cause(resolver: Resolver, host: str, family: str = "any") -> Cause:
    with pytest.raises(ResolverError) as caught:
        await resolver.addresses(host, family)
    assert caught.value.stage == "resolve"
    return caught.value.cause


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("any", ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
        ("ipv4", ["192.0.2.1", "192.0.2.2"]),
        ("ipv6", ["2001:db8::1"]),
    ],
)
async def test_addresses_come_by_family_ipv6_first(family: str, expected: list[str]) -> None:
    async with HostileDns(ZONE).running() as server:
        found = await _resolver(server).addresses("Both.test", family)
        assert sorted(found) == sorted(expected)  # a name server may give them in any order
        assert found[0] in (expected[:1] if family != "ipv4" else expected)
        assert server.payloads == {1232}


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("nowhere.test", "any"),
        ("empty.test", "any"),
        ("four.test", "ipv6"),
        ("a..b", "any"),
        ("x" * 64, "any"),
    ],
)
async def test_a_name_without_address_is_no_such_host(host: str, family: str) -> None:
    async with HostileDns(ZONE).running() as server:
        assert await _cause(_resolver(server), host, family) is Cause.NO_SUCH_HOST


async def test_an_address_of_the_family_that_was_asked_for_is_what_is_missing() -> None:
    async with HostileDns(ZONE).running() as server:
        with pytest.raises(ResolverError, match=r"four\.test has no IPv6 address"):
            await _resolver(server).addresses("four.test", "ipv6")


@pytest.mark.parametrize("host", ["broken.test", "refusing.test", "silent.test"])
async def test_a_resolver_that_gives_no_answer_has_failed(host: str) -> None:
    async with HostileDns(ZONE).running() as server:
        async with asyncio.timeout(2):
            assert await _cause(_resolver(server), host) is Cause.RESOLVER_FAILED


async def test_a_resolver_that_is_not_there_has_failed() -> None:
    async with HostileDns(ZONE).running() as server:
        resolver = _resolver(server)
    async with asyncio.timeout(2):
        assert await _cause(resolver, "both.test") is Cause.RESOLVER_FAILED


async def test_one_kind_that_fails_does_not_hide_the_other() -> None:
    class HalfBroken(HostileDns):
        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            is_aaaa = b"\x00\x1c\x00\x01" in data
            self.zone = {"half.test": dns.rcode.SERVFAIL if is_aaaa else {"A": ("192.0.2.5",)}}
            super().datagram_received(data, address)

    async with HalfBroken({}).running() as server:
        assert list(await _resolver(server).addresses("half.test", "any")) == ["192.0.2.5"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::7"), ("[2001:db8::7]", "2001:db8::7")],
)
async def test_an_address_is_returned_as_it_is(host: str, expected: str) -> None:
    async with HostileDns({}).running() as server:
        assert list(await _resolver(server).addresses(host, "any")) == [expected]
        assert not server.asked


async def test_a_question_is_asked_once_and_its_answer_kept() -> None:
    async with HostileDns(ZONE, delay_seconds=0.05).running() as server:
        resolver = _resolver(server, timeout=1, lifetime=2)
        answers = await asyncio.gather(*(resolver.addresses("both.test", "any") for _ in range(10)))
        assert len({tuple(answer) for answer in answers}) == 1
        await resolver.addresses("both.test", "any")
        assert server.asked == {("both.test", "A"): 1, ("both.test", "AAAA"): 1}


async def test_an_answer_with_no_time_to_live_is_not_kept() -> None:
    async with HostileDns(ZONE, ttl=0).running() as server:
        resolver = _resolver(server)
        for _ in range(3):
            await resolver.addresses("four.test", "ipv4")
        assert server.asked["four.test", "A"] == 3


async def test_one_that_gives_up_waiting_does_not_take_the_answer_from_the_others() -> None:
    async with HostileDns(ZONE, delay_seconds=0.05).running() as server:
        resolver = _resolver(server, timeout=1, lifetime=2)
        impatient = asyncio.create_task(resolver.addresses("four.test", "ipv4"))
        patient = asyncio.create_task(resolver.addresses("four.test", "ipv4"))
        await asyncio.sleep(0.01)
        impatient.cancel()
        assert list(await patient) == ["192.0.2.4"]
        assert server.asked["four.test", "A"] == 1


async def test_an_endless_list_is_cut() -> None:
    async with HostileDns(ZONE).running() as server:
        assert len(await _resolver(server).addresses("many.test", "ipv4")) == 32


async def test_close_ends_what_is_under_way() -> None:
    async with HostileDns(ZONE).running() as server:
        resolver = _resolver(server, timeout=30, lifetime=60)
        waiting = asyncio.create_task(resolver.addresses("silent.test", "ipv4"))
        await asyncio.sleep(0.01)
        await resolver.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting


# The system's ways.


def _system(folder: Path, server: HostileDns | None, hosts: str = "") -> DnsResolver:
    (folder / "hosts").write_text(hosts)
    if server is not None:
        (folder / "resolv.conf").write_text("search example.org\nnameserver 127.0.0.1\n")
    return DnsResolver(
        ResolverSettings(timeout=0.1, lifetime=0.25),
        hosts_path=folder / "hosts",
        system_path=folder / "resolv.conf",
    )


async def test_the_table_of_hosts_comes_before_dns(tmp_path: Path) -> None:
    resolver = _system(tmp_path, None, "192.0.2.8 both.test\n2001:db8::8 both.test\n")
    assert list(await resolver.addresses("both.test", "any")) == ["2001:db8::8", "192.0.2.8"]
    assert list(await resolver.addresses("both.test", "ipv4")) == ["192.0.2.8"]


async def test_the_table_of_hosts_is_not_asked_with_own_name_servers(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("192.0.2.8 four.test\n")
    async with HostileDns(ZONE).running() as server:
        settings = ResolverSettings(nameservers=("127.0.0.1",), port=server.port)
        resolver = DnsResolver(settings, hosts_path=tmp_path / "hosts")
        assert list(await resolver.addresses("four.test", "any")) == ["192.0.2.4"]


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "mail.localhost"])
async def test_localhost_is_the_loopback_everywhere(tmp_path: Path, host: str) -> None:
    resolver = _system(tmp_path, None)
    assert list(await resolver.addresses(host, "any")) == ["::1", "127.0.0.1"]


async def test_a_system_without_name_servers_is_our_failure(tmp_path: Path) -> None:
    assert await _cause(_system(tmp_path, None), "both.test") is Cause.RESOLVER_FAILED
    (tmp_path / "resolv.conf").write_text("# none\n")
    assert await _cause(_system(tmp_path, None), "both.test") is Cause.RESOLVER_FAILED


# Any question.


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("both.test", "A", DnsStatus.FOUND),
        ("nowhere.test", "A", DnsStatus.NO_SUCH_NAME),
        ("empty.test", "MX", DnsStatus.NO_DATA),
        ("broken.test", "A", DnsStatus.SERVER_FAILED),
        ("refusing.test", "A", DnsStatus.REFUSED),
        ("silent.test", "A", DnsStatus.TIMEOUT),
        ("a..b", "A", DnsStatus.BAD_NAME),
        ("", "A", DnsStatus.BAD_NAME),
        ("x." * 600, "A", DnsStatus.BAD_NAME),
        ("\ud800.test", "A", DnsStatus.BAD_NAME),
    ],
)
async def test_each_end_of_a_question_is_told_apart(name: str, kind: str, status: DnsStatus) -> None:
    async with HostileDns(ZONE).running() as server:
        answer = await _resolver(server).ask(name, kind)
    assert (answer.status, bool(answer.values)) == (status, status is DnsStatus.FOUND)
    assert answer.detail.isprintable()


async def test_a_server_that_is_not_there_is_unreachable_at_once() -> None:
    async with HostileDns(ZONE).running() as server:
        resolver = _resolver(server, timeout=5, lifetime=20)
    async with asyncio.timeout(1):
        assert (await resolver.ask("both.test", "A")).status is DnsStatus.UNREACHABLE


async def test_questions_go_out_once_per_time_to_live() -> None:
    told: list[DnsAnswer] = []
    async with HostileDns(ZONE, delay_seconds=0.02).running() as server:
        resolver = _resolver(server, timeout=1, lifetime=2)
        resolver.on_answer = told.append
        for _ in range(3):
            await asyncio.gather(*(resolver.ask("Both.test.", "A") for _ in range(5)))
        assert server.asked == {("both.test", "A"): 1}
    assert len(told) == 1
    assert told[0].duration_seconds is not None


@pytest.mark.parametrize("trust", [True, False])
async def test_the_ad_bit_counts_only_where_it_is_trusted(trust: bool) -> None:
    async with HostileDns(ZONE).running() as server:
        server.flags = dns.flags.AD
        answer = await _resolver(server, trust_ad=trust).ask("both.test", "A")
    assert answer.security is (DnsSecurity.SECURE if trust else DnsSecurity.UNKNOWN)


async def test_a_failure_that_goes_away_without_checking_is_a_bogus_zone() -> None:
    class Validating(HostileDns):
        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            is_unchecked = bool(data[3] & 0x10)
            self.zone = {"bogus.test": {"A": ("192.0.2.5",)} if is_unchecked else dns.rcode.SERVFAIL}
            super().datagram_received(data, address)

    async with Validating({}).running() as server:
        answer = await _resolver(server).ask("bogus.test", "A")
    assert (answer.status, answer.security) == (DnsStatus.SERVER_FAILED, DnsSecurity.BOGUS)


async def test_a_probe_does_not_suffer_from_a_failure_of_before() -> None:
    async with HostileDns({"late.test": dns.rcode.SERVFAIL}).running() as server:
        resolver = _resolver(server)
        assert (await resolver.ask("late.test", "A")).is_failure
        server.zone = {"late.test": {"A": ("192.0.2.5",)}}
        assert (await resolver.ask("late.test", "A")).is_failure
        assert list(await resolver.addresses("late.test", "ipv4")) == ["192.0.2.5"]


async def test_an_alias_that_the_server_leaves_open_is_followed() -> None:
    zone: Any = {
        "www.test": {"CNAME": ("real.other.",)},
        "real.other": {"A": ("192.0.2.9",)},
        "loop.test": {"CNAME": ("pool.test.",)},
        "pool.test": {"CNAME": ("loop.test.",)},
    }
    async with HostileDns(zone).running() as server:
        server.recurses = False
        resolver = _resolver(server, timeout=1, lifetime=2)
        answer = await resolver.ask("www.test", "A")
        async with asyncio.timeout(2):
            loop = await asyncio.gather(resolver.ask("loop.test", "A"), resolver.ask("pool.test", "A"))
    assert (answer.values, answer.aliases) == (("192.0.2.9",), ("real.other",))
    assert all(answer.is_failure for answer in loop)

"""Names to addresses: whose fault a missing answer is, and how often a question is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import ResolverError
from smtp_probe.model import Cause
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

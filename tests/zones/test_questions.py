"""Each question goes out at most once per TTL, however often and by however many it is asked; counted on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rdatatype
import pytest

from smtp_probe.app.domain_check import DomainChecker, LookOptions
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainUnderCheck
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.probes.domain import check_domain
from tests.zones.domains import Domain, fill, write_zone
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab
DOMAINS = [Domain(name=f"d{number}") for number in range(5)] + [Domain(name="short", ttl=1)]


class _Counter(asyncio.DatagramProtocol):
    """Hands every question on to the name server, and counts it."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.asked: Counter[tuple[str, str]] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        question = dns.message.from_wire(data).question[0]
        self.asked[question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)] += 1
        task = asyncio.create_task(self._hand_on(data, address))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _hand_on(self, data: bytes, address: Any) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()

        class Once(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: Any) -> None:
                if not answer.done():
                    answer.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(Once, remote_addr=(ADDRESS, self.upstream))
        transport.sendto(data)
        self.transport.sendto(await answer, address)
        transport.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serve({".": write_zone(DOMAINS)}, tmp_path_factory.mktemp("nsd")) as port:
        yield port


@contextlib.asynccontextmanager
async def _counting(port: int) -> AsyncIterator[tuple[_Counter, int]]:
    loop = asyncio.get_running_loop()
    transport, counter = await loop.create_datagram_endpoint(lambda: _Counter(port), local_addr=(ADDRESS, 0))
    try:
        yield counter, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def _subject(number: int) -> DomainUnderCheck:
    domain = DOMAINS[number]
    return DomainUnderCheck(
        domain=f"{domain.name}.test",
        egress=(fill("{ip}", domain, number),),
        ehlo_name=f"mail.{domain.name}.test",
    )


async def test_looks_at_all_domains_together_and_again_ask_nothing_twice(port: int, tmp_path: Path) -> None:
    async with _counting(port) as (counter, own_port):
        settings = ResolverSettings(nameservers=(ADDRESS,), port=own_port)
        resolver = DnsResolver(settings)
        checker = DomainChecker(resolver, ReferenceClock())
        options = LookOptions(resolver=settings, dials=False)
        for _ in range(3):
            looks = (
                check_domain(_subject(number), resolver.ask, checker.checks(options)) for number in range(5)
            )
            reports = await asyncio.gather(*looks)
            assert all(report.is_observed and not report.findings for report in reports)
    assert sum(counter.asked.values()) > 60
    assert counter.asked.most_common(1)[0][1] == 1


async def test_what_is_over_is_asked_again(port: int) -> None:
    async with _counting(port) as (counter, own_port):
        resolver = DnsResolver(ResolverSettings(nameservers=(ADDRESS,), port=own_port))
        for _ in range(2):
            await resolver.ask("short.test", "MX")
            await resolver.ask("short.test", "MX")
            await asyncio.sleep(1.1)
    assert counter.asked["short.test.", "MX"] == 2

"""Two real name servers of one zone, asked one by one: alike, apart, and one that is not there."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from smtp_probe.app.domain_check import LookOptions, look_at_domain
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainUnderCheck
from tests.zones.domains import Domain, write_zone
from tests.zones.nameserver import free_port, serve

pytestmark = pytest.mark.lab
SERVERS = ("127.0.0.153", "127.0.0.154")


_OTHER = "other. 3600 IN SOA ns.other. admin.other. 1 3600 600 86400 300\nother. 3600 IN NS ns.other.\n"
"""A zone of somebody else: who serves it alone says REFUSED to us."""


def _zone(serial: int = 1, *, with_mx: bool = True, servers: int = 2) -> str:
    left_out = ("{ip} PTR", "{ip6} PTR", *(() if with_mx else ("@ MX 20",)))
    text = write_zone([Domain(name="e", without=left_out)])
    names = "".join(f"test. 3600 IN NS ns{number}.test.\n" for number in range(1, servers + 1))
    addresses = "".join(
        f"ns{number}.test. 3600 IN A {SERVERS[number - 1]}\n" for number in range(1, servers + 1)
    )
    text = text.replace(". 3600 IN NS ns.test.\n", names + addresses).replace(
        ". 3600 IN SOA", "test. 3600 IN SOA"
    )
    return text.replace("admin.test. 1 ", f"admin.test. {serial} ")


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (_zone(), {}),
        (_zone(2), {"authority_serials_differ": 1}),
        (_zone(2, with_mx=False), {"authority_answers_differ": 1}),
        (None, {"authority_unreachable": 1}),
        (_OTHER, {"authority_lame": 1}),
    ],
    ids=["alike", "serials", "answers", "nobody", "lame"],
)
async def test_what_they_say_is_compared(
    second: str | None, expected: dict[str, int], tmp_path: Path
) -> None:
    assert await _look((_zone(), second), tmp_path) == expected


async def test_one_server_is_few(tmp_path: Path) -> None:
    assert await _look((_zone(servers=1), None), tmp_path) == {"authority_single": 1}


async def _look(zones: tuple[str | None, ...], tmp_path: Path) -> Counter[str]:
    port = free_port()
    with ExitStack() as running:
        for address, text in zip(SERVERS, zones, strict=True):
            folder = tmp_path / address
            folder.mkdir()
            if text is not None:
                name = "other." if text == _OTHER else "test."
                running.enter_context(serve({name: text}, folder, address, port))
        settings = ResolverSettings(nameservers=SERVERS[:1], port=port, timeout=1, lifetime=2)
        options = LookOptions(resolver=settings, dials=False, asks_authority=True, authority_port=port)
        report = await look_at_domain(DomainUnderCheck(domain="e.test"), options)
    return Counter(finding.check for finding in report.findings)

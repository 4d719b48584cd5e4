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


def _zone(serial: int = 1, *, with_mx: bool = True) -> str:
    left_out = ("{ip} PTR", "{ip6} PTR", *(() if with_mx else ("@ MX 20",)))
    text = write_zone([Domain(name="e", without=left_out)])
    names = "".join(f"test. 3600 IN NS ns{number}.test.\n" for number in (1, 2))
    addresses = "".join(f"ns{number}.test. 3600 IN A {SERVERS[number - 1]}\n" for number in (1, 2))
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
    ],
)
async def test_what_they_say_is_compared(
    second: str | None, expected: dict[str, int], tmp_path: Path
) -> None:
    port = free_port()
    with ExitStack() as running:
        for address, text in zip(SERVERS, (_zone(), second), strict=True):
            folder = tmp_path / address
            folder.mkdir()
            if text is not None:
                running.enter_context(serve({"test.": text}, folder, address, port))
        settings = ResolverSettings(nameservers=SERVERS[:1], port=port, timeout=1, lifetime=2)
        options = LookOptions(resolver=settings, dials=False, asks_authority=True, authority_port=port)
        report = await look_at_domain(DomainUnderCheck(domain="e.test"), options)
    assert Counter(finding.check for finding in report.findings) == expected

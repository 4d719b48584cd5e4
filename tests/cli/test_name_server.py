"""Which name server to ask."""

from __future__ import annotations

import pytest
import typer

from smtp_probe.cli.name_server import read_name_server


@pytest.mark.parametrize(
    ("text", "server", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_servers(text: str, server: str, port: int) -> None:
    found = read_name_server(text)
    assert (found.nameservers, found.port) == ((server,), port)


def test_without_one_the_system_is_asked() -> None:
    assert read_name_server(None).nameservers == ()


@pytest.mark.parametrize("text", ["", "ns.test:53", "192.0.2.1:0", "192.0.2.1:99999", ":53", "192.0.2.1:x"])
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_name_server(text)

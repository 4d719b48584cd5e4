"""What the command `domain` takes, and what it refuses with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from smtp_probe.cli.domain_arguments import read_name, read_resolver, read_subject


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.TEST.", "example.test"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("straße.test", "xn--strae-oqa.test"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("☃.test", "xn--n3h.test"),
        ("_dmarc.é.test", "_dmarc.xn--9ca.test"),
        ("ä" * 70 + ".test", ""),
        ("_dmarc.example.test", "_dmarc.example.test"),
        ("test", "test"),
        ("", ""),
        (".", ""),
        ("a..test", ""),
        ("a b.test", ""),
        ("-a.test", ""),
        ("x" * 64 + ".test", ""),
        ("a." * 127 + "test", ""),
        ("user@example.test", ""),
        ("\x1b[31m.test", ""),
    ],
)
def test_names_are_as_dns_has_them(text: str, name: str) -> None:
    assert read_name(text) == name


def test_all_that_is_said_is_read() -> None:
    subject = read_subject("E.test", ["S1", "s1"], ["2001:DB8::1", "[192.0.2.1]"], "Mail.E.test", "u@e.test")
    assert (subject.domain, subject.selectors) == ("e.test", ("s1",))
    assert subject.egress == ("2001:db8::1", "192.0.2.1")
    assert (subject.ehlo_name, subject.sender) == ("mail.e.test", "u@e.test")
    other = read_subject("e.test", [], [], "Mail.bücher.test", "<U@Bücher.TEST>")
    assert (other.ehlo_name, other.sender) == ("mail.xn--bcher-kva.test", "U@xn--bcher-kva.test")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("user@e.test", [], [], None, None), "did you mean e.test"),
        (("192.0.2.1", [], [], None, None), "is an address"),
        (("[IPv6:2001:db8::1]", [], [], None, None), "is an address"),
        (("a..b", [], [], None, None), "no domain name"),
        (("e.test", ["a b"], [], None, None), "selector"),
        (("e.test", [], ["192.0.2.256"], None, None), "address"),
        (("e.test", [], [], None, "user@"), "mail address"),
    ],
)
def test_a_mistake_is_told(arguments: Any, hint: str) -> None:
    with pytest.raises(typer.BadParameter, match=hint):
        read_subject(*arguments)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_a_resolver_has_an_address_and_a_port(text: str, address: str, port: int) -> None:
    settings = read_resolver(text, trust_ad=True)
    assert (settings.nameservers, settings.port, settings.trust_ad) == ((address,), port, True)


def test_a_resolver_may_have_a_name() -> None:
    assert read_resolver("localhost:5353", trust_ad=False).nameservers[0] in ("127.0.0.1", "::1")
    assert read_resolver(None, trust_ad=False).nameservers == ()


@pytest.mark.parametrize(
    "text", ["", ":53", "192.0.2.1:0", "192.0.2.1:99999", "a:b", "[::1", "no-such-host.invalid"]
)
def test_what_is_no_resolver_is_told(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_resolver(text, trust_ad=False)

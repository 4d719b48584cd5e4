"""The grammar of macros and their expansion, by the examples of RFC 7208 section 7.4 and beyond."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from smtp_probe.policy.spf.macros import (
    MacroFacts,
    expand,
    expand_name,
    find_domain_fault,
    find_macro_fault,
    has_macros,
    is_explanation,
    needs_validated_name,
)

FOUR = MacroFacts(
    ip=ip_address("192.0.2.3"),
    sender="strong-bad@email.example.com",
    domain="email.example.com",
    helo="mx.example.org",
    validated_name="mx.example.org",
    receiver="probe.test",
    now_seconds=1700000000,
)
SIX = MacroFacts(
    ip=ip_address("2001:db8::cb01"),
    sender="strong-bad@email.example.com",
    domain="email.example.com",
    helo="x.test",
)
_SIX = "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{p}.%{h}", "mx.example.org.mx.example.org"),
        ("%{c} %{r} %{t}", "192.0.2.3 probe.test 1700000000"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("a%%b%_c%-d", "a%b c%20d"),
    ],
)
def test_macros_become_facts(text: str, expected: str) -> None:
    assert expand(text, FOUR) == expected


def test_an_ipv6_address_is_its_nibbles() -> None:
    assert expand("%{i}.%{v}", SIX) == f"{_SIX}.ip6"
    assert expand("%{c}", SIX) == "2001:db8::cb01"


@pytest.mark.parametrize(
    "text", ["%", "%x", "%{", "%{d", "%{d]", "%{z}", "%{d0}", "%{c}", "%{T}", "a b", "\x7f", "é"]
)
def test_what_is_no_macro_string_is_told(text: str) -> None:
    assert find_macro_fault(text)


@pytest.mark.parametrize("text", ["", "a%%", "%{d}", "%{D2r.-}", "man:dog/cat", "%{i99999}"])
def test_what_is_one_is_not(text: str) -> None:
    assert not find_macro_fault(text)


@pytest.mark.parametrize(
    "text", ["a.test", "a.test.", ".test", "%{d}", "x%{d}", "%{d}.test", "a.%{i}.9-9", "a%%"]
)
def test_a_domain_spec_ends_in_a_label_or_a_macro(text: str) -> None:
    assert not find_domain_fault(text)


@pytest.mark.parametrize(
    "text", ["", "test", "%{d}test", "a.1", "a.-b", "a.b-", "a.test/24", "a..", "a.te_st"]
)
def test_anything_else_is_no_domain_spec(text: str) -> None:
    assert find_domain_fault(text)


def test_a_long_name_loses_labels_on_the_left() -> None:
    name = expand_name(".".join(["%{o}"] * 20), FOUR)
    assert len(name) <= 253
    assert name.endswith("com.email.example.com")


def test_what_needs_to_be_asked_is_known() -> None:
    assert needs_validated_name("x.%{P}.test")
    assert not needs_validated_name("x.%{d}.p.test")
    assert has_macros("%{d}")
    assert not has_macros("a%%.test")
    assert is_explanation("because of %{i}")
    assert not is_explanation("because of %{")

"""Which stamps are of one clock."""

import pytest

from smtp_probe.mail.clocks.domains import PROVIDER_LOOSENESS_NS, ClockDomain, DomainRule, find_domain


@pytest.mark.parametrize(
    "host", ["mx1.example.com", "MX1.Example.COM", "mx1.example.com.", "<mx1.example.com>"]
)
def test_a_host_is_its_own_clock_in_any_spelling(host):
    assert find_domain(host) == ClockDomain(name="mx1.example.com")


@pytest.mark.parametrize("host", ["mail-sor-f41.google.com", "smtp.gmail.com"])
def test_a_large_provider_is_one_clock_taken_less_literally(host):
    assert find_domain(host) == ClockDomain(name="google.com", looseness_ns=PROVIDER_LOOSENESS_NS)


@pytest.mark.parametrize(
    "host", [None, "", "localhost", "localhost.localdomain", "[192.0.2.1]", "2002:a05::1"]
)
def test_what_names_no_host_names_no_clock(host):
    assert find_domain(host) is None


def test_a_rule_makes_hosts_share_a_clock():
    cluster = ClockDomain(name="cluster", looseness_ns=5_000_000)
    rules = (DomainRule(suffix=".mx.Example.com", domain=cluster),)

    assert find_domain("a.mx.example.com", rules) == cluster
    assert find_domain("mx.example.com", rules) == cluster
    assert find_domain("amx.example.com", rules) == ClockDomain(name="amx.example.com")


def test_a_rule_comes_before_the_providers():
    own = ClockDomain(name="own")

    assert find_domain("mail.google.com", (DomainRule(suffix="google.com", domain=own),)) == own


def test_a_host_name_of_any_length_is_bounded():
    domain = find_domain("x" * 5000 + ".example.com")

    assert domain is not None
    assert len(domain.name) <= 64

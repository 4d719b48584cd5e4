"""Addresses that cannot be reached from outside."""

from __future__ import annotations

import pytest

from smtp_probe.policy.address_space import special_range


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("127.0.0.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", ""),
        ("192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("100.64.0.1", "shared (carrier-grade NAT)"),
        ("169.254.0.1", "link-local"),
        ("fe80::1", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("192.0.2.1", ""),
        ("2001:db8::1", ""),
        ("8.8.8.8", ""),
    ],
)
def test_each_range_has_its_name(address: str, name: str) -> None:
    assert special_range(address) == name

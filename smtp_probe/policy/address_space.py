"""Addresses that nobody on the Internet can reach, and what they are called.

In: an address. Out: the name of the special range in which it lies (RFC 6890), or nothing. The ranges for documentation
(RFC 5737, 3849) are left out: they are nobody's, and wrong for other reasons.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

_RANGES = tuple(
    (ip_network(network), name)
    for network, name in (
        ("127.0.0.0/8", "loopback"),
        ("::1/128", "loopback"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("fc00::/7", "private"),
        ("100.64.0.0/10", "shared (carrier-grade NAT)"),
        ("169.254.0.0/16", "link-local"),
        ("fe80::/10", "link-local"),
        ("0.0.0.0/8", "unspecified"),
        ("::/128", "unspecified"),
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)


def special_range(address: str) -> str:
    """The name of the special range of an address; empty for one that can be reached."""
    parsed = ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return next((name for network, name in _RANGES if parsed in network), "")

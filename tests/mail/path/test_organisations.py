"""Whose host it is, by its name alone."""

from __future__ import annotations

import pytest

from smtp_probe.mail.path.organisations import (
    find_organisation,
    is_loopback_address,
    is_own,
    is_private_address,
    read_own,
)


@pytest.mark.parametrize(
    ("host", "organisation"),
    [
        ("mx1.example.net", "example.net"),
        ("MX1.Example.NET.", "example.net"),
        ("example.net", "example.net"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("mail.example.de", "example.de"),
        ("bl0pr03.outlook.office365.com", "outlook.com"),
        ("mail-yw1-f174.google.com", "google.com"),
        ("store1", None),
        ("localhost", None),
        ("ex01.corp.local", None),
        ("phl-compute-02.internal", None),
        ("[192.0.2.1]", None),
        ("192.0.2.1", None),
        ("2002:a05:7010:a20d:b0:4b4:3f86:b38", None),
        ("a..b", None),
        ("", None),
        (None, None),
    ],
)
def test_the_organisation_of_a_host(host, organisation):
    assert find_organisation(host) == organisation


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Example.NET", "example.net"),
        ("*.example.net", "example.net"),
        (".example.net", "example.net"),
        ("@example.net", "example.net"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("IPv6:2001:db8:0::1", "2001:db8::1"),
        ("store1", "store1"),
        ("", None),
        ("*", None),
        ("a b", None),
        ("joe@example.net", None),
        ("https://example.net", None),
    ],
)
def test_what_somebody_calls_his_own(written, read):
    assert read_own(written) == read


@pytest.mark.parametrize(
    ("host", "own", "expected"),
    [
        ("mx.example.net", ["example.net"], True),
        ("example.net", ["example.net"], True),
        ("badexample.net", ["example.net"], False),
        ("mx.example.net", ["store.example.net", "mx.example.net"], True),
        ("store.example.net", ["mx.example.net"], False),
        ("[192.0.2.1]", ["192.0.2.1"], True),
        ("192.0.2.2", ["192.0.2.1"], False),
        ("bl0.outlook.office365.com", ["outlook.com"], True),
        ("store1", ["store1"], True),
        (None, ["example.net"], False),
        ("mx.example.net", [], False),
    ],
)
def test_a_host_is_own_or_not(host, own, expected):
    assert is_own(host, own) is expected


def test_private_and_loopback_addresses_are_known_and_documentation_addresses_are_neither():
    assert all(
        map(is_private_address, ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fe80::1"])
    )
    assert not any(
        map(is_private_address, ["172.32.0.1", "192.0.2.1", "2001:db8::1", "127.0.0.1", "no", "", None])
    )
    assert all(map(is_loopback_address, ["127.0.0.1", "127.1.2.3", "::1", "[IPv6:::1]"]))
    assert not any(map(is_loopback_address, ["10.0.0.1", "localhost", None]))

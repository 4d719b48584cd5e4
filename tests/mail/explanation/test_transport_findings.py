"""Plaintext is told where it crosses from one organisation to another, as far as a line says it."""

from __future__ import annotations

import pytest

from smtp_probe.mail.explanation.transport_findings import check_transport
from tests.mail.lines import line, passages


def checks(header):
    return [(each.check, each.hop) for each in check_transport(passages(header))]


@pytest.mark.parametrize(
    ("with_", "expected"),
    [
        ("ESMTP", [("plaintext", 1)]),
        ("SMTP", [("plaintext", 1)]),
        ("UTF8SMTP", [("plaintext", 1)]),
        ("ESMTPA", [("plaintext", 1)]),
        ("ESMTPS", []),
        ("ESMTPSA", []),
        ("LMTP", []),
        ("HTTP", []),
        ("mapi", []),
        ("ESMTP (TLSv1.3:TLS_AES_256_GCM_SHA384:256)", []),
    ],
)
def test_plaintext_between_two_organisations(with_, expected):
    assert checks(line("mx.example.net", source="out.example.org", with_=with_)) == expected


def test_plaintext_within_an_organisation_is_its_own_affair():
    assert checks(line("store.example.net", source="mx.example.net", with_="ESMTP")) == []


def test_the_host_itself_is_no_other_organisation():
    assert checks(line("mx.example.net", source="out.example.org", ip="127.0.0.1", with_="ESMTP")) == []
    assert checks(line("mx.example.net", source="localhost", with_="ESMTP")) == []


def test_a_client_without_a_telling_name_is_of_the_host_beneath():
    header = line("mx.example.net", source="gw", with_="SMTP") + line("out.example.org", source="desk")

    assert checks(header) == [("plaintext", 2)]


def test_old_tls_is_told_also_within_an_organisation():
    header = b"Received: from a.example.net (a.example.net [192.0.2.1]) (using TLSv1 with cipher AES128-SHA (128/128 bits))\r\n by b.example.net (Postfix) with ESMTPS id 1; Tue, 1 Sep 2026 08:00:00 +0000\r\n"

    assert checks(header) == [("old_tls", 1)]


def test_a_private_address_is_told_where_it_is_said_to_be_another_organisation():
    header = line("mx.example.net", source="out.example.org", ip="10.0.0.7", with_="SMTP") + line(
        "out.example.org"
    )

    assert checks(header) == [("private_address", 2)]


def test_a_client_of_a_server_may_have_a_private_address():
    assert checks(line("out.example.org", source="desk", ip="10.0.0.7", with_="ESMTPSA")) == []

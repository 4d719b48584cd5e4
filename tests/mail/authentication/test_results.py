"""Authentication-Results as receivers write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.authentication.results import read_results

GMAIL = b"""mx.google.com;
       dkim=pass header.i=@example.org header.s=s2026 header.b="dOxZ/a+b";
       spf=pass (google.com: domain of probe@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=probe@example.org;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org"""
MICROSOFT = b"""spf=pass (sender IP is 192.0.2.1)
 smtp.mailfrom=example.org; dkim=fail (body hash did not verify)
 header.d=example.org;dmarc=pass action=none
 header.from=example.org;compauth=pass reason=100"""
YAHOO = b"""atlas-production.v2-mail-prod1-gq1.omega.yahoo.com;
 dkim=pass header.i=@example.org header.s=s1;
 spf=pass smtp.mailfrom=example.org;
 dmarc=pass(p=REJECT) header.from=example.org;"""
OPENDKIM = b"""mx.example.net;
\tdkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.a=rsa-sha256 header.s=s1 header.b=abcd1234;
\tdkim-atps=neutral"""
RSPAMD = b"""mx.example.net;
\tdkim=pass header.d=example.org header.s=s1 header.b=Ab3dEf;
\tspf=softfail (mx.example.net: 192.0.2.1 is neither permitted nor denied by domain of probe@example.org) smtp.mailfrom=probe@example.org;
\tdmarc=none"""
SES = b"""amazonses.com;
 spf=pass (spfCheck: domain of example.org designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1; envelope-from=probe@example.org; helo=mail.example.org;
 dkim=pass header.i=@example.org;
 dmarc=none header.from=example.org;"""


def _said(value: bytes) -> dict[str, str]:
    return {found.method: found.result for found in read_results(value).results}


def test_gmail() -> None:
    found = read_results(GMAIL)
    assert found.authserv_id == "mx.google.com"
    assert _said(GMAIL) == {"dkim": "pass", "spf": "pass", "dmarc": "pass"}
    dkim, spf, dmarc = found.results
    assert dkim.property("header.b") == "dOxZ/a+b"
    assert dkim.property("header.d", "header.i") == "@example.org"
    assert "designates 192.0.2.1" in spf.comment
    assert spf.property("smtp.mailfrom") == "probe@example.org"
    assert dmarc.comment == "p=REJECT sp=REJECT dis=NONE"


def test_microsoft_gives_no_id() -> None:
    found = read_results(MICROSOFT)
    assert found.authserv_id is None
    assert _said(MICROSOFT) == {"spf": "pass", "dkim": "fail", "dmarc": "pass", "compauth": "pass"}
    assert found.results[1].comment == "body hash did not verify"
    assert found.results[2].property("action") == "none"
    assert found.results[3].reason == "100"


@pytest.mark.parametrize(
    ("value", "authserv_id", "said"),
    [
        (
            YAHOO,
            "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com",
            {"dkim": "pass", "spf": "pass", "dmarc": "pass"},
        ),
        (OPENDKIM, "mx.example.net", {"dkim": "pass", "dkim-atps": "neutral"}),
        (RSPAMD, "mx.example.net", {"dkim": "pass", "spf": "softfail", "dmarc": "none"}),
        (SES, "amazonses.com", {"spf": "pass", "dkim": "pass", "dmarc": "none"}),
    ],
)
def test_other_receivers(value: bytes, authserv_id: str, said: dict[str, str]) -> None:
    assert read_results(value).authserv_id == authserv_id
    assert _said(value) == said


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8601 appendix B.
        (b"example.org 1; none", ("example.org", 1, True)),
        (b"example.com; (nothing) none", ("example.com", None, True)),
        (b"foo.example.net (foobar) 1 (baz)", ("foo.example.net", 1, False)),
        (b"", (None, None, False)),
        (b'"odd id"; none', ("odd id", None, True)),
    ],
)
def test_ids_and_versions(value: bytes, expected: tuple[str | None, int | None, bool]) -> None:
    found = read_results(value)
    assert (found.authserv_id, found.version, found.is_none) == expected
    assert not found.results


def test_comments_may_stand_anywhere() -> None:
    value = b"""foo.example.net (foobar) 1 (baz);
        dkim (Because I like it) / 1 (One yay) = (wait for it) fail
        policy (A dot can go here) . (like that) expired
        (this surprised me) = (as I wasn't expecting it) 1362471462"""
    header = read_results(value)
    assert (header.authserv_id, header.version) == ("foo.example.net", 1)
    assert [(each.method, each.version, each.result, each.properties) for each in header.results] == [
        ("dkim", 1, "fail", (("policy.expired", "1362471462"),))
    ]
    simple = b'a.test; dkim(x)=pass (good) reason="all (is) well" header.d (y)= example.org'
    (found,) = read_results(simple).results
    assert (found.method, found.result, found.reason) == ("dkim", "pass", "all (is) well")
    assert found.property("header.d") == "example.org"


def test_versions_blanks_and_values() -> None:
    (found,) = read_results(
        b'a.test 1; DKIM/1 = Pass header.i = <@b.test> smtp.mailfrom="o\'d x"@c.test'
    ).results
    assert (found.method, found.version, found.result) == ("dkim", 1, "pass")
    assert found.properties == (("header.i", "@b.test"), ("smtp.mailfrom", "o'd x@c.test"))


def test_several_results_of_one_method_are_kept_in_order() -> None:
    found = read_results(b"a.test; dkim=fail header.d=x.test; dkim=pass header.d=y.test").results
    assert [(each.result, each.property("header.d")) for each in found] == [
        ("fail", "x.test"),
        ("pass", "y.test"),
    ]


def test_a_property_without_a_value_takes_none_from_the_next() -> None:
    (found,) = read_results(b"a.test; spf=none smtp.mailfrom= smtp.helo=h.test").results
    assert found.properties == (("smtp.mailfrom", ""), ("smtp.helo", "h.test"))


@pytest.mark.parametrize("value", [b"a.test; garbage here", b"a.test; =pass", b"a.test; dk im!=pass"])
def test_what_is_no_result_is_flagged(value: bytes) -> None:
    found = read_results(value)
    assert not found.results
    assert "malformed" in found.flags


@given(st.binary(max_size=400))
def test_nothing_raises(value: bytes) -> None:
    read_results(value)


@pytest.mark.parametrize("piece", [b"(", b"a=b ", b'"', b";", b"dkim=pass;", b"= ", b"<"])
def test_time_is_bounded(piece: bytes) -> None:
    started = time.process_time()
    read_results(b"a.test; " + piece * 8000)
    assert time.process_time() - started < 0.5

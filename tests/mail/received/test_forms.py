"""A line that is read by its form gives the same hop as by the long way, whatever stands in its gaps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtp_probe.mail.received import forms
from smtp_probe.mail.received.forms import read_received
from smtp_probe.mail.received.header import parse_received
from smtp_probe.mail.syntax.fields import split_fields

DATA = Path(__file__).parents[2] / "data"
DATE = "Tue, 1 Sep 2026 10:00:07 +0200 (CEST)"
TLS = "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519)"

LINES = [
    (
        f"from a.example.org (b.example.org [192.0.2.7]) {TLS} (No client certificate requested) "
        f"by mx.example.net (Postfix) with ESMTPS id 4hQx5W2mz1z9s1 for <inbox@example.net>; {DATE}"
    ),
    f"from a.example.org (unknown [IPv6:2001:db8::7]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; {DATE}",
    f"from localhost (localhost [127.0.0.1]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; {DATE}",
    f"by mail.example.org (Postfix, from userid 1000) id DABBD1BED3; {DATE}",
    (
        f"from b.example.org ([192.0.2.7] helo=a.example.org) by mx.example.net with esmtps (TLS1.3) tls "
        f"TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from <probe@example.org>) id 1qabcd-0001Ab-2C "
        f"for inbox@example.net; {DATE}"
    ),
    f"from b.example.org ([2001:db8::7]) by mx.example.net with esmtp (Exim 4.98) id 1vMF8U-00000001e2F-3vzN; {DATE}",
    (
        f"from a.example.org (a.example.org. [192.0.2.7]) by mx.google.com with ESMTPS id "
        f"6a1803df08f44-6cbd0ebsi12.301 for <inbox@example.net> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 "
        f"bits=256/256); {DATE}"
    ),
    (
        f"from AM0PR01.eurprd01.prod.outlook.com (2603:10a6:208::12) by DB8PR01.eurprd01.prod.outlook.com "
        f"(2603:10a6:10::7) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA) id 15.20.8699.20 via "
        f"Frontend Transport; {DATE}"
    ),
    (
        f"from a.example.org (b.example.org [192.0.2.7]) by mx.example.net (8.17.1/8.17.1/Debian-2) with ESMTP id "
        f"68180455012345 for <inbox@example.net>; {DATE}"
    ),
]


def fill(line):
    """Give the hop by the line's form, or None where the line has to go the long way."""
    match = forms._FORM.fullmatch(line)
    return match and forms._fill(match)


@pytest.mark.parametrize("line", LINES)
def test_the_common_lines_of_the_great_systems_are_read_by_their_form(line):
    hop = fill(line)

    assert hop is not None
    assert asdict(hop) == asdict(parse_received(line.encode()))


def test_every_line_of_the_corpus_is_read_as_by_the_long_way():
    values = [
        value
        for path in sorted(DATA.rglob("*.eml"))
        for name, value in split_fields(path.read_bytes())
        if name in ("received", "x-received")
    ]

    assert len(values) > 500
    assert [read_received(value) for value in values] == [parse_received(value) for value in values]


@pytest.mark.parametrize(
    "line",
    [
        f"from a.example.org (b.example.org [192.0.2.700]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; {DATE}",
        f"from a.example.org (b.example.org [192.0.2.7]) by localhost.localdomain (Postfix) with ESMTP id DABBD1BED3; {DATE}",
        f"from a.example.org (no.name.available [192.0.2.7]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; {DATE}",
        f"from a.example.org ({'a' * 60 + '.' + 'b' * 200}.org [192.0.2.7]) by mx.example.net (Postfix) with ESMTP id D1; {DATE}",
        "from a.example.org (b.example.org [192.0.2.7]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; yesterday",
        (
            "from a.example.org (b.example.org [192.0.2.7]) by mx.example.net (Postfix) with ESMTP id DABBD1BED3; "
            "1 Sep 2026 08:00:07"
        ),
        f"from a.example.org (b.example.org [192.0.2.7]) by mx.example.net with LMTP id hvDUEAIKL1QlOQAAL4hJug; {DATE}",
    ],
)
def test_a_line_whose_names_or_date_are_of_another_kind_goes_the_long_way(line):
    assert fill(line) is None
    assert read_received(line.encode()) == parse_received(line.encode())


CHOICES = {
    "a.example.org": [
        "b.example.org",
        "localhost",
        "unknown",
        "helo",
        "x.localhost.localdomain",
        "1.2.3.4",
        "mail-1.x",
    ],
    "b.example.org": [
        "a.example.org",
        "no.name.available",
        "client.hidden.invalid",
        "TLS.test",
        "Auth.example",
        "8.1.test",
    ],
    "mx.example.net": [
        *("mx.google.com", "inbound-smtp.eu-west-1.amazonaws.com", "localhost.localdomain", "by.by", "mx"),
        *(
            "recvd-86cdcc7789-qh9bl",
            "hermes--production-ir2-74",
            "x.outlook.com",
            "mx.barracuda.com",
            "10.0.0.1",
        ),
    ],
    "mx.google.com": ["mx.example.net", "gmail.com", "mxa.mailgun.org"],
    "192.0.2.7": [
        "::1",
        "2001:DB8::7",
        "IPv6:2001:db8::7",
        "1.2.3",
        "192.0.2.256",
        "::ffff:192.0.2.1",
        "...",
        "a",
    ],
    "DABBD1BED3": [
        "hvDUEAIKL1QlOQAAL4hJug",
        "9f8e7d6c",
        "000000000005A1C7.0000000A6A96C7A3.00004771",
        "from1",
        "for",
        "1",
    ],
    "inbox@example.net": ["from@by.with", "a@b", "a+b=c@example.net", "A.B@EXAMPLE.NET", "@", "x@localhost"],
    "(Postfix)": [
        "(Exim 4.96)",
        "(Postfix) (fetchmail-6.4)",
        "",
        "(OpenSMTPD)",
        "(a (b) c)",
        "(a \\) b)",
        "(Dovecot)",
    ],
    "ESMTP": ["LMTP", "esmtpsa", "local", "HTTP", "POP3", "id", "with", "Microsoft SMTP Server", "UTF8SMTPS"],
    TLS: [
        "(Authenticated sender: me)",
        "(encrypted)",
        "(TLS)",
        "(authenticated bits=0)",
        "(HELO x.example)",
        "(x [1.2.3.4])",
    ],
    DATE: [
        *("1 Sep 2026 08:00:07 -0000", "Wed, 1 Sep 2026 08:00:07 +0000", "1 Sep 26 08:00:07 +0000", "Tue"),
        *(
            "2026-09-01 08:00:07.25 +0000 UTC",
            f"{DATE} x",
            f"{DATE}; x",
            " 1 Sep 2026 08:00:07.5 +0000 (UTC)",
        ),
    ],
}


@st.composite
def changed_lines(draw):
    """Give a common line with some of its parts changed to others that may mean more than themselves."""
    line = draw(st.sampled_from(LINES))
    for part in draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=4)):
        line = line.replace(part, draw(st.sampled_from(CHOICES[part])))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(line)))
        line = line[:place] + draw(st.sampled_from([*' ();<>[]".\\,1a', "", "by ", " for x"])) + line[place:]
    return line


@pytest.mark.slow
@given(changed_lines())
@settings(max_examples=500, deadline=None)
@example(LINES[0].replace("b.example.org", "a.example.org"))
def test_any_line_is_read_as_by_the_long_way(line):
    assert asdict(read_received(line.encode())) == asdict(parse_received(line.encode()))


def test_bytes_that_are_no_text_go_the_long_way():
    value = LINES[0].encode().replace(b"inbox", b"\xffinbox")

    assert read_received(value) == parse_received(value)
    assert read_received(value).flags == ("not_utf8",)

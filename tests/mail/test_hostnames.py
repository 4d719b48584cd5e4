"""Names of hosts become bounded labels; addresses become canonical."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.hostnames import normalise_by, read_address


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mx1.Example.NET", "mx1.example.net"),
        ("mx1.example.net.", "mx1.example.net"),
        ("host_with_underscores", "host-with-underscores"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("bücher.example", "b-cher.example"),
        ("..a..b-.c.", "a.b.c"),
        ('"><script>alert(1)</script>', "script-alert-1-script"),
        ("<server>", "server"),
        ("0", "0"),
        ("192.0.2.1", "address"),
        ("[192.0.2.1]", "address"),
        ("[IPv6:2001:db8::1]", "address"),
        ("2002:a05:7010:a20d:b0:4b4:3f86:b38", "address"),
        ("192.0.2.1:25", "address"),
        ("-192.0.2.1-", "address"),
        (None, "unknown"),
        ("", "unknown"),
        ("...", "unknown"),
        ("日本", "unknown"),
        ("mx.google.com", "google.com"),
        ("mail-yw1-f174.google.com", "google.com"),
        ("BN1NAM02FT0004.mail.protection.outlook.com", "outlook.com"),
        ("DM6PR03MB0002.namprd03.prod.outlook.com", "outlook.com"),
        ("BL0PR03CA0003.outlook.office365.com", "outlook.com"),
        ("VI1PR08MB1.eurprd08.prod.exchangelabs.com", "outlook.com"),
        ("a9-183.smtp-out.amazonses.com", "amazonses.com"),
        ("email-smtp.eu-west-1.amazonaws.com", "amazonses.com"),
        ("inbound-smtp.us-east-1.amazonaws.com", "amazonses.com"),
        ("ec2-192-0-2-1.compute.amazonaws.com", "ec2-192-0-2-1.compute.amazonaws.com"),
        ("sonic305.consmr.mail.ir2.yahoo.com", "yahoo.com"),
        ("hermes--production-ir2-74cd8fc864-29g5c", "yahoo.com"),
        ("filter0652p1las1.sendgrid.net", "sendgrid.net"),
        ("recvd-86cdcc7789-qh9bl", "sendgrid.net"),
        ("filterdrecv-p3iad2-5b55dcd864-kvwkt", "sendgrid.net"),
        ("geopod-ismtpd-5-0", "sendgrid.net"),
        ("filter1.example.net", "filter1.example.net"),
        ("smtp-out-n06.prod.us-east-1.postgun.com", "mailgun.org"),
        ("mx.zohomail.com", "zoho.com"),
        ("mx0a-00012345.pphosted.com", "pphosted.com"),
        ("notgoogle.com", "notgoogle.com"),
        ("google.com.example.net", "google.com.example.net"),
    ],
)
def test_a_label_names_the_host_or_its_provider(name, label):
    assert normalise_by(name) == label


def test_a_name_that_is_too_long_keeps_its_end():
    label = normalise_by("a" * 300 + ".mx.example.net")

    assert label.endswith("a.mx.example.net")
    assert len(label) == 64


@given(st.text(max_size=300) | st.from_regex(r"[a-zA-Z0-9._:\[\]-]{0,200}", fullmatch=True))
def test_a_label_is_always_safe_and_settled(name):
    label = normalise_by(name)

    assert re.fullmatch(r"[a-z0-9.-]{1,64}", label)
    assert normalise_by(label) == label


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("[192.0.2.1]:40122", "192.0.2.1"),
        ("192.0.2.1:40122", "192.0.2.1"),
        ("[192.0.2.1.13219]", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[IPv6:2001:db8::1]", "2001:db8::1"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:25", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%6", "fe80::1"),
        ("256.0.2.1", None),
        ("192.0.2", None),
        ("192.0.2.1.example", None),
        ("01.2.3.4", None),
        ("192.0.2.1]", None),
        ("[192.0.2.1", None),
        ("[192.0.2.1]x", None),
        ("mail.example.org", None),
        ("mx1", None),
        ("a:b", None),
        ("unix socket", None),
        ("::" * 40, None),
        ("", None),
    ],
)
def test_an_address_is_canonical_or_none(text, address):
    assert read_address(text) == address

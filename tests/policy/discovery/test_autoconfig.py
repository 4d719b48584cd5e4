"""Autoconfig files: the servers in them, and files that were made to do harm."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import AccountProtocol
from smtp_probe.policy.discovery.autoconfig import LARGEST_BYTES, AutoconfigError, read_autoconfig
from smtp_probe.policy.discovery.service_records import Person

PERSON = Person("probe", "example.test")
SERVER = """<{kind} type="{protocol}"><hostname>{host}</hostname><port>{port}</port>
<socketType>{tls}</socketType><username>{username}</username><authentication>{way}</authentication></{kind}>"""


def server(**facts):
    known = {"kind": "incomingServer", "protocol": "imap", "host": "imap.example.test", "port": "993"}
    known |= {"tls": "SSL", "username": "%EMAILADDRESS%", "way": "password-cleartext"}
    return SERVER.format(**(known | facts))


def file(*servers, before=""):
    inner = "".join(servers)
    return f'{before}<clientConfig version="1.1"><emailProvider id="x">{inner}</emailProvider></clientConfig>'.encode()


def read(page):
    return read_autoconfig(page, PERSON, "a page")


def test_servers_are_read_in_their_order_with_the_name_filled_in():
    found = read(
        file(
            server(),
            server(host="old.%EMAILDOMAIN%", port="143", tls="STARTTLS", username="%EMAILLOCALPART%"),
            server(
                kind="outgoingServer", protocol="smtp", host="smtp.example.test", port="587", tls="STARTTLS"
            ),
        )
    )

    assert [(s.protocol, s.host, s.port, s.is_implicit_tls, s.usernames) for s in found] == [
        (AccountProtocol.IMAP, "imap.example.test", 993, True, ("probe@example.test",)),
        (AccountProtocol.IMAP, "old.example.test", 143, False, ("probe",)),
        (AccountProtocol.SMTP, "smtp.example.test", 587, False, ("probe@example.test",)),
    ]
    assert all(each.is_vouched for each in found)


@pytest.mark.parametrize(
    "facts",
    [
        {"protocol": "pop3"},
        {"kind": "outgoingServer", "protocol": "imap"},
        {"tls": "plain"},
        {"way": "OAuth2"},
        {"way": "client-IP-address"},
        {"host": ""},
        {"host": "bad host"},
        {"host": "a/../b"},
        {"port": "0"},
        {"port": "65536"},
        {"port": "٩٩٣"},
        {"port": "9" * 500},
    ],
)
def test_what_is_of_no_use_is_passed_over(facts):
    assert read(file(server(**facts), server(host="good.example.test")))[0].host == "good.example.test"


@pytest.mark.parametrize("username", ["%REALNAME%", "a\u200bb\u202e", "x" * 300, ""])
def test_a_login_name_that_cannot_be_meant_becomes_the_usual_ones(username):
    assert read(file(server(username=username)))[0].usernames == ("probe@example.test", "probe")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";" * 1}{("&" + chr(97 + n) + ";") * 9}">'
    for n in range(9)
)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (file(server(host="&j;"), before=BOMB + "]>"), "document type"),
        (file(before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "document type"),
        (file(before='<!DOCTYPE x SYSTEM "https://elsewhere.test/x.dtd">'), "document type"),
        (file(server(host="&undeclared;")), "no XML"),
        (b"<clientConfig>" + b"<a>" * 100, "nested"),
        (b"<clientConfig>" + b"<a/>" * 5000, "too many"),
        (file(server(host="a" * 5000)), "text"),
        (b"<html><body>404</body></html>", "no clientConfig"),
        (b"x" * (LARGEST_BYTES + 1), "larger"),
        (b"", "no XML"),
        (b"\xff\xfe\x00", "no XML"),
        (b'<?xml version="1.0" encoding="no-such"?><clientConfig/>', "encoding"),
    ],
)
def test_a_hostile_file_is_refused_with_the_reason_and_at_once(page, reason):
    began = time.monotonic()
    with pytest.raises(AutoconfigError, match=reason):
        read(page)
    assert time.monotonic() - began < 1


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_end_in_a_refusal_or_in_servers(noise):
    for page in (noise, file(server()).replace(b"imap.example", noise)):
        try:
            assert all(each.host for each in read(page))
        except AutoconfigError:
            continue


def test_no_more_servers_than_anybody_tries():
    assert len(read(file(*(server(host=f"h{n}.example.test") for n in range(50))))) == 4

"""The order of the sources, and that a later one is asked only for what is missing."""

import pytest

from smtp_probe.model import AccountProtocol, SrvRecord, WebAnswer, WebFailure
from smtp_probe.policy.discovery.find import find_servers
from smtp_probe.policy.discovery.service_records import Person
from tests.policy.discovery.test_autoconfig import file, server
from tests.policy.scripted import ScriptedDns, mx

PERSON = Person("pro+be", "example.test")
IMAPS = {"_imaps._tcp.example.test": {"SRV": (SrvRecord(0, 1, 993, "srv.example.test"),)}}
SUBMISSIONS = {"_submissions._tcp.example.test": {"SRV": (SrvRecord(0, 1, 465, "srv.example.test"),)}}
PAGE = file(
    server(host="auto.example.test"),
    server(kind="outgoingServer", protocol="smtp", host="auto.example.test", port="465"),
)


class Web:
    def __init__(self, **pages):
        self.pages = pages
        self.asked = []

    async def fetch(self, host, path, limit):
        self.asked.append((host, path))
        return self.pages.get(
            host.partition(".")[0], WebAnswer(failure=WebFailure.NO_SUCH_HOST, detail="no such host")
        )


async def find(zone, **pages):
    web = Web(**pages)
    return await find_servers(PERSON, ScriptedDns(zone), web.fetch), web


def hosts(found):
    return [(each.protocol.value, each.host) for each in found.servers]


async def test_where_records_tell_both_nothing_else_is_asked():
    found, web = await find(IMAPS | SUBMISSIONS)

    assert hosts(found) == [("smtp", "srv.example.test"), ("imap", "srv.example.test")]
    assert web.asked == []


async def test_autoconfig_adds_only_what_the_records_do_not_tell():
    found, web = await find(IMAPS, autoconfig=WebAnswer(status=200, body=PAGE))

    assert hosts(found) == [("imap", "srv.example.test"), ("smtp", "auto.example.test")]
    assert web.asked == [
        ("autoconfig.example.test", "/mail/config-v1.1.xml?emailaddress=pro%2Bbe@example.test")
    ]


async def test_the_well_known_place_is_the_second():
    found, web = await find({}, autoconfig=WebAnswer(status=404), example=WebAnswer(status=200, body=PAGE))

    assert [each.source for each in found.servers] == [
        "https://example.test/.well-known/autoconfig/mail/config-v1.1.xml"
    ] * 2
    assert len(web.asked) == 2


async def test_a_file_that_cannot_be_used_is_told_and_the_next_source_asked():
    zone = {"example.test": {"MX": mx("10 aspmx.l.google.com")}}
    found, _ = await find(zone, autoconfig=WebAnswer(status=200, body=b"<!DOCTYPE x><clientConfig/>"))

    assert [each.profile for each in found.servers] == ["gmail", "gmail"]
    assert any("document type" in note for note in found.notes)


def moved(location):
    return WebAnswer(status=301, location=location)


async def test_a_file_that_has_moved_is_followed_over_https():
    there = {"autoconfig": moved("https://hosting.test/a?b=c"), "hosting": WebAnswer(status=200, body=PAGE)}
    found, web = await find({}, **there)
    assert web.asked[1:] == [("hosting.test", "/a?b=c")]
    assert {host for _, host in hosts(found)} == {"auto.example.test"}
    assert all(each.is_vouched for each in found.servers)

    _, web = await find({}, **(there | {"hosting": moved("/again")}))
    assert [host for host, _ in web.asked].count("hosting.test") == 3, "bounded"


@pytest.mark.parametrize(
    "location",
    ["http://hosting.test/a", "https://hosting.test:8443/", "https://192.0.2.1/", "https://a@hosting.test/", "ftp://x.test/",
     "https://[::1/", "file:///etc/passwd", "https://hosting.test:99999/"],
)  # fmt: skip
async def test_a_redirect_to_anywhere_else_is_told_and_not_followed(location):
    found, web = await find({}, autoconfig=moved(location))
    assert [host for host, _ in web.asked] == ["autoconfig.example.test", "example.test"]
    assert any("redirect that is not followed" in note for note in found.notes)


async def test_a_guess_is_the_last():
    found, _ = await find({"mail.example.test": {"A": ("192.0.2.1",)}} | SUBMISSIONS)

    assert [each.source for each in found.of(AccountProtocol.IMAP)] == ["a guess"] * 2
    assert [each.port for each in found.of(AccountProtocol.SMTP)] == [465]


async def test_our_own_failure_is_told_apart():
    found, _ = await find({}, autoconfig=WebAnswer(failure=WebFailure.OURS, detail="no name server"))

    assert found.servers == ()
    assert found.unobserved == ("https://autoconfig.example.test/mail/config-v1.1.xml: no name server",)

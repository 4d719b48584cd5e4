"""SRV records: their order, what they decline, and whom they may name."""

import pytest

from smtp_probe.model import AccountProtocol, DnsSecurity, DnsStatus, SrvRecord
from smtp_probe.policy.discovery.service_records import MOST_RECORDS, Person, ask_for_services, is_within
from tests.policy.scripted import ScriptedDns

PERSON = Person("probe", "example.test")


def srv(*values):
    return {"SRV": tuple(SrvRecord(*value) for value in values)}


async def ask(zone, **more):
    return await ask_for_services(PERSON, ScriptedDns(zone, **more))


async def test_tls_from_the_start_comes_before_starttls_and_priorities_are_kept():
    servers, _, unobserved = await ask(
        {
            "_imap._tcp.example.test": srv((0, 1, 143, "imap.example.test")),
            "_imaps._tcp.example.test": srv(
                (20, 9, 993, "second.example.test"), (10, 1, 1993, "first.example.test")
            ),
            "_submission._tcp.example.test": srv((0, 1, 587, "submit.example.test")),
        }
    )

    assert not unobserved
    assert [(s.protocol, s.host, s.port, s.is_implicit_tls) for s in servers] == [
        (AccountProtocol.SMTP, "submit.example.test", 587, False),
        (AccountProtocol.IMAP, "first.example.test", 1993, True),
        (AccountProtocol.IMAP, "second.example.test", 993, True),
        (AccountProtocol.IMAP, "imap.example.test", 143, False),
    ]
    assert servers[0].usernames == ("probe@example.test", "probe")


async def test_a_root_target_declines_the_service():
    servers, notes, _ = await ask({"_imap._tcp.example.test": srv((0, 0, 0, ""))})

    assert servers == []
    assert "_imap._tcp.example.test: not offered" in notes


async def test_a_resolver_that_fails_is_not_an_absence():
    servers, _, unobserved = await ask({"_imaps._tcp.example.test": DnsStatus.TIMEOUT})

    assert servers == []
    assert [text.partition(":")[0] for text in unobserved] == ["_imaps._tcp.example.test"]


@pytest.mark.parametrize(
    ("target", "security", "is_vouched"),
    [
        ("imap.example.test", DnsSecurity.UNKNOWN, True),
        ("imap.elsewhere.test", DnsSecurity.UNKNOWN, False),
        ("imap.badexample.test", DnsSecurity.INSECURE, False),
        ("imap.elsewhere.test", DnsSecurity.SECURE, True),
    ],
)
async def test_a_foreign_server_is_vouched_for_by_a_signed_zone_alone(target, security, is_vouched):
    servers, _, _ = await ask({"_imaps._tcp.example.test": srv((0, 1, 993, target))}, security=security)

    assert [server.is_vouched for server in servers] == [is_vouched]


async def test_records_of_strangers_are_bounded_and_checked():
    many = srv(*((n, 1, 993, f"host{n}.example.test") for n in range(200)))
    servers, _, _ = await ask({"_imaps._tcp.example.test": many})
    assert len(servers) == MOST_RECORDS

    hostile = srv((0, 1, 993, "bad host\\010name"), (0, 1, 0, "imap.example.test"), (0, 1, 993, "a" * 300))
    assert (await ask({"_imaps._tcp.example.test": hostile}))[0] == []


def test_a_name_that_only_ends_alike_is_not_within():
    assert is_within("a.example.test", "example.test")
    assert is_within("EXAMPLE.test", "example.test")
    assert not is_within("notexample.test", "example.test")

"""Providers by their MX hosts, and guesses that are no more than names with an address."""

import pytest

from smtp_probe.config.profiles import Profile
from smtp_probe.model import AccountProtocol
from smtp_probe.policy.discovery.providers import PROVIDERS, ask_for_provider, guess
from smtp_probe.policy.discovery.service_records import Person
from tests.policy.scripted import ScriptedDns, mx

PERSON = Person("probe", "example.test")


@pytest.mark.parametrize(
    ("exchanger", "profile", "imap"),
    [
        ("aspmx.l.google.com", "gmail", "imap.gmail.com"),
        ("example-test.mail.protection.outlook.com", "microsoft365", "outlook.office365.com"),
        ("mta5.am0.yahoodns.net", "yahoo", "imap.mail.yahoo.com"),
        ("in1-smtp.messagingengine.com", None, "imap.fastmail.com"),
    ],
)
async def test_a_provider_is_known_by_its_exchangers(exchanger, profile, imap):
    servers, _, _ = await ask_for_provider(
        PERSON, ScriptedDns({"example.test": {"MX": mx(f"10 {exchanger}")}})
    )

    assert {server.profile for server in servers} == {profile}
    assert [s.host for s in servers if s.protocol is AccountProtocol.IMAP] == [imap]


async def test_a_name_that_only_looks_like_a_provider_is_none():
    zone = {"example.test": {"MX": mx("10 evil-google.com", "20 google.com.evil.test")}}
    servers, _, exchangers = await ask_for_provider(PERSON, ScriptedDns(zone))

    assert servers == []
    assert exchangers == ["evil-google.com", "google.com.evil.test"]


def test_every_profile_of_a_provider_exists():
    assert {each.profile for each in PROVIDERS} <= {None, *Profile}


async def test_a_guess_is_a_name_with_an_address_and_foreign_exchangers_are_not_vouched_for():
    zone = {"mail.example.test": {"A": ("192.0.2.1",)}, "mx.host.test": {"AAAA": ("2001:db8::1",)}}
    found = await guess(PERSON, AccountProtocol.IMAP, ["mx.host.test", "gone.host.test"], ScriptedDns(zone))

    assert [(s.host, s.port, s.is_vouched) for s in found] == [
        ("mail.example.test", 993, True),
        ("mail.example.test", 143, True),
        ("mx.host.test", 993, False),
        ("mx.host.test", 143, False),
    ]

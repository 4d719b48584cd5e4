from __future__ import annotations

import pytest

from smtp_probe.demo.addresses import RECIPIENT_LOGIN, SENDER, AddressBook, is_well_formed, recipient_of
from smtp_probe.demo.scenarios import SCENARIOS

BOOK = AddressBook([SCENARIOS["late"]])


@pytest.mark.parametrize("address", ["late@example.test", "Late@EXAMPLE.TEST", "late+a.b=c-d@example.test"])
def test_a_recipient_is_found_by_its_scenario_s_name(address: str) -> None:
    resident = BOOK.find(address)
    assert resident is not None
    assert (resident.mailbox, resident.scenario.name) == (RECIPIENT_LOGIN, "late")


def test_the_sender_has_a_mailbox_of_its_own() -> None:
    resident = BOOK.find(SENDER)
    assert resident is not None
    assert resident.mailbox == SENDER
    assert BOOK.is_sender("prober+verp@example.test")
    assert not BOOK.is_sender(recipient_of(SCENARIOS["late"]))


@pytest.mark.parametrize(
    "address",
    [
        "on-time@example.test",
        "late@example.org",
        "late@sub.example.test",
        "late@example.test@example.org",
        "late@example.test\r\nX: y",
        "la te@example.test",
        "@example.test",
        "",
    ],
)
def test_nobody_else_is_known(address: str) -> None:
    assert BOOK.find(address) is None


@pytest.mark.parametrize("address", ["a@b.example", "prvs=12=x@b.example"])
def test_plain_senders_are_well_formed(address: str) -> None:
    assert is_well_formed(address)


@pytest.mark.parametrize(
    "address", ['"a b"@c.example', "a@b\r\n.example", "a<b@c.example", "a(b)@c.example", "a"]
)
def test_what_could_break_a_header_is_not(address: str) -> None:
    assert not is_well_formed(address)

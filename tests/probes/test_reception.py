"""What a receiver takes: the tagged mail of its own drill, after so many deferrals, and nothing else."""

import pytest

from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Desk, Manner
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.probes.reception import MOST_ATTEMPTS, DeskReception, Mailing
from tests.probes.drill_fakes import KEYS, FakeServer, sender_of, visit

RECIPIENT = "drill@drill.example.org"


def make(drill="retries", **terms):
    mailing = Mailing(ReferenceClock(), KEYS, drill, RECIPIENT)
    return mailing, DeskReception(mailing, **terms)


def message(drill="retries", recipient=RECIPIENT):
    return sender_of(FakeServer()).prepare(drill, recipient)


def test_it_puts_off_so_often_and_then_takes():
    mailing, desk = make(deferrals=2)
    mailing.probe_id, envelope = message()

    replies = [desk.take_recipient(visit(), envelope.recipient)[:3] for _ in range(3)]

    assert replies == ["451", "451", "250"]
    assert [attempt.answer for attempt in mailing.attempts] == replies
    assert not mailing.arrived.is_set()
    assert desk.take_message(visit(), [envelope.recipient], envelope.message).startswith("250")
    assert mailing.arrived.is_set()
    assert mailing.attempts[0].ehlo_name == "mail.example.org"


def test_the_case_of_an_address_does_not_matter():
    mailing, desk = make()
    mailing.probe_id, envelope = message()
    assert desk.take_recipient(visit(), envelope.recipient.upper()).startswith("250")


@pytest.mark.parametrize(
    "address",
    [
        RECIPIENT,
        "postmaster@drill.example.org",
        "stranger@example.org",
        "",
        "drill+aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjkkkkllll@drill.example.org",
        "x" * 5000,
    ],
)
def test_it_refuses_what_has_no_tag_of_ours(address):
    mailing, desk = make(deferrals=1)
    mailing.probe_id, _ = message()
    assert desk.take_recipient(visit(), address).startswith("550")
    assert mailing.attempts == []


def test_a_tag_counts_for_its_own_drill_recipient_and_key_only():
    mailing, desk = make()
    mailing.probe_id, envelope = message()
    _, of_another_drill = message("failover")
    _, of_another_address = message(recipient="drill@other.example.org")
    moved = of_another_address.recipient.replace("other", "drill")
    strange = Mailing(ReferenceClock(), [TagKey(b"x" * 32)], "retries", RECIPIENT)

    assert desk.take_recipient(visit(), of_another_drill.recipient).startswith("550")
    assert desk.take_recipient(visit(), moved).startswith("550")
    assert desk.take_recipient(
        visit(), envelope.recipient.replace("drill.example", "evil.example")
    ).startswith("550")
    assert strange.verify(envelope.recipient) is None


def test_the_message_has_to_bear_the_tag_of_its_one_recipient():
    mailing, desk = make()
    mailing.probe_id, envelope = message()
    _, other = message()

    assert desk.take_message(visit(), [envelope.recipient], b"Subject: buy\r\n\r\n").startswith("550")
    assert desk.take_message(visit(), [envelope.recipient], other.message).startswith(
        "250" if other.recipient == envelope.recipient else "550"
    )
    assert desk.take_message(visit(), [], envelope.message).startswith("550")
    assert desk.take_message(visit(), [envelope.recipient] * 2, envelope.message).startswith("550")


def test_mail_of_an_earlier_run_is_taken_and_counted_apart():
    mailing, desk = make(deferrals=2)
    _, old = message()
    mailing.probe_id = "another"

    assert desk.take_recipient(visit(), old.recipient).startswith("250")
    assert desk.take_message(visit(), [old.recipient], old.message).startswith("250")
    assert (mailing.strays, mailing.attempts, mailing.arrived.is_set()) == (1, [], False)


def test_the_preferred_one_keeps_contacts_where_it_shows_no_more():
    mailing, silent = make(desk=Desk.PREFERRED, manner=Manner.SILENT)
    silent.came(visit())
    assert [(attempt.desk, attempt.answer) for attempt in mailing.attempts] == [(Desk.PREFERRED, "silent")]

    mailing, serving = make(desk=Desk.PREFERRED, deferrals=None)
    serving.came(visit())
    assert mailing.attempts == []
    mailing.probe_id, envelope = message()
    assert {serving.take_recipient(visit(), envelope.recipient)[:3] for _ in range(20)} == {"451"}


def test_who_comes_after_the_arrival_is_no_attempt_of_this_message():
    mailing, unavailable = make(desk=Desk.PREFERRED, manner=Manner.UNAVAILABLE)
    unavailable.came(visit())
    mailing.arrived.set()
    unavailable.came(visit())
    assert [attempt.answer for attempt in mailing.attempts] == ["unavailable"]


def test_no_number_of_visits_fills_the_memory():
    mailing, silent = make(manner=Manner.SILENT)
    for _ in range(MOST_ATTEMPTS + 50):
        silent.came(visit())
    assert len(mailing.attempts) == MOST_ATTEMPTS

"""A queue added up: right, bounded, and at zero where it is known to be empty."""

import tracemalloc

import pytest

from smtp_probe.mail.queue_listing.states import POSTFIX_STATES
from smtp_probe.mail.queue_listing.survey import MOST_PROBES, QueueCount
from smtp_probe.model import DelayReason, QueuedRecipient, QueueEntry, QueueState

NOW = 1_800_000_000


def make_entry(number=1, *, state=QueueState.DEFERRED, age=60, recipients=None, size=100):
    return QueueEntry(
        queue_id=f"ID{number}",
        state=state,
        arrived_seconds=NOW - age,
        size_bytes=size,
        sender="a@example.org",
        recipients=recipients or (QueuedRecipient(f"u@d{number}.example", "Connection refused"),),
    )


def add_up(entries, **options):
    count = QueueCount(NOW, POSTFIX_STATES, **{"top_destinations": 3, **options})
    for entry in entries:
        count.add(entry)
    return count.total()


def test_an_empty_queue_has_each_state_at_zero_and_no_age():
    survey = add_up([])

    assert {state: found.messages for state, found in survey.states.items()} == dict.fromkeys(
        POSTFIX_STATES, 0
    )
    assert all(found.oldest_seconds is None and not found.age_quantiles for found in survey.states.values())
    assert survey.messages == 0


def test_states_are_counted_apart():
    survey = add_up([make_entry(age=50), make_entry(age=500, size=7), make_entry(state=QueueState.HOLD)])

    deferred = survey.states[QueueState.DEFERRED]
    assert (deferred.messages, deferred.size_bytes, deferred.oldest_seconds) == (2, 107, NOW - 500)
    assert survey.states[QueueState.HOLD].messages == 1
    assert survey.messages == 3


def test_quantiles_are_right_to_five_percent():
    survey = add_up(make_entry(age=age) for age in range(1, 10_001))

    quantiles = survey.states[QueueState.DEFERRED].age_quantiles
    assert quantiles == pytest.approx({0.5: 5000, 0.9: 9000, 0.99: 9900}, rel=0.05)


def test_the_busiest_destinations_are_told_and_the_rest_is_other():
    entries = [make_entry(number) for number in range(10) for _ in range(number + 1)]
    survey = add_up(entries)

    assert survey.deferred_destinations == {"d9.example": 10, "d8.example": 9, "d7.example": 8, "other": 28}


def test_a_message_counts_once_for_a_reason_and_a_destination():
    recipients = (
        QueuedRecipient("a@Example.ORG.", "Connection refused"),
        QueuedRecipient("b@example.org", "Connection refused"),
        QueuedRecipient("c@other.example", "Greylisted"),
    )
    survey = add_up([make_entry(recipients=recipients)])

    assert survey.deferred_reasons == {DelayReason.NETWORK: 1, DelayReason.GREYLISTED: 1}
    assert survey.deferred_destinations == {"example.org": 1, "other.example": 1, "other": 0}


def test_what_is_not_deferred_has_no_reason():
    survey = add_up([make_entry(state=QueueState.ACTIVE)])

    assert survey.deferred_reasons == {}


def test_a_hostile_domain_is_made_fit_to_be_shown():
    recipients = (QueuedRecipient("a@" + "x\x1b[31m" * 100),)
    (domain, _) = add_up([make_entry(recipients=recipients)]).deferred_destinations

    assert len(domain) <= 100
    assert domain.isprintable()


def test_our_own_are_named_without_the_token_that_proves_them():
    token = "a" * 48
    reason = f"host mx said: 450 <probe+{token}@example.org>: later, spt1-{token}"
    entry = make_entry(recipients=(QueuedRecipient("probe@example.org", reason),))
    survey = add_up([entry, make_entry(2)], recognise=lambda each: ("p1", "daily") if each is entry else None)

    (probe,) = survey.probes
    assert (probe.probe_id, probe.route, probe.queue_id) == ("p1", "daily", "ID1")
    assert token not in probe.reason
    assert "later" in probe.reason


@pytest.mark.slow
def test_of_a_hundred_thousand_entries_the_last_cost_no_more_memory():
    count = QueueCount(NOW, POSTFIX_STATES, top_destinations=3, recognise=lambda _: ("p", "r"))
    for number in range(95_000):
        count.add(make_entry(number, age=number))
    tracemalloc.start()
    try:
        for number in range(95_000, 100_000):
            count.add(make_entry(number, age=number))
        kept_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    survey = count.total()

    assert survey.states[QueueState.DEFERRED].messages == 100_000
    assert sum(survey.deferred_destinations.values()) == 100_000
    assert len(survey.probes) == MOST_PROBES
    assert kept_bytes < 100_000

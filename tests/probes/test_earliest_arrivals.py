"""For how long nothing is to be looked for, by mailbox: the fastest of the last deliveries, and only by fine clocks."""

from dataclasses import replace

from smtp_probe.model import (
    Arrival,
    Disposition,
    Location,
    Outcome,
    OutcomeKind,
    Placement,
    Probe,
    Stamp,
    Submission,
)
from smtp_probe.probes.earliest_arrivals import EarliestArrivals

NS = 1_000_000_000
DOT_NS = 1_790_000_000 * NS
PROBE = Probe(
    probe_id="p", route="r", sequence=1, sender="s", mailbox="inbox", bounce_mailbox=None, recipient="u@example.test",
    scheduled_ns=DOT_NS, created_ns=DOT_NS, deadline_seconds=60.0, give_up_after_seconds=600.0,
)  # fmt: skip


def end(seconds, stamp=Stamp.GUID, mailbox="inbox"):
    at_ns = DOT_NS + round(seconds * NS)
    location = Location(mailbox=mailbox, folder="INBOX", uidvalidity=1, uid=1)
    arrival = Arrival(
        location=location, placement=Placement.INBOX, seen_ns=at_ns, stored_ns=at_ns, stamp=stamp,
        stamp_resolution_seconds=1e-6,
    )  # fmt: skip
    submission = Submission(disposition=Disposition.ACCEPTED, started_ns=DOT_NS, final_dot_ns=DOT_NS)
    return Outcome(
        probe=replace(PROBE, mailbox=mailbox), kind=OutcomeKind.DELIVERED, ended_ns=at_ns, was_overdue=False,
        submission=submission, arrival=arrival,
    )  # fmt: skip


def learned(*ends):
    earliest = EarliestArrivals()
    for each in ends:
        earliest.note(each)
    return earliest


def test_the_fastest_of_the_last_ones_counts_for_its_mailbox_alone():
    earliest = learned(end(3.0), end(2.0), end(5.0), end(0.5, mailbox="other"))
    assert earliest.quiet_seconds("inbox") == 1.6
    assert earliest.quiet_seconds("other") == 0.4
    assert earliest.quiet_seconds("third") == 0.0


def test_what_is_long_ago_does_not_count():
    assert learned(end(0.1), *[end(2.0)] * 16).quiet_seconds("inbox") == 1.6


def test_a_time_that_depends_on_when_we_looked_puts_an_end_to_it():
    for coarse in (Stamp.SEEN, Stamp.INTERNALDATE):
        assert learned(end(2.0), end(2.0, coarse)).quiet_seconds("inbox") == 0.0
    unknown = replace(end(2.0), submission=None)
    assert learned(end(2.0), unknown).quiet_seconds("inbox") == 0.0


def test_a_store_before_the_dot_is_no_negative_wait_and_a_lost_probe_teaches_nothing():
    assert learned(end(-0.3)).quiet_seconds("inbox") == 0.0
    assert learned(end(2.0), replace(end(9.0), arrival=None)).quiet_seconds("inbox") == 1.6

"""For how long nothing is to be looked for, by mailbox: the fastest of the last deliveries, and only by fine clocks."""

from dataclasses import replace

from smtp_probe.model import Stamp
from smtp_probe.probes.earliest_arrivals import EarliestArrivals
from tests.report.samples import make_outcome, make_probe


def end(seconds, stamp=Stamp.GUID, mailbox="inbox"):
    outcome = make_outcome(probe=make_probe(mailbox=mailbox), seconds=seconds, timing=None)
    return replace(outcome, arrival=replace(outcome.arrival, stamp=stamp))


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

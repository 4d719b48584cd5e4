"""What a run of the demo has counted."""

from smtp_probe.cli.tally import Tally
from smtp_probe.model import (
    DuplicateSeen,
    ForgerySeen,
    Location,
    OutcomeKind,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
)
from tests.cli.views import missed
from tests.report.samples import NS, START_NS, life_of, make_outcome, make_probe

SPOT = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=9)


def learn(*events, routes=("a", "b")):
    tally = Tally(routes)
    for event in events:
        tally.learn(event)
    return tally


def ended(kind=OutcomeKind.DELIVERED, number=1, route="a", **facts):
    return life_of(make_outcome(kind, probe=make_probe(number, route), **facts))


def test_outcomes_and_the_median_are_counted_by_route():
    tally = learn(*ended(seconds=1.0), *ended(number=2, seconds=9.0), *ended(number=3, seconds=2.0))

    assert tally.routes["a"].outcomes == {OutcomeKind.DELIVERED: 3}
    assert tally.routes["a"].median_seconds == 2.0
    assert (tally.routes["b"].started, tally.routes["b"].median_seconds) == (0, None)
    assert tally.ended == 3


def test_a_probe_that_never_arrived_has_no_latency():
    tally = learn(*ended(OutcomeKind.LOST, was_overdue=True))

    assert tally.routes["a"].outcomes == {OutcomeKind.LOST: 1}
    assert tally.routes["a"].median_seconds is None
    assert tally.waiting() == []


def test_open_probes_are_told_by_route_the_oldest_first():
    old, young, other = (
        make_probe(1, "b", START_NS),
        make_probe(2, "b", START_NS + NS),
        make_probe(3, "a", START_NS + 2 * NS),
    )
    tally = learn(
        *(ProbeStarted(probe=probe) for probe in (old, young, other)), ProbeOverdue(probe=old, at_ns=START_NS)
    )
    waiting = tally.waiting()

    assert [(entry.route, entry.count, entry.is_overdue) for entry in waiting] == [
        ("b", 2, True),
        ("a", 1, False),
    ]
    assert waiting[0].oldest_ns == START_NS
    assert tally.routes["b"].under_way == 2


def test_an_end_whose_beginning_was_not_seen_is_not_under_way_before():
    tally = learn(ProbeEnded(outcome=make_outcome(probe=make_probe(route="new"))))

    assert tally.routes["new"].started == 1
    assert tally.routes["new"].under_way == 0


def test_what_is_no_end_of_a_probe_is_counted_apart():
    tally = learn(
        ForgerySeen(location=SPOT),
        DuplicateSeen(route="a", probe_id="x", location=SPOT),
        missed(2),
        missed(3),
    )

    assert (tally.forged, tally.duplicates, tally.missed_slots, tally.ended) == (1, 1, 5, 0)

"""Changes told from the journal: those that were told while they happened."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import OutcomeKind
from smtp_probe.report.history import History
from smtp_probe.report.state_changes import End, changes_among, changes_of
from tests.report.samples import NS, START_NS, life_of, make_config, make_outcome, make_probe


def ended(kind, number, after_seconds=10, *, was_overdue=False):
    probe = make_probe(number, created_ns=START_NS + number * 60 * NS)
    outcome = make_outcome(kind, probe=probe, was_overdue=was_overdue)
    return replace(outcome, ended_ns=probe.created_ns + after_seconds * NS)


def seen(outcomes):
    """What was told while it happened."""
    history = History()
    history.declare(make_config("example"))
    events = [(_at_ns(event), event) for outcome in outcomes for event in life_of(outcome)]
    for _, event in sorted(events, key=lambda each: each[0]):
        history.observe(event)
    return history.changes()[::-1]


def _at_ns(event):
    if hasattr(event, "outcome"):
        return event.outcome.ended_ns
    return getattr(event, "at_ns", event.probe.created_ns)


def test_they_say_what_was_said_before():
    outcomes = [
        ended(OutcomeKind.DELIVERED, 1),
        ended(OutcomeKind.REFUSED, 2),
        ended(OutcomeKind.REFUSED, 3),
        ended(OutcomeKind.UNOBSERVED, 4),
        ended(OutcomeKind.DELIVERED, 5),
        ended(OutcomeKind.LOST, 6, after_seconds=86400, was_overdue=True),
        ended(OutcomeKind.DELIVERED, 20),
    ]

    assert changes_of(list(map(End.of, outcomes))) == seen(outcomes)
    assert [change.sentence for change in changes_of(list(map(End.of, outcomes)))] == [
        "delivered in 1.50 s",
        "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy",
        "not observed: the mailbox was not watched",
        "delivered in 1.50 s",
        "overdue: not arrived within 5 min",
        "delivered in 1.50 s",
    ]


def test_how_it_stood_before_is_not_guessed():
    outcomes = [ended(OutcomeKind.DELIVERED, 7), ended(OutcomeKind.REFUSED, 8)]

    assert [change.probe_id for change in changes_of(list(map(End.of, outcomes)))] == ["probe0008"]
    assert changes_of([]) == ()


def test_among_the_last_ends_nothing_is_made_up_of_one_that_was_long_on_its_way():
    """It was lost a day after others of its route had long been delivered; those are not among the last ends."""
    lost = ended(OutcomeKind.LOST, 1, after_seconds=86400, was_overdue=True)
    later = [
        ended(kind, number)
        for number, kind in (
            (1441, OutcomeKind.DELIVERED),
            (1442, OutcomeKind.DELIVERED),
            (1443, OutcomeKind.REFUSED),
        )
    ]

    assert [change.probe_id for change in changes_among([End.of(end) for end in (lost, *later)])] == [
        "probe1443"
    ]
    assert changes_among([]) == ()


_ENDS = st.sampled_from(
    [(kind, seconds, False) for kind in (OutcomeKind.DELIVERED, OutcomeKind.REFUSED, OutcomeKind.UNOBSERVED)
     for seconds in (3, 90, 200)]
    + [(OutcomeKind.LATE, 400, True), (OutcomeKind.LOST, 9000, True)]
)  # fmt: skip


@given(st.lists(_ENDS, max_size=12))
def test_they_are_what_was_seen_whatever_happened(ends):
    outcomes = [
        ended(kind, number, seconds, was_overdue=late) for number, (kind, seconds, late) in enumerate(ends, 1)
    ]

    assert changes_of(list(map(End.of, outcomes))) == seen(outcomes)

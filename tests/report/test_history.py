"""The last probes, and how each route stands."""

import pytest

from smtp_probe.model import OutcomeKind, ProbeEnded, ProbeOverdue
from smtp_probe.report.history import HEARTBEAT, Change, History, RouteState, State, beat_of, state_of
from tests.report.samples import NS, START_NS, life_of, make_config, make_outcome, make_probe


def end(history, kind=OutcomeKind.DELIVERED, number=1, route="example", **facts):
    probe = make_probe(number, route, created_ns=START_NS + number * NS)
    history.observe(ProbeEnded(outcome=make_outcome(kind, probe=probe, **facts)))


@pytest.fixture
def history():
    history = History(limit=3)
    history.declare(make_config("example", "another"))
    return history


def route(history, name="example"):
    return next(route for route in history.routes() if route.route == name)


def test_a_route_waits_until_something_is_known_of_it(history):
    assert history.routes() == (RouteState(route="another"), RouteState(route="example"))
    assert route(history).state is State.WAITING


def test_a_probe_is_told_in_words(history):
    end(history, OutcomeKind.REFUSED)
    (past,) = history.probes()

    assert (past.probe_id, past.route, past.kind, past.state) == (
        "probe0001",
        "example",
        "refused",
        State.FAILED,
    )
    assert past.sentence == "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy"
    assert past.sent_ns == START_NS + NS
    assert past.ended_ns == START_NS + 11 * NS


def test_the_newest_comes_first_and_failures_outlive_successes(history):
    for number in range(1, 101):
        end(history, OutcomeKind.BOUNCED if number <= 50 else OutcomeKind.DELIVERED, number)

    kept = [past.probe_id for past in history.probes()]

    assert kept[:3] == ["probe0100", "probe0099", "probe0098"]
    assert kept[3:] == [f"probe{number:04d}" for number in range(50, 20, -1)]


def test_the_last_probes_of_a_route_are_a_heartbeat_and_no_more(history):
    for number in range(1, HEARTBEAT + 20):
        end(history, OutcomeKind.REFUSED if number % 2 else OutcomeKind.DELIVERED, number)
    beats = history.beats("example")

    assert len(beats) == HEARTBEAT
    assert [beat.sequence for beat in beats] == list(range(20, HEARTBEAT + 20))
    assert {beat.state for beat in beats} == {State.GOOD, State.FAILED}
    assert history.beats("another") == ()


def test_the_last_failure_is_remembered_however_many_successes_follow(history):
    end(history, OutcomeKind.REFUSED, 1)
    for number in range(2, 200):
        end(history, number=number)

    assert history.last_failure("example").probe_id == "probe0001"
    assert history.last_failure("another") is None


def test_what_the_journal_kept_comes_before_what_was_seen_since(history):
    end(history, number=9)
    old = [beat_of(make_outcome(kind, probe=make_probe(number))) for number, kind in
           ((7, OutcomeKind.DELIVERED), (8, OutcomeKind.LOST), (9, OutcomeKind.DELIVERED))]  # fmt: skip
    history.recall_route("example", old, make_outcome(OutcomeKind.LOST, probe=make_probe(8)))
    history.recall_route("gone", old, None)

    assert [beat.sequence for beat in history.beats("example")] == [7, 8, 9]
    assert history.last_failure("example").probe_id == "probe0008"
    assert history.beats("gone") == ()


def test_a_change_of_state_is_told_once(history):
    for number, kind in enumerate(
        (OutcomeKind.DELIVERED, OutcomeKind.DELIVERED, OutcomeKind.REFUSED, OutcomeKind.REFUSED), 1
    ):
        end(history, kind, number)

    assert [(each.before, each.state, each.probe_id) for each in history.changes()] == [
        (State.GOOD, State.FAILED, "probe0003"),
        (State.WAITING, State.GOOD, "probe0001"),
    ]


def test_a_probe_that_was_left_open_and_overdue_shows_after_a_start():
    """Else a route would look well that has been failing since before."""
    outcome, late = make_outcome(), make_probe(2, created_ns=START_NS + NS)
    before, after = History(), History()
    for history in (before, after):
        history.declare(make_config("example"))
    before.observe(ProbeEnded(outcome=outcome))
    before.observe(ProbeOverdue(probe=late, at_ns=late.created_ns + 300 * NS))
    after.recall(outcome)
    after.recall_overdue(late)

    assert route(after) == route(before)
    assert after.changes() == before.changes()[:1]


def test_of_the_changes_the_newest_are_kept_and_each_is_told_once(history):
    changes = [
        Change(
            route="example", at_ns=number, before=State.GOOD, state=State.FAILED, sentence="", probe_id=str(number)
        )
        for number in range(9)
    ]  # fmt: skip
    history.recall_route("example", [], None, changes[5:])
    history.recall_route("example", [], None, changes)

    assert [change.at_ns for change in history.changes()] == [8, 7, 6]


def test_every_change_moves_the_version(history):
    before = history.version
    end(history)

    assert history.version > before


def test_what_was_not_observed_is_kept_as_long_as_failures(history):
    end(history, OutcomeKind.UNOBSERVED, 1)
    for number in range(2, 9):
        end(history, number=number)

    assert history.probes()[-1].state is State.UNOBSERVED


def test_an_overdue_probe_shows_at_once(history):
    probe = make_probe()
    history.observe(ProbeOverdue(probe=probe, at_ns=START_NS + 300 * NS))

    assert route(history).state is State.FAILED
    assert route(history).sentence == "overdue: not arrived within 5 min"
    assert route(history).at_ns == START_NS + 300 * NS
    assert history.probes() == ()


def test_a_route_stands_as_its_newest_probe_says_not_as_the_last_word(history):
    """A probe from long ago that is given up now does not make a working route look broken."""
    end(history, number=5)
    end(history, OutcomeKind.LOST, number=2, was_overdue=True)

    assert route(history).state is State.GOOD
    assert history.probes()[0].kind == "lost"


def test_routes_that_need_a_look_come_first(history):
    history.declare(make_config("a", "b", "c", "d"))
    end(history, route="b")
    end(history, OutcomeKind.UNOBSERVED, route="c")
    end(history, OutcomeKind.LOST, route="d")

    assert [(each.route, each.state.value) for each in history.routes()] == [
        ("d", "failed"),
        ("c", "unobserved"),
        ("a", "waiting"),
        ("b", "good"),
    ]


def test_routes_that_are_gone_are_forgotten_and_the_others_kept(history):
    end(history)
    end(history, number=2, route="another")
    history.declare(make_config("example", "new"))
    end(history, number=3, route="another")

    assert {each.route: each.state for each in history.routes()} == {
        "example": State.GOOD,
        "new": State.WAITING,
    }
    assert len(history.probes()) == 3


def test_other_events_leave_it_as_it_is(history):
    for event in list(life_of(make_outcome()))[:-1]:
        history.observe(event)

    assert history.probes() == ()
    assert route(history).state is State.WAITING


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (make_outcome(), State.GOOD),
        (make_outcome(OutcomeKind.JUNKED), State.FAILED),
        (make_outcome(OutcomeKind.JUNKED, failure=None), State.GOOD),
        (make_outcome(OutcomeKind.LATE), State.FAILED),
        (make_outcome(OutcomeKind.UNOBSERVED), State.UNOBSERVED),
    ],
)
def test_an_end_is_one_of_three_kinds(outcome, state):
    assert state_of(outcome) is state

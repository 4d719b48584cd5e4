"""What events add: each probe once, in the right one of the three kinds."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import (
    BounceSeen,
    Cause,
    ClockStep,
    Disposition,
    DuplicateSeen,
    Failure,
    ForgerySeen,
    Location,
    OutcomeKind,
    PathChange,
    Phase,
    Placement,
    ProbeEnded,
    ProbeStarted,
    ProbeSubmitted,
    Reply,
    SlotMissed,
    SubmissionDeferred,
)
from smtp_probe.report.increments import failure_reason, increments, is_success
from smtp_probe.report.label_words import FAILURE_REASONS, UNOBSERVED_REASONS
from smtp_probe.report.metrics import METRICS
from tests.report.samples import (
    life_of,
    make_arrival,
    make_bounce,
    make_outcome,
    make_path,
    make_probe,
    make_submission,
    refused,
)

Key = tuple[str, tuple[str, ...]]
COPY = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=3)


def count(*events):
    """Sums by metric (without the prefix) and labels after the first."""
    sums: defaultdict[Key, float] = defaultdict(float)
    for event in events:
        for increment in increments(event):
            sums[increment.metric.removeprefix("smtp_probe_"), increment.labels] += increment.value
    return sums


def test_a_delivery_counts_as_a_probe_and_an_outcome_with_its_latency():
    event = ProbeEnded(outcome=make_outcome(seconds=1.5))
    observed = {i.metric: (i.value, i.exemplar) for i in increments(event) if "delivery" in i.metric}

    assert count(event)["probes_total", ("example",)] == 1
    assert count(event)["outcomes_total", ("example", "delivered")] == 1
    assert observed == {"smtp_probe_delivery_duration_seconds": (1.5, "probe0001")}
    assert not [key for key in count(event) if "failures" in key[0]]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (OutcomeKind.REFUSED, "refused"),
        (OutcomeKind.DEFERRED, "deferred"),
        (OutcomeKind.UNREACHABLE, "unreachable"),
        (OutcomeKind.BOUNCED, "bounced"),
        (OutcomeKind.JUNKED, "junked"),
        (OutcomeKind.LATE, "overdue"),
        (OutcomeKind.LOST, "overdue"),
    ],
)
def test_a_failure_has_one_reason(kind, reason):
    sums = count(ProbeEnded(outcome=make_outcome(kind)))

    assert sums["probes_total", ("example",)] == 1
    assert [(key, value) for key, value in sums.items() if key[0] == "probe_failures_total"] == [
        (("probe_failures_total", ("example", reason)), 1)
    ]


def test_junk_is_no_failure_where_the_route_allows_it():
    outcome = make_outcome(OutcomeKind.JUNKED, failure=None)
    sums = count(ProbeEnded(outcome=outcome))

    assert is_success(outcome)
    assert failure_reason(outcome) is None
    assert sums["outcomes_total", ("example", "junked")] == 1
    assert not [key for key in sums if key[0] == "probe_failures_total"]


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.MAILBOX_UNWATCHED, "mailbox_unwatched"),
        (Cause.RESOLVER_FAILED, "resolver_failed"),
        (Cause.SHUTDOWN, "other"),
        (Cause.CREDENTIAL, "credential"),
        (Cause.NO_ROUTE, "other"),
    ],
)
def test_what_we_could_not_observe_is_no_failure(cause, reason):
    failure = Failure(stage="mailbox", cause=cause)
    outcome = make_outcome(OutcomeKind.UNOBSERVED, failure=failure)
    sums = count(ProbeEnded(outcome=outcome))

    assert not is_success(outcome)
    assert sums["unobserved_total", ("example", reason)] == 1
    assert not [key for key in sums if key[0] == "outcomes_total"]
    assert not [key for key in sums if key[0] == "probe_failures_total"]


@pytest.mark.parametrize("kind", [OutcomeKind.LATE, OutcomeKind.LOST, OutcomeKind.BOUNCED])
def test_an_overdue_probe_counts_at_its_deadline_and_its_true_end_only_as_an_outcome(kind):
    outcome = make_outcome(kind, was_overdue=True, seconds=900.0)
    *before, end = life_of(outcome)

    assert count(*before)["probe_failures_total", ("example", "overdue")] == 1
    assert count(*before)["probes_total", ("example",)] == 1
    assert count(end)["outcomes_total", ("example", kind.value)] == 1
    assert not {key[0] for key in count(end)} & {"probes_total", "probe_failures_total", "unobserved_total"}
    assert count(end)["delivery_duration_seconds", ("example",)] == (900.0 if kind is OutcomeKind.LATE else 0)


def test_an_attempt_that_was_put_off_counts_as_one_and_as_no_end():
    sums = count(SubmissionDeferred(probe=make_probe(), submission=refused(451, "greylisted", "4.7.1")))

    assert sums["submission_retries_total", ("relay",)] == 1
    assert sums["smtp_replies_total", ("example", "rcpt", "451")] == 1
    assert not {key[0] for key in sums} & {"probes_total", "probe_failures_total", "outcomes_total"}


def test_what_arrived_counts_by_where_it_was_found_also_when_late():
    submission = make_submission()
    for kind, placement in ((OutcomeKind.LATE, Placement.INBOX), (OutcomeKind.JUNKED, Placement.OTHER)):
        arrival = make_arrival(submission, placement=placement)
        sums = count(ProbeEnded(outcome=make_outcome(kind, submission=submission, arrival=arrival)))
        assert sums["placement_total", ("example", placement.value)] == 1
    assert not [key for key in count(*life_of(make_outcome(OutcomeKind.LOST))) if key[0] == "placement_total"]


@given(st.lists(st.tuples(st.sampled_from(OutcomeKind), st.booleans(), st.booleans())))
def test_probes_are_successes_failures_and_unobserved_and_nothing_else(lives):
    sums: list[tuple[Key, float]] = []
    successes = 0
    for number, (kind, was_overdue, is_free) in enumerate(lives):
        facts = {"failure": None} if is_free and kind is OutcomeKind.JUNKED else {}
        outcome = make_outcome(kind, probe=make_probe(number), was_overdue=was_overdue, **facts)
        successes += is_success(outcome) and not was_overdue
        sums += count(*life_of(outcome)).items()
    by_metric: defaultdict[str, float] = defaultdict(float)
    for (metric, _), value in sums:
        by_metric[metric] += value

    observed = [kind for kind, _, _ in lives if kind is not OutcomeKind.UNOBSERVED]
    assert by_metric["probes_total"] == len(lives)
    assert by_metric["outcomes_total"] == len(observed)
    assert by_metric["probes_total"] == (
        successes + by_metric["probe_failures_total"] + by_metric["unobserved_total"]
    )


@given(st.sampled_from(OutcomeKind), st.sampled_from(Cause), st.text())
def test_reasons_come_from_the_closed_lists_whatever_the_cause(kind, cause, noise):
    for word in (cause, noise):
        outcome = make_outcome(kind, failure=Failure(stage="arrival", cause=word))
        for increment in increments(ProbeEnded(outcome=outcome)):
            if increment.metric.endswith("failures_total"):
                assert increment.labels[1] in FAILURE_REASONS
            if increment.metric.endswith("unobserved_total"):
                assert increment.labels[1] in UNOBSERVED_REASONS


def test_a_probe_that_only_started_adds_nothing():
    assert increments(ProbeStarted(probe=make_probe())) == ()


def test_every_phase_of_a_submission_is_observed_for_its_sender():
    sums = count(ProbeSubmitted(probe=make_probe(), submission=make_submission()))
    phases = {labels[1] for metric, labels in sums if metric == "submission_phase_duration_seconds"}

    assert phases == {phase.value for phase in Phase if phase is not Phase.TLS}
    assert {labels[0] for metric, labels in sums if metric.startswith("submission_phase")} == {"relay"}


@pytest.mark.parametrize(
    ("submission", "labels"),
    [
        (make_submission(), ("example", "accept", "250")),
        (refused(550), ("example", "rcpt", "550")),
        (refused(451), ("example", "rcpt", "451")),
        (refused(999), ("example", "rcpt", "other")),
    ],
)
def test_the_reply_that_decided_a_submission_is_counted(submission, labels):
    sums = count(ProbeSubmitted(probe=make_probe(), submission=submission))

    assert [key for key in sums if key[0] == "smtp_replies_total"] == [("smtp_replies_total", labels)]


@pytest.mark.parametrize("disposition", [Disposition.UNREACHABLE, Disposition.UNCERTAIN])
def test_where_no_reply_decided_none_is_counted(disposition):
    failure = Failure(stage=Phase.ACCEPT, cause=Cause.CONNECTION_LOST)
    submission = make_submission(disposition, last=Phase.DATA, failure=failure)

    assert "smtp_replies_total" not in {
        metric for metric, _ in count(ProbeSubmitted(probe=make_probe(), submission=submission))
    }


def test_a_reply_at_a_place_that_is_no_phase_does_not_make_a_label():
    failure = Failure(stage="mx.evil.example\n", cause=Cause.REPLY_PERMANENT, reply=Reply(code=550))
    submission = make_submission(Disposition.REFUSED, last=Phase.RCPT, failure=failure)

    assert ("smtp_replies_total", ("example", "other", "550")) in count(
        ProbeSubmitted(probe=make_probe(), submission=submission)
    )


def test_hops_are_observed_by_host_as_corrected():
    submission = make_submission()
    arrival = make_arrival(submission, delays=(0.25, None, 4.0))
    event = ProbeEnded(outcome=make_outcome(submission=submission, arrival=arrival))

    assert {key[1][0]: value for key, value in count(event).items() if key[0] == "hop_duration_seconds"} == {
        "mx1.example.net": 0.0,
        "mx2.example.net": 0.25,
        "mx3.example.net..mx4.example.net": 4.0,
        "store": 0.01,
    }


def test_a_clock_is_known_at_zero_steps_from_its_first_meeting_and_a_step_is_counted():
    outcome = make_outcome()
    step = ClockStep(by="mx9.example.net", at_ns=1, shift_ns=5)
    stepped = replace(outcome, timing=replace(outcome.timing, steps=(step,)))

    assert count(ProbeEnded(outcome=outcome))["hop_clock_steps_total", ("mx2.example.net",)] == 0.0
    assert count(ProbeEnded(outcome=stepped))["hop_clock_steps_total", ("mx9.example.net",)] == 1.0


def test_another_way_is_counted():
    way = make_path("mx1.example.net")
    changed = replace(way, change=PathChange(previous=way.identity))

    assert ("path_changes_total", ("example",)) not in count(ProbeEnded(outcome=make_outcome(path=way)))
    assert count(ProbeEnded(outcome=make_outcome(path=changed)))["path_changes_total", ("example",)] == 1


def test_nothing_is_said_of_hops_whose_time_is_not_known():
    sums = count(ProbeEnded(outcome=make_outcome(timing=None, path=None)))

    assert not any(name.startswith(("hop", "path")) for name, _ in sums)


def test_a_store_before_the_dot_does_not_lower_the_sum():
    event = ProbeEnded(outcome=make_outcome(seconds=-2.0))

    assert count(event)["delivery_duration_seconds", ("example",)] == 0.0


def test_a_corrupted_message_is_counted_apart():
    submission = make_submission()
    arrival = replace(make_arrival(submission), corrupted=True)
    sums = count(ProbeEnded(outcome=make_outcome(submission=submission, arrival=arrival)))

    assert sums["corrupted_messages_total", ()] == 1
    assert sums["outcomes_total", ("example", "delivered")] == 1


@pytest.mark.parametrize(
    ("status", "reason", "labels"),
    [
        ("5.1.1", "no_such_user", ("5", "no_such_user")),
        ("4.4.7", "expired", ("4", "expired")),
        (None, "other", ("unknown", "other")),
        ("9" * 40, "x" * 99, ("unknown", "other")),
    ],
)
def test_a_bounce_counts_by_its_class_and_category_with_its_time(status, reason, labels):
    submission = make_submission()
    bounce = make_bounce(action="failed", status=status, reason=reason)
    bounce = replace(bounce, seen_ns=submission.final_dot_ns + 90 * 10**9)
    event = ProbeEnded(outcome=make_outcome(OutcomeKind.BOUNCED, submission=submission, bounce=bounce))

    assert count(event)["bounces_total", ("example", *labels)] == 1
    assert count(event)["bounce_reasons_total", labels] == 1
    assert count(event)["bounce_duration_seconds", labels[:1]] == 90


def test_a_bounce_of_an_unknown_final_dot_has_no_duration():
    unknown = replace(make_submission(), final_dot_ns=None)
    sums = count(ProbeEnded(outcome=make_outcome(OutcomeKind.BOUNCED, submission=unknown)))

    assert not [key for key in sums if key[0] == "bounce_duration_seconds"]
    assert sums["bounces_total", ("example", "5", "other")] == 1


@pytest.mark.parametrize(("action", "word"), [("relayed", "relayed"), ("x" * 99, "other"), (None, "other")])
def test_a_notice_is_counted_by_its_action(action, word):
    event = BounceSeen(route="example", probe_id="p", bounce=make_bounce(action=action))

    assert count(event) == {("bounce_notices_total", (word,)): 1}


def test_a_notice_of_a_delay_counts_for_its_route():
    event = BounceSeen(route="example", probe_id="p", bounce=make_bounce(action="delayed"))

    assert count(event) == {
        ("bounce_notices_total", ("delayed",)): 1,
        ("delay_notices_total", ("example",)): 1,
    }


def test_what_else_is_seen_is_counted():
    duplicate = DuplicateSeen(route="example", probe_id="p", location=COPY)
    missed = SlotMissed(route="example", count=3, reason="late")

    assert count(duplicate, ForgerySeen(location=COPY), missed) == {
        ("duplicate_messages_total", ("example",)): 1,
        ("forged_messages_total", ()): 1,
        ("schedule_missed_total", ("example",)): 3,
    }


@given(st.sampled_from(OutcomeKind), st.booleans())
def test_every_increment_is_of_a_durable_metric_with_its_labels(kind, was_overdue):
    declared = {metric.name: metric for metric in METRICS if metric.is_durable}
    for event in life_of(make_outcome(kind, was_overdue=was_overdue)):
        for increment in increments(event):
            assert len(increment.labels) == len(declared[increment.metric].labels)
            assert increment.value >= 0

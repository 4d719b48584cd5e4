"""The gauges of what happened last: absent when unknown, never going back, never about what is gone."""

from dataclasses import replace

import pytest

from smtp_probe.model import (
    Cause,
    Disposition,
    Failure,
    OutcomeKind,
    Phase,
    ProbeEnded,
    ProbeSubmitted,
    SpamFilter,
    SpamResult,
)
from smtp_probe.report.label_caps import LabelCaps
from smtp_probe.report.label_words import SHOWN_PHASES
from smtp_probe.report.last_results import LastResults
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metrics import (
    CERTIFICATE_END,
    HOPS,
    LAST_DELIVERY,
    LAST_PHASE,
    LAST_PROBE,
    LAST_SUCCESS,
    SPAM_SCORE,
    SPAM_THRESHOLD,
    VISIBILITY_DELAY,
)
from smtp_probe.report.series import Series
from tests.report.samples import (
    NS,
    PHASE_SECONDS,
    START_NS,
    life_of,
    make_arrival,
    make_config,
    make_outcome,
    make_probe,
    make_submission,
    refused,
)

START = START_NS / NS


@pytest.fixture
def series():
    return Series()


@pytest.fixture
def last(series):
    results = LastResults(series, LabelCaps(), MessageFindings(series))
    results.declare(make_config())
    return results


def submit(last, submission, probe=None):
    last.observe(ProbeSubmitted(probe=probe or make_probe(), submission=submission))


def arrive(last, **facts):
    submission = make_submission()
    last.observe(
        ProbeEnded(outcome=make_outcome(submission=submission, arrival=make_arrival(submission, **facts)))
    )


def test_nothing_is_said_before_anything_happened(series, last):
    assert series.shown() == ()


def test_a_submission_shows_its_start_its_phases_and_its_certificate(series, last):
    submit(last, make_submission())
    phases = {labels[1]: value for labels, value in series.all(LAST_PHASE)}

    assert series.get(LAST_PROBE, ("example",)) == START
    others = set(Phase) - {Phase.TLS, Phase.QUIT, *SHOWN_PHASES["default"]}
    shown = {phase.value: PHASE_SECONDS[phase] for phase in SHOWN_PHASES["default"]}
    assert phases == shown | {"other": pytest.approx(sum(PHASE_SECONDS[phase] for phase in others))}
    assert series.get(CERTIFICATE_END, ("smtp.example.net:587",)) == START + 30 * 86400


def test_phases_that_the_last_submission_did_not_reach_are_gone(series, last):
    submit(last, make_submission())
    submit(last, refused(550))

    assert {labels[1] for labels, _ in series.all(LAST_PHASE)} == {"connect", "other"}


def test_at_full_detail_every_phase_is_shown(series, last):
    last.declare(make_config(metrics={"detail": "full"}))
    submit(last, refused(550))

    assert {labels[1] for labels, _ in series.all(LAST_PHASE)} == {
        "resolve", "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt"
    }  # fmt: skip


def test_what_was_never_tried_is_no_probe_on_the_path(series, last):
    failure = Failure(stage="resolve", cause=Cause.RESOLVER_FAILED)
    submit(last, make_submission(Disposition.UNOBSERVED, last=Phase.RESOLVE, failure=failure))

    assert series.get(LAST_PROBE, ("example",)) is None


def test_a_success_shows_when_and_how_long(series, last):
    arrive(last, seconds=2.5)

    assert series.get(LAST_SUCCESS, ("example",)) == START + 10
    assert series.get(LAST_DELIVERY, ("example",)) == 2.5
    assert series.get(VISIBILITY_DELAY, ("inbox",)) == 0.5


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.DELIVERED])
def test_no_other_end_is_a_success(series, last, kind):
    for event in life_of(make_outcome(kind)):
        last.observe(event)

    assert series.get(LAST_SUCCESS, ("example",)) is None


def test_a_late_arrival_shows_its_true_latency(series, last):
    last.observe(ProbeEnded(outcome=make_outcome(OutcomeKind.LATE, was_overdue=True, seconds=900.0)))

    assert series.get(LAST_DELIVERY, ("example",)) == 900.0


def test_time_stamps_never_go_back(series, last):
    """Probes do not end in the order in which they began."""
    for created_ns in (START_NS + 60 * NS, START_NS):
        for event in life_of(make_outcome(probe=make_probe(created_ns=created_ns))):
            last.observe(event)

    assert series.get(LAST_PROBE, ("example",)) == START + 60
    assert series.get(LAST_SUCCESS, ("example",)) == START + 70


def test_the_number_of_hops_is_that_of_the_lines(series, last):
    arrive(last, delays=(0.25, 4.0))

    assert series.get(HOPS, ("example",)) == 3.0


def test_nothing_is_said_of_routes_that_are_not_configured(series, last):
    for event in life_of(make_outcome(probe=make_probe(route="gone"))):
        last.observe(event)

    assert series.shown() == ()


def test_an_outcome_of_an_earlier_run_says_what_its_events_would_have_said(series, last):
    outcome = make_outcome()
    last.recall(outcome)
    other_series = Series()
    other = LastResults(other_series, LabelCaps(), MessageFindings(other_series))
    other.declare(make_config())
    for event in life_of(outcome):
        other.observe(event)

    assert [series.copy(key) for key in series.shown()] == [
        other_series.copy(key) for key in other_series.shown()
    ]


def test_a_certificate_without_an_end_is_not_shown(series, last):
    submission = make_submission()
    submit(last, replace(submission, tls=replace(submission.tls, not_after_ns=None)))

    assert list(series.all(CERTIFICATE_END)) == []


@pytest.mark.parametrize(("detail", "shown"), [("default", ["rspamd"]), ("full", ["rspamd", "mimecast"])])
def test_scores_are_those_of_the_filters_nearest_to_the_mailbox_and_of_the_last_message(
    series, last, detail, shown
):
    last.declare(make_config(metrics={"detail": detail}))
    rspamd = SpamResult(filter=SpamFilter.RSPAMD, score=-2.5, threshold=15.0)
    results = (SpamResult(filter=SpamFilter.GMAIL), rspamd, SpamResult(filter=SpamFilter.MIMECAST, score=3.0))
    arrive(last, spam=results)

    assert [labels[1] for labels, _ in series.all(SPAM_SCORE)] == shown
    assert dict(series.all(SPAM_THRESHOLD)) == {("example", "rspamd"): 15.0}
    assert series.get(SPAM_SCORE, ("example", "rspamd")) == -2.5

    arrive(last)
    assert not dict(series.all(SPAM_SCORE)) | dict(series.all(SPAM_THRESHOLD))

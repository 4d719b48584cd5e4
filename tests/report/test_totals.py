"""Totals: what the journal adds up is, to the bit, what the page shows; before and after a restart."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import OutcomeKind
from smtp_probe.report.increments import Increment, increments
from smtp_probe.report.metrics import (
    DELIVERY_DURATION,
    FAILURES,
    HOP_DURATION,
    METRICS,
    OUTCOMES,
    PHASE_DURATION,
    PROBES,
    SMTP_REPLIES,
)
from smtp_probe.report.series import HistogramValue, Series
from smtp_probe.report.totals import StoredTotal, Totals, fold
from tests.report.samples import life_of, make_config, make_outcome, make_probe

SECONDS = st.floats(min_value=0, max_value=1e6, allow_nan=False)
OBSERVATIONS = st.lists(st.tuples(st.sampled_from(["a", "b"]), SECONDS), max_size=40)


class Table:
    """The journal's table of totals."""

    def __init__(self):
        self.values: dict[tuple[str, str, str], float] = defaultdict(float)

    def add(self, rows):
        for row in rows:
            self.values[row.metric, row.labels_json, row.field] += row.value

    def rows(self):
        return [
            StoredTotal.from_row(metric, labels, field, value)
            for (metric, labels, field), value in self.values.items()
        ]


def delivery(route, seconds):
    return Increment(DELIVERY_DURATION.name, (route,), seconds, "p1")


def make_totals(*routes, buckets=None, rows=()):
    series = Series()
    totals = Totals(series)
    metrics = {} if buckets is None else {"metrics": {"delivery_buckets": buckets}}
    totals.declare(make_config(*routes, **metrics))
    totals.restore(rows)
    return totals, series


def content(series):
    """All durable samples, without exemplars, which are not kept."""
    return {
        (metric.name, labels): replace(value, exemplars=()) if isinstance(value, HistogramValue) else value
        for metric in METRICS
        if metric.is_durable
        for labels, value in series.all(metric)
    }


@given(
    st.lists(st.tuples(st.sampled_from(OutcomeKind), st.booleans(), SECONDS), max_size=15),
    st.integers(min_value=1, max_value=5),
)
def test_everything_is_the_same_after_a_restart_however_the_journal_batches(lives, batch_size):
    totals, series = make_totals()
    table, waiting = Table(), []
    for number, (kind, was_overdue, seconds) in enumerate(lives):
        outcome = make_outcome(kind, probe=make_probe(number), was_overdue=was_overdue, seconds=seconds)
        for event in life_of(outcome):
            counted = totals.admit(increments(event))
            totals.apply(counted)
            waiting += counted
        if number % batch_size == 0:
            table.add(fold(waiting))
            waiting = []
    table.add(fold(waiting))
    _, restored = make_totals(rows=table.rows())

    assert content(restored) == content(series)


def test_known_samples_begin_at_zero():
    _, series = make_totals("one", "two")

    assert series.get(PROBES, ("one",)) == 0.0
    assert series.get(FAILURES, ("two", "bounced")) == 0.0
    assert series.get(PHASE_DURATION, ("relay", "starttls")) == HistogramValue.empty(PHASE_DURATION.buckets)


def test_nothing_durable_is_shown_before_the_journal_has_been_read():
    series = Series()
    totals = Totals(series)
    totals.declare(make_config())
    before = content(series)
    totals.restore([StoredTotal(PROBES.name, ("example",), "value", 7.0)])

    assert before == {}
    assert series.get(PROBES, ("example",)) == 7.0
    assert series.get(OUTCOMES, ("example", "lost")) == 0.0


def test_reading_the_journal_twice_counts_nothing_twice():
    rows = [
        StoredTotal(PROBES.name, ("example",), "value", 7.0),
        *fold([delivery("example", 2.0), delivery("example", 3.0)]),
    ]
    totals, series = make_totals(rows=rows)
    before = content(series)
    totals.restore(rows)

    assert content(series) == before


def test_a_restored_counter_goes_on():
    totals, series = make_totals(rows=[StoredTotal(PROBES.name, ("example",), "value", 7.0)])
    totals.apply([Increment(PROBES.name, ("example",))])

    assert series.get(PROBES, ("example",)) == 8.0


def test_rows_that_are_not_ours_or_not_sound_are_left_out():
    nan, inf = float("nan"), float("inf")
    _, series = make_totals(
        rows=[
            StoredTotal("smtp_probe_forgotten_total", ("example",), "value", 1.0),
            StoredTotal(PROBES.name, ("example", "more"), "value", 1.0),
            StoredTotal(PROBES.name, ("example",), "le=1.0", 1.0),
            StoredTotal(PROBES.name, ("example",), "value", nan),
            StoredTotal(PROBES.name, ("example",), "value", -3.0),
            StoredTotal(DELIVERY_DURATION.name, ("example",), "value", 1.0),
            StoredTotal(DELIVERY_DURATION.name, ("example",), "le=nan", 1.0),
            StoredTotal(DELIVERY_DURATION.name, ("example",), "le=x", 1.0),
            StoredTotal(DELIVERY_DURATION.name, ("example",), "sum_us", inf),
            StoredTotal.from_row(PROBES.name, "{not json", "value", 1.0),
            StoredTotal.from_row(PROBES.name, "[1]", "value", 1.0),
        ]
    )
    _, empty = make_totals()

    assert content(series) == content(empty)


def test_what_an_older_version_counted_as_an_outcome_and_is_none_is_left_out():
    rows = [StoredTotal(OUTCOMES.name, ("example", word), "value", 2.0) for word in ("lost", "unobserved")]
    _, series = make_totals(rows=rows)

    assert series.get(OUTCOMES, ("example", "lost")) == 2.0
    assert series.get(OUTCOMES, ("example", "unobserved")) is None


def test_a_row_survives_being_written_as_text():
    row = StoredTotal(FAILURES.name, ('route "ä"\n', "bounced"), "value", 2.0)

    assert StoredTotal.from_row(row.metric, row.labels_json, row.field, row.value) == row


@given(OBSERVATIONS, st.lists(SECONDS.filter(bool), min_size=1, max_size=6, unique=True))
def test_other_buckets_lose_no_observation_and_never_claim_too_much(observations, bounds):
    """Either way: by a reload while running, or by a restart."""
    increments_seen = [delivery(route, seconds) for route, seconds in observations]
    running, series = make_totals("a", "b")
    running.apply(increments_seen)
    old = content(series)
    running.declare(make_config("a", "b", metrics={"delivery_buckets": sorted(bounds)}))
    _, restarted = make_totals("a", "b", buckets=sorted(bounds), rows=fold(increments_seen))

    assert content(restarted) == content(series)
    for route in ("a", "b"):
        value = series.get(DELIVERY_DURATION, (route,))
        mine = [seconds for name, seconds in observations if name == route]
        assert sum(value.counts) == len(mine)
        assert value.sum_us == old[DELIVERY_DURATION.name, (route,)].sum_us
        for index, bound in enumerate(value.bounds):
            assert sum(value.counts[: index + 1]) <= sum(seconds <= bound for seconds in mine)


def test_a_bound_belongs_to_its_bucket():
    totals, series = make_totals(buckets=[1.0, 2.0])
    totals.apply([delivery("example", seconds) for seconds in (1.0, 1.0000001, 2.0, 3.0)])

    assert series.get(DELIVERY_DURATION, ("example",)).counts == (1.0, 2.0, 1.0)


def test_the_newest_exemplar_of_a_bucket_is_kept():
    totals, series = make_totals(buckets=[1.0])
    totals.apply(
        [delivery("example", 0.5)._replace(exemplar=name) for name in ("first", "second")]
        + [delivery("example", 9.0)]
    )
    exemplars = series.get(DELIVERY_DURATION, ("example",)).exemplars

    assert [(each.probe_id, each.value) for each in exemplars] == [("second", 0.5), ("p1", 9.0)]


def test_a_route_that_comes_back_goes_on_counting_where_the_journal_does():
    totals, series = make_totals("one", "two")
    totals.apply([Increment(PROBES.name, ("two",))])
    totals.declare(make_config("one"))
    totals.apply([Increment(PROBES.name, ("two",))])
    totals.declare(make_config("one", "two"))

    assert series.get(PROBES, ("two",)) == 2.0


def test_what_is_told_apart_after_a_restart_is_what_was_told_apart_before():
    hosts = [Increment(HOP_DURATION.name, (f"mx{number}",), 1.0) for number in range(200)]
    replies = [Increment(SMTP_REPLIES.name, ("example", "rcpt", str(code))) for code in range(400, 500)]
    totals, series = make_totals()
    counted = totals.admit(hosts + replies)
    totals.apply(counted)
    again, restored = make_totals(rows=reversed(fold(counted)))
    again.apply(again.admit(hosts + replies))

    assert {key for key in content(restored)} == set(content(series))
    assert all(
        sum(value.counts) == 2 * sum(content(series)[key].counts)
        for key, value in content(restored).items()
        if key[0] == HOP_DURATION.name
    )

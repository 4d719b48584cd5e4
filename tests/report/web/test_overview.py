"""The view of everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import Authentication, Method, OutcomeKind, Source, Verdict, VerdictResult
from smtp_probe.report.history import State
from smtp_probe.report.web.checked import Checks
from smtp_probe.report.web.overview import percentile, view_overview
from smtp_probe.report.web.site import say_overall
from smtp_probe.report.web.snapshot import MAX_ROUTES, Filter, take_snapshot
from tests.report.samples import (
    NS,
    START_NS,
    life_of,
    make_config,
    make_outcome,
    make_probe,
    make_telemetry,
    tell,
)
from tests.report.web.stage import Stage

pytestmark = pytest.mark.slow


def overview_of(telemetry, config, wanted=None):
    return view_overview(take_snapshot(telemetry, config, Checks(), wanted or Filter()))


async def test_a_route_is_shown_with_what_its_last_probes_did(tmp_path):
    stage = await Stage.build("failing", tmp_path)
    routes = {row.view.name: row for row in overview_of(stage.telemetry, stage.config).rows}
    failing = routes["to-gmail"].view

    assert failing.state is State.FAILED
    assert failing.sentence == "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy"
    assert (failing.beats.good, failing.beats.failed) == (49, 5)
    assert failing.latency.count == 49
    assert failing.latency.p50_seconds == pytest.approx(0.5)
    assert failing.placement == "inbox"
    assert failing.last_failure.probe_id == "to-gmail-00054"
    assert routes["quiet"].view.state is State.WAITING
    assert routes["quiet"].view.latency.p50_seconds is None
    assert routes["to-microsoft365"].view.last_failure is None


def test_what_is_on_the_way_is_told():
    config = make_config()
    telemetry = make_telemetry(config)
    telemetry.observations.in_flight("example", 3, START_NS)
    (row,) = overview_of(telemetry, config).rows

    assert row.view.in_flight == 3
    assert row.view.oldest_in_flight_at == "2026-09-21T14:13:20.000000Z"


def test_what_we_and_the_receiver_say_of_the_last_message_is_told():
    def verdict(method, source, result):
        return Verdict(method=method, source=source, result=result)

    passed, failed = VerdictResult.PASS, VerdictResult.FAIL
    config = make_config()
    telemetry = make_telemetry(config)
    telemetry.verdicts.show(
        "example",
        Authentication(
            verdicts=(
                verdict(Method.SPF, Source.OWN, passed),
                verdict(Method.SPF, Source.RECEIVER, passed),
                verdict(Method.DKIM, Source.OWN, failed),
                verdict(Method.DKIM, Source.RECEIVER, passed),
                verdict(Method.DMARC, Source.OWN, passed),
                verdict(Method.ARC, Source.RECEIVER, passed),
            )
        ),
    )
    (row,) = overview_of(telemetry, config).rows

    assert row.view.verdicts == {
        "spf": "pass",
        "dkim": "fail, the receiver says pass",
        "dmarc": "pass (by us)",
        "arc": "pass (by the receiver)",
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter(), {"to-gmail", "to-microsoft365", "internal", "newsletter", "backup-mx", "quiet"}),
        (Filter(state="unobserved"), {"internal"}),
        (Filter(text="GMAIL"), {"to-gmail"}),
        (Filter(text="blocked by policy"), {"to-gmail"}),
        (Filter(labels={"team": "other"}), set()),
        (Filter(labels={"team": "post"}, state="waiting"), {"quiet"}),
    ],
)
async def test_filters(tmp_path, wanted, names):
    stage = await Stage.build("failing", tmp_path)
    overview = overview_of(stage.telemetry, stage.config, wanted)

    assert {route.name for route in overview.view.routes} == names
    assert sum(overview.view.counts.values()) == 6
    assert wanted.is_set is (len(names) < 6)


def test_more_routes_than_fit_are_counted_and_those_that_fail_are_among_the_shown():
    names = [f"route{number:04d}" for number in range(MAX_ROUTES + 20)]
    config = make_config(*names)
    telemetry = make_telemetry(config)
    tell(telemetry, *life_of(make_outcome(OutcomeKind.LOST, probe=make_probe(route=names[-1]))))
    overview = overview_of(telemetry, config)

    assert overview.left_out == 20
    assert overview.rows[0].view.name == names[-1]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_occurred_and_so_many_are_not_above_it(values, share):
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values) + 1e-6


def test_of_nothing_there_is_no_percentile():
    assert percentile([], 0.5) is None


def test_the_sentence_over_one_route_counts_nothing():
    config = make_config()
    telemetry = make_telemetry(config)
    telemetry.observations.journal_state(up=True)
    telemetry.observations.mailbox_state("inbox", up=True)
    said = [say_overall(overview_of(telemetry, config))]
    for number, kind in enumerate((OutcomeKind.DELIVERED, OutcomeKind.UNOBSERVED, OutcomeKind.LOST), 1):
        tell(
            telemetry,
            *life_of(make_outcome(kind, probe=make_probe(number, created_ns=START_NS + number * NS))),
        )
        said.append(say_overall(overview_of(telemetry, config)))

    assert [words for words, _ in said] == [
        "The route has no result yet",
        "The route delivers",
        "The route cannot be observed",
        "The route fails",
    ]


def test_the_sentence_over_all_says_the_worst():
    config = make_config("a", "b")
    telemetry = make_telemetry(config)
    assert say_overall(overview_of(telemetry, config)) == (
        "Our own side needs a look; no route is known to fail",
        "unobserved",
    )
    telemetry.observations.journal_state(up=True)
    telemetry.observations.mailbox_state("inbox", up=True)
    assert say_overall(overview_of(telemetry, config)) == ("2 of 2 routes have no result yet", "waiting")
    for number, (route, kind) in enumerate((("a", OutcomeKind.DELIVERED), ("b", OutcomeKind.DELIVERED)), 1):
        tell(telemetry, *life_of(make_outcome(kind, probe=make_probe(number, route))))
    assert say_overall(overview_of(telemetry, config)) == ("All 2 routes deliver", "good")
    tell(telemetry, *life_of(make_outcome(OutcomeKind.UNOBSERVED, probe=make_probe(3, "b", START_NS + NS))))
    assert say_overall(overview_of(telemetry, config)) == ("1 of 2 routes cannot be observed", "unobserved")
    tell(telemetry, *life_of(make_outcome(OutcomeKind.LOST, probe=make_probe(4, "a", START_NS + NS))))
    assert say_overall(overview_of(telemetry, config)) == (
        "1 of 2 routes fails, 1 cannot be observed",
        "failed",
    )

"""The gauges of the last way: they add up, they are bounded, and they show nothing that is not known."""

import re
from dataclasses import replace

import pytest

from smtp_probe.mail.clocks.domains import ClockDomain
from smtp_probe.model import Leg, OutcomeKind
from smtp_probe.probes.path_reading import PathReader, RoutePath
from smtp_probe.report.label_caps import MAX_HOSTS, MAX_PATHS, LabelCaps
from smtp_probe.report.message_findings import MessageFindings
from smtp_probe.report.metrics import (
    CLOCK_OFFSET,
    CLOCK_OFFSET_BOUND,
    HOP_TLS,
    HOP_UNCERTAINTY,
    LAST_DELIVERY,
    LAST_HOP,
    LEG_DURATION,
    PATH_INFO,
    ROUTE_SERIES,
    SLOWEST_HOP,
)
from smtp_probe.report.path_results import FORGET_NS, PathResults
from smtp_probe.report.series import Series
from tests.probes.test_path_reading import Way
from tests.report.samples import (
    life_of,
    lines_of,
    make_arrival,
    make_config,
    make_outcome,
    make_path,
    make_submission,
    make_telemetry,
    tell,
)


@pytest.fixture
def series():
    return Series()


@pytest.fixture
def results(series):
    made = PathResults(series, LabelCaps(), MessageFindings(series))
    made.declare(make_config())
    return made


def arrived(results, delays=(0.25, 0.5), **facts):
    submission = make_submission()
    outcome = make_outcome(submission=submission, arrival=make_arrival(submission, delays=delays), **facts)
    results.arrived(outcome)
    return outcome


def test_the_longest_hops_are_shown_and_the_rest_is_summed(series, results):
    outcome = arrived(results, delays=(0.04, 1.0, 2.0, None, 7.5))

    assert dict(series.all(LAST_HOP)) == {
        ("example", "6", "mx5.example.net..mx6.example.net"): 7.5,
        ("example", "4", "mx4.example.net"): 2.0,
        ("example", "rest", "other"): 1.05,
    }
    assert sum(value for _, value in series.all(LAST_HOP)) == pytest.approx(outcome.timing.delivery.seconds)
    assert dict(series.all(SLOWEST_HOP)) == {("example", "6", "mx5.example.net..mx6.example.net"): 1.0}
    assert series.get(HOP_UNCERTAINTY, ("example", "rest", "other")) == 1.0


def test_at_full_detail_a_long_way_is_shown_whole(series, results):
    results.declare(make_config(metrics={"detail": "full"}))
    arrived(results, delays=(1.0,) * 12)

    assert len(list(series.all(LAST_HOP))) == len(list(series.all(HOP_UNCERTAINTY))) == 14


def test_hops_of_an_earlier_way_are_gone_and_unknown_ones_absent(series, results):
    arrived(results)
    arrived(results, timing=None, path=make_path("mx1.example.net", "mx2.example.net"))

    for metric in (LAST_HOP, HOP_UNCERTAINTY, SLOWEST_HOP):
        assert dict(series.all(metric)) == {}


def test_legs_way_and_origin_are_shown(series, results):
    arrived(results)

    assert dict(series.all(LEG_DURATION)) == {
        ("example", each): 0.5 for each in ("outbound", "transport", "inbound")
    }
    assert series.get(PATH_INFO, ("example",)) == (
        *(("route", "example"), ("path", "0f1e2d3c"), ("origin", "confirmed")),
    )


def test_a_host_that_took_it_once_in_plaintext_took_it_in_plaintext(series, results):
    path = make_path("mx1.example.net", "mx2.example.net")
    double = [replace(role, by="mx1.example.net", leg=Leg.INBOUND) for role in path.roles]
    unsaid = replace(path.roles[0], by="mx3.example.net", is_encrypted=None)
    arrived(results, path=replace(path, roles=(*double, unsaid)))

    assert dict(series.all(HOP_TLS)) == {("mx1.example.net", "inbound"): 0.0}


def test_clocks_are_shown_and_go_a_day_after_they_were_met_last(series, results):
    outcome = arrived(results)
    assert series.get(CLOCK_OFFSET, ("mx2.example.net",)) == -41.0
    assert series.get(CLOCK_OFFSET_BOUND, ("mx2.example.net",)) == 0.25

    later = replace(outcome, ended_ns=outcome.ended_ns + FORGET_NS + 1, timing=None, path=None)
    results.arrived(later)

    for metric in (CLOCK_OFFSET, CLOCK_OFFSET_BOUND, HOP_TLS):
        assert dict(series.all(metric)) == {}


def test_of_hosts_that_are_not_told_apart_no_clock_is_shown(series):
    caps = LabelCaps()
    for number in range(MAX_HOSTS):
        caps.host_label(f"h{number}")
    results = PathResults(series, caps, MessageFindings(series))
    results.declare(make_config())
    arrived(results)

    assert dict(series.all(CLOCK_OFFSET)) == {}
    assert dict(series.all(HOP_TLS)) == {}


FLOOD = 10_000
HOSTILE = ("x" * 300, 'a"b\\c\n', "\u202e\u0430.example", "[192.0.2.1]", "-..-", "{}=", "localhost")


def flood(name_of):
    """Messages on one route, each with four new names in the middle: ten thousand in all. Gives the telemetry."""
    telemetry, reader = make_telemetry(), PathReader()
    reader.routes = {"example": RoutePath(mailbox=ClockDomain(name="mailbox:inbox"))}
    way = Way(hosts=("a.example.org", "b.example.net"), offsets={})
    for first in range(0, FLOOD, 4):
        names = [name_of(number) for number in range(first, first + 4)]
        way.hosts = ("a.example.org", *names, "b.example.net")
        way.offsets.update(dict.fromkeys(names, 0.0))
        probe, submission, arrival = way.send(route="example")
        reading = reader.read(probe, submission, arrival)
        outcome = make_outcome(
            OutcomeKind.DELIVERED,
            probe=probe,
            submission=submission,
            arrival=reading.arrival,
            timing=reading.timing,
            path=reading.path,
        )
        tell(telemetry, *life_of(outcome))
        for name in names:
            del way.offsets[name]
    return telemetry, reader, reading


@pytest.mark.slow
@pytest.mark.parametrize(
    "name_of",
    [
        lambda number: f"host-{number * 7919 % 999_983:x}.{'abcdefgh'[number % 8]}.example.com",
        lambda number: f"{HOSTILE[number % len(HOSTILE)]}{number}",
    ],
    ids=["genuine but random", "forged"],
)
async def test_ten_thousand_names_stay_within_the_documented_bound(name_of):
    telemetry, reader, last = flood(name_of)
    lines = lines_of(await telemetry.exposition.page())
    by = {match[1] for line in lines for match in re.finditer(r'\bby="([^"]*)"', line)}
    ways = {match[1] for line in lines for match in re.finditer(r'\bpath="([^"]*)"', line)}

    assert sum('route="example"' in line for line in lines) <= ROUTE_SERIES
    assert len(by) <= MAX_HOSTS
    assert all(re.fullmatch(r"[a-z0-9.:-]{1,130}", name) for name in by)
    assert len(ways) == 1 < MAX_PATHS
    assert sum("by=" in line for line in lines) <= MAX_HOSTS * 22 + 7
    assert len(reader.memos(last)) <= 16  # the hosts of one message, those forgotten for them, and the way
    assert (
        sum(len(memo.text or "") for memo in reader.memos(last)) < 60_000
    )  # 256 clocks, some 100 bytes each
    hops = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(LAST_HOP.name)]
    delivery = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(LAST_DELIVERY.name)]
    assert sum(hops) == pytest.approx(delivery[0], abs=1e-9)

"""A route with its past."""

from dataclasses import replace

import pytest

from smtp_probe.model import OutcomeKind, PathChange, PathFacts, PathIdentity
from smtp_probe.report.archive import RoutePast
from smtp_probe.report.web.overview import view_row
from smtp_probe.report.web.route_view import take_route_page, view_paths
from smtp_probe.report.web.snapshot import take_route
from tests.report.samples import make_config, make_telemetry
from tests.report.web.stage import delivery, ending, path_of


def page_of(recent, older=()):
    config = make_config()
    telemetry = make_telemetry(config)
    row = view_row(take_route(telemetry, telemetry.history.route("example"), {}))
    return take_route_page(row.view, config, RoutePast(recent=tuple(recent), older_failures=tuple(older)))


def raw(outcome):
    """As it was before anything was known of clocks."""
    return replace(outcome, timing=None)


def test_hops_are_shown_on_our_clock_and_add_up_to_the_delivery():
    outcomes = [raw(delivery(3)), delivery(2), delivery(1)]
    page = page_of(outcomes)

    assert page.view.are_hops_corrected
    assert len(page.stacks) == 2, "raw differences are not put beside corrected times"
    for stack, outcome in zip(page.stacks, outcomes[:0:-1], strict=True):
        assert sum(seconds for _, seconds in stack.parts) == pytest.approx(outcome.timing.delivery.seconds)
        assert all(seconds >= 0 for _, seconds in stack.parts)
    assert page.view.hops[-1].name.endswith(" store")


def test_phases_and_hops_in_numbers():
    page = page_of([raw(delivery(number, seconds=float(number))) for number in (3, 2, 1)])
    phases = {phase.name: phase for phase in page.view.phases}
    hops = {hop.name: hop for hop in page.view.hops}

    assert not page.view.are_hops_corrected
    assert phases["connect"].count == 3
    assert hops["2 mx.example.net"].p50_seconds == pytest.approx(0.6)
    assert hops["3 store.example.org"].last_seconds == pytest.approx(1.8)
    assert page.view.endpoint == "smtp.example.net:587"


def test_the_way_and_its_changes():
    """Of messages from before anything was known of ways."""
    first, second, third = (replace(delivery(number), path=None) for number in (1, 2, 3))
    moved = replace(third.arrival, trace=path_of(third.arrival.stored_ns, 1.0, third="other.example.org"))
    paths = view_paths([first, second, ending(OutcomeKind.LOST, 9), replace(third, arrival=moved)])

    assert [(path.count, path.hosts[-1]) for path in paths] == [
        (1, "other.example.org"),
        (2, "store.example.org"),
    ]
    assert paths[1].first_at < paths[1].last_at


def test_failures_from_further_back_are_at_the_end():
    page = page_of([delivery(9)], [ending(OutcomeKind.REFUSED, 1)])

    assert [line.kind for line in page.view.probes] == ["delivered", "refused"]


def test_of_nothing_nothing_is_claimed():
    view = page_of([]).view

    assert (view.phases, view.hops, view.paths, view.probes) == ((), (), (), ())


HOSTS = ("relay.example.net", "mx.example.net", "store.example.org")


def by_way(number, hosts, fingerprint, change=None):
    identity = PathIdentity(fingerprint=fingerprint, hosts=hosts, first_seen_ns=1)
    return replace(delivery(number), path=PathFacts(identity=identity, change=change))


def test_a_host_that_appeared_is_named_beside_the_way_before_it():
    before = PathIdentity(fingerprint="aaaaaaaa", hosts=HOSTS, first_seen_ns=1)
    scanned = (*HOSTS[:2], "scan.example.com", HOSTS[2])
    change = PathChange(previous=before, appeared=("scan.example.com",))
    outcomes = [
        by_way(1, HOSTS, "aaaaaaaa"),
        by_way(2, HOSTS, "aaaaaaaa"),
        by_way(3, scanned, "bbbbbbbb", change),
        by_way(4, scanned, "bbbbbbbb"),
    ]

    assert [(path.fingerprint, path.count, path.hosts, path.change) for path in view_paths(outcomes)] == [
        ("bbbbbbbb", 2, scanned, "scan.example.com appeared"),
        ("aaaaaaaa", 2, HOSTS, None),
    ]


def test_machines_that_turn_out_to_be_a_pool_are_no_other_way():
    pool = (*HOSTS[:2], "store#.example.org")

    paths = view_paths([by_way(1, HOSTS, "aaaaaaaa"), by_way(2, pool, "cccccccc")])

    assert [(path.fingerprint, path.count, path.hosts) for path in paths] == [("cccccccc", 2, pool)]

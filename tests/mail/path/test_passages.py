"""Each hop stands beside what it cost, and how well that is known."""

from __future__ import annotations

import pytest

from smtp_probe.mail.path.passages import measure_between, measure_doubt, name_client, say_host
from smtp_probe.mail.queue_ids.decoding import INFERRED
from smtp_probe.model import Hop
from tests.mail.lines import chain, line, passages

SECOND = 10**9


def costs(header):
    return [(each.before, each.delay_seconds, each.uncertainty_seconds) for each in passages(header)]


def test_delays_are_raw_and_a_second_apart_from_certain():
    assert costs(chain(("a.test", "08:00:00"), ("b.test", "08:00:07"), ("c.test", "08:00:05"))) == [
        (None, None, None),
        (1, 7.0, 1.0),
        (2, -2.0, 1.0),
    ]


def test_a_hop_without_a_stamp_has_no_delay_and_is_reached_over():
    assert costs(chain(("a.test", ""), ("b.test", "08:00:01"), ("c.test", ""), ("d.test", "08:00:04"))) == [
        (None, None, None),
        (None, None, None),
        (None, None, None),
        (2, 3.0, 1.0),
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "doubt"),
    [
        (Hop(resolution_seconds=1.0), Hop(resolution_seconds=1.0), 1.0),
        (Hop(resolution_seconds=1e-6), Hop(resolution_seconds=1e-3), 1e-3),
        (Hop(resolution_seconds=60.0), Hop(resolution_seconds=1e-6), 60.0),
        (Hop(resolution_seconds=1.0, flags=("no_zone",)), Hop(resolution_seconds=1.0), 50_401.0),
        (
            Hop(resolution_seconds=1.0, flags=("no_zone",)),
            Hop(resolution_seconds=1.0, flags=("unknown_zone", "x")),
            100_801.0,
        ),
        (Hop(resolution_seconds=1.0, flags=("minus_zero_zone",)), Hop(), 1.0),
    ],
)
def test_a_difference_is_as_doubtful_as_its_coarser_stamp_and_as_its_zones(earlier, later, doubt):
    assert measure_doubt(earlier, later) == doubt


@pytest.mark.parametrize("true_seconds", [0.0, 0.3, 0.999, 1.0, 2.5])
@pytest.mark.parametrize("phase", [0.0, 0.25, 0.999])
def test_the_true_difference_lies_within_the_doubt(true_seconds, phase):
    """Both stamps are cut to whole seconds, wherever in its second the first one was."""
    earlier = Hop(at_ns=int(phase) * SECOND, resolution_seconds=1.0)
    later = Hop(at_ns=int(phase + true_seconds) * SECOND, resolution_seconds=1.0)

    assert abs(measure_between(earlier, later) - true_seconds) < measure_doubt(earlier, later)


@pytest.mark.parametrize(
    ("at", "is_negative"), [("08:00:00", False), ("08:00:01", False), ("07:59:59", True), ("07:00:00", True)]
)
def test_time_runs_backwards_only_where_no_reading_of_the_stamps_avoids_it(at, is_negative):
    assert passages(chain(("a.test", "08:00:00"), ("b.test", at)))[1].is_certainly_negative is is_negative


def test_an_unknown_zone_is_no_proof_of_a_wrong_clock():
    later = "Tue, 1 Sep 2026 05:00:00 XYZ"

    assert not passages(chain(("a.test", "08:00:00"), ("b.test", later)))[1].is_certainly_negative


def test_hosts_are_named_in_lower_case_and_a_hop_without_one_by_its_number():
    found = passages(line("MX.Example.NET.") + line("", source="a.test"))

    assert [(each.host, each.organisation) for each in found][1] == ("mx.example.net", "example.net")
    assert say_host(found[1]) == "hop 2 (mx.example.net)"
    nameless = passages(b"Received: (qmail 7 invoked by uid 89); Tue, 1 Sep 2026 08:00:00 -0000\r\n")[0]
    assert (nameless.host, say_host(nameless)) == (None, "hop 1")


def test_a_client_is_named_only_by_what_tells_whose_it_is():
    assert name_client(Hop(from_name="laptop", from_host="mail.example.org")) == ("mail.example.org",)
    assert name_client(Hop(from_name="[10.0.0.1]")) == ()


def test_a_stamp_whose_second_was_only_inferred_may_be_off_by_one():
    certain = Hop(by="a", at_ns=0, resolution_seconds=1e-6)
    inferred = Hop(by="b", at_ns=250_000_000, resolution_seconds=1e-6, flags=(INFERRED,))

    assert measure_doubt(certain, inferred) == pytest.approx(1.000001)
    assert measure_doubt(inferred, inferred) == pytest.approx(2.000001)
    assert measure_doubt(certain, certain) == pytest.approx(1e-6)

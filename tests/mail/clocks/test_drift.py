"""Rates of clocks, from bounds on their offset at several instants."""

from smtp_probe.mail.clocks.bounds import Points
from smtp_probe.mail.clocks.drift import Drift, estimate_drift

SECOND_NS = 1_000_000_000
MOST = 100e-6


def line(rate_ppm: float, room_ns: int, seconds: list[int]) -> tuple[Points, Points, int]:
    """Bounds around an offset that changes by `rate_ppm`, `room_ns` to both sides."""
    offsets = [(second * SECOND_NS, round(second * SECOND_NS * rate_ppm * 1e-6)) for second in seconds]
    above = tuple((at, offset + room_ns) for at, offset in offsets)
    below = tuple((at, -offset + room_ns) for at, offset in offsets)
    return above, below, seconds[-1] * SECOND_NS


def test_a_rate_is_found_as_soon_as_the_bounds_show_it():
    drift = estimate_drift(*line(40.0, 1_000_000, [0, 1000, 2000]), MOST)

    assert abs(drift.rate - 40e-6) < 2e-6
    assert drift.uncertainty < 3e-6


def test_a_clock_is_taken_to_run_right_without_evidence():
    above, below, now_ns = line(40.0, 500_000_000, [0, 10])

    drift = estimate_drift(above, below, now_ns, MOST)

    assert abs(drift.rate) < 5e-6
    assert drift.uncertainty > 10e-6


def test_evidence_makes_the_rate_certain_with_time():
    early = estimate_drift(*line(0.0, 50_000_000, [0, 600]), MOST)
    late = estimate_drift(*line(0.0, 50_000_000, [0, 600, 86_400]), MOST)

    assert late.uncertainty < early.uncertainty
    assert abs(late.rate) < 1e-6


def test_bounds_that_no_line_fits_between_say_nothing():
    above = ((0, 0), (SECOND_NS, 0), (2 * SECOND_NS, 0))
    below = ((0, 0), (SECOND_NS, -10_000_000), (2 * SECOND_NS, 0))

    assert estimate_drift(above, below, 2 * SECOND_NS, MOST) == Drift()


def test_nothing_follows_from_one_side_alone():
    assert estimate_drift((), ((0, 5),), SECOND_NS, MOST) == Drift()
    assert estimate_drift(((0, 5),), (), SECOND_NS, MOST) == Drift()


def test_bounds_that_meet_leave_one_rate():
    drift = estimate_drift(*line(-30.0, 0, [0, 1000]), MOST)

    assert abs(drift.rate + 30e-6) < 1e-9

from __future__ import annotations

from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.scenarios import HopSettings
from tests.demo.moving_clock import MovingClock


def test_an_offset_is_there_from_the_start() -> None:
    reference = MovingClock(1_000_000_000_000)
    clock = HopClock(reference, HopSettings(clock_offset_seconds=-41.0))
    assert clock.now_ns() == 959_000_000_000


def test_a_drift_grows_with_true_time() -> None:
    reference = MovingClock()
    clock = HopClock(reference, HopSettings(clock_offset_seconds=2.0, clock_drift_ppm=50.0))
    reference.moment_ns += 3600 * 10**9
    assert clock.now_ns() - reference.now_ns() == 2 * 10**9 + 180_000_000


def test_a_right_clock_tells_the_truth() -> None:
    reference = MovingClock()
    assert HopClock(reference, HopSettings()).now_ns() == reference.now_ns()

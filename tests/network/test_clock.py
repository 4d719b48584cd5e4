"""The reference clock stays where the wall clock is moved."""

from __future__ import annotations

import time

import pytest

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.ports import Clock


def test_it_begins_at_wall_time_and_never_goes_back() -> None:
    clock: Clock = ReferenceClock()
    assert abs(clock.now_ns() - time.time_ns()) < 50_000_000
    readings = [clock.now_ns() for _ in range(1000)]
    assert readings == sorted(readings)


def test_a_step_of_the_wall_clock_is_told_and_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ReferenceClock()
    assert abs(clock.wall_step_seconds()) < 0.05
    before_ns, real = clock.now_ns(), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3600 * 10**9)
    assert clock.wall_step_seconds() == pytest.approx(-3600, abs=0.05)
    assert 0 <= clock.now_ns() - before_ns < 10**9


async def test_sleep_takes_its_time() -> None:
    clock = ReferenceClock()
    before_ns = clock.now_ns()
    await clock.sleep(0.02)
    assert clock.now_ns() - before_ns >= 19_000_000

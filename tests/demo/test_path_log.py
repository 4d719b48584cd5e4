from __future__ import annotations

from smtp_probe.demo.path_log import Happening, PathLog
from tests.demo.moving_clock import MovingClock


def test_events_are_stamped_with_true_time_and_kept_in_order() -> None:
    clock = MovingClock(1)
    log = PathLog(clock)
    log.record("a.example.test", Happening.RECEIVED, "late@example.test", queue_id="1")
    clock.moment_ns = 2
    log.record("a.example.test", Happening.DEFERRED, "late@example.test", detail="451")
    assert [(event.at_ns, event.happening) for event in log.events()] == [
        (1, Happening.RECEIVED),
        (2, Happening.DEFERRED),
    ]


def test_only_the_newest_events_are_kept() -> None:
    log = PathLog(MovingClock())
    for number in range(2000):
        log.record("host", Happening.STORED, "x@example.test", queue_id=str(number))
    events = log.events()
    assert len(events) == 500
    assert events[-1].queue_id == "1999"

"""The record of phases adds up what it is told."""

from __future__ import annotations

from smtp_probe.model import Phase, Reply
from smtp_probe.network.phases import PhaseRecord


class SetClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.at_ns = 0

    def now_ns(self) -> int:
        return self.at_ns

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.at_ns += int(seconds * 1e9)


def test_phases_of_one_name_add_up_and_are_told_once() -> None:
    clock, told = SetClock(), list[str]()
    record = PhaseRecord(clock, told.append)
    for phase, start, end in ((Phase.EHLO, 10, 30), (Phase.STARTTLS, 30, 100), (Phase.EHLO, 105, 110)):
        record.enter(phase, start)
        record.end(end)
    assert told == ["ehlo", "starttls"]
    ehlo, starttls = record.timings()
    assert (ehlo.phase, ehlo.started_ns, ehlo.duration_seconds) == (Phase.EHLO, 10, 25e-9)
    assert (starttls.phase, starttls.started_ns, starttls.duration_seconds) == (Phase.STARTTLS, 30, 70e-9)


def test_entering_a_phase_ends_the_one_before_at_the_same_instant() -> None:
    record = PhaseRecord(SetClock(), None)
    record.enter(Phase.DATA, 100)
    record.enter(Phase.ACCEPT, 140)
    record.note(Reply(code=250))
    record.end(150)
    data, accept = record.timings()
    assert (data.duration_seconds, data.reply) == (40e-9, None)
    assert (accept.started_ns, accept.duration_seconds, accept.reply) == (140, 10e-9, Reply(code=250))
    assert record.current is Phase.ACCEPT


def test_now_is_the_clocks_and_no_time_is_less_than_none() -> None:
    clock = SetClock()
    record = PhaseRecord(clock, None)
    clock.at_ns = 50
    record.enter(Phase.GREETING)
    record.end(40)
    record.enter(Phase.MAIL)
    clock.at_ns = 75
    record.end()
    record.end()
    assert [timing.duration_seconds for timing in record.timings()] == [0.0, 25e-9]

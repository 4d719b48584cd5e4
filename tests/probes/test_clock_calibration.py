"""When clocks are read, and what becomes of servers that cannot be asked."""

import logging

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, ClockSighting
from smtp_probe.probes.clock_calibration import CalibrationPlan, Calibrations
from tests.probes.fakes import FakeClock, settle

READING = ClockSighting(at_ns=7, resolution_seconds=1e-6, earliest_ns=5, latest_ns=9)
REFUSED = MailboxError("append", Cause.REPLY_PERMANENT, detail="over quota")


class Source:
    name = "inbox"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def sight_clock(self, folder):
        self.asked.append(folder)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def plan_for(source, fingerprint="1"):
    return {"inbox": CalibrationPlan(fingerprint, source, "clock", 900.0)}


async def run(source, seconds):
    clock, told = FakeClock(), []
    calibrations = Calibrations(clock, lambda name, sighting: told.append((name, sighting)))
    calibrations.configure(plan_for(source))
    await settle()
    await clock.advance(seconds)
    await calibrations.close()
    return told


async def test_a_clock_is_read_soon_and_then_at_its_interval():
    source = Source(READING)

    assert await run(source, 4) == []
    assert await run(source, 6) == [("inbox", READING)]
    assert await run(source, 2000) == [("inbox", READING)] * 3
    assert source.asked == ["clock"] * 4


async def test_what_is_wrong_is_said_once_and_asked_again(caplog):
    caplog.set_level(logging.WARNING)
    told = await run(Source(REFUSED, REFUSED, RuntimeError("a bug"), READING), 3000)

    assert told == [("inbox", READING)]
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "over quota" in caplog.records[0].getMessage()


async def test_a_server_that_dates_nothing_is_said_so(caplog):
    caplog.set_level(logging.WARNING)

    assert await run(Source(None), 2000) == []
    assert "dates no message" in caplog.text


async def test_a_reload_leaves_alone_what_did_not_change_and_ends_what_is_gone():
    clock, source, other = FakeClock(), Source(READING), Source(READING)
    calibrations = Calibrations(clock, lambda *_: None)
    calibrations.configure(plan_for(source))
    await settle()
    await clock.advance(6)
    calibrations.configure(plan_for(other))
    await settle()
    await clock.advance(10)
    assert (len(source.asked), len(other.asked)) == (1, 0)

    calibrations.configure(plan_for(other, "2"))
    await settle()
    await clock.advance(6)
    calibrations.configure({})
    await settle()
    await clock.advance(2000)
    assert (len(source.asked), len(other.asked)) == (1, 1)

"""A trouble that goes on is two lines in the log, however often it is met; it is over after a while without it."""

import logging

from smtp_probe.probes.recurring_trouble import QUIET_SECONDS, RecurringTrouble
from tests.probes.fakes import FakeClock


async def test_it_is_said_when_it_begins_and_when_it_is_over_with_the_count(caplog):
    clock = FakeClock()
    trouble = RecurringTrouble(logging.getLogger("t"), clock, "a slot was not counted")
    with caplog.at_level("INFO"):
        trouble.not_met()
        for _ in range(100):
            trouble.met("disk full")
            await clock.advance(1)
            trouble.not_met()  # others get through now and then
        assert len(caplog.records) == 1
        assert caplog.records[0].getMessage().startswith("a slot was not counted: disk full")
        await clock.advance(QUIET_SECONDS)
        trouble.not_met()
        trouble.not_met()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert (caplog.records[1].getMessage(), caplog.records[1].times) == ("over: a slot was not counted", 100)

    with caplog.at_level("INFO"):
        trouble.met("disk full")
    assert len(caplog.records) == 3

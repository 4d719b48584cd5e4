"""A retry drill from the message to the report, with a server that does what is said."""

import asyncio

from smtp_probe.config.drills import RetryDrill
from smtp_probe.model import Disposition, DrillResult
from smtp_probe.probes.retry_drill import run_retry_drill
from tests.probes.drill_fakes import FakeReceiver, FakeServer, sender_of, visit


def settings(**more):
    return RetryDrill.model_validate(
        {
            "sender": "relay",
            "recipient": "drill@drill.example.org",
            "listen": {"address": "192.0.2.25"},
            "deadline": 1,
            "deferrals": 2,
            "minimum_first_retry": 0.005,
            **more,
        }
    )


async def run(*waits, error="", disposition=Disposition.ACCEPTED, **more):
    """A server that comes after these waits, for as long as it is put off."""
    receiver = FakeReceiver(error=error)

    async def deliver(envelope):
        for wait in waits:
            await asyncio.sleep(wait)
            assert receiver.is_open
            if receiver.reception.take_recipient(visit(), envelope.recipient).startswith("250"):
                receiver.reception.take_message(visit(), [envelope.recipient], envelope.message)
                return

    def listen(reception):
        receiver.reception = reception
        return receiver

    server = FakeServer(deliver, disposition)
    report = await run_retry_drill("retries", settings(**more), sender_of(server), listen)
    assert not receiver.is_open
    if server.task is not None:
        server.task.cancel()
    return report


def checks(report):
    return [finding.check for finding in report.findings]


async def test_every_attempt_is_timed_and_growing_waits_are_healthy():
    report = await run(0, 0.02, 0.06)

    assert (report.result, checks(report)) == (DrillResult.HEALTHY, [])
    first, second = report.retry_intervals
    assert 0.02 <= first < second
    assert second >= 0.06
    assert report.facts["attempts"] == "3 of 3"
    assert report.facts["delivered"] == "yes, at last"


async def test_haste_is_a_finding():
    report = await run(0, 0.02, 0.06, minimum_first_retry=5)
    assert checks(report) == ["drill_retry_too_soon"]


async def test_a_server_that_does_not_come_back_is_waited_for_until_the_deadline():
    report = await run(0, deadline=0.1)
    assert (report.result, checks(report)) == (DrillResult.UNHEALTHY, ["drill_retry_missing"])
    assert 0.1 <= report.duration_seconds < 0.9
    assert checks(await run(deadline=0.05)) == ["drill_retry_unreached"]


async def test_what_does_not_begin_is_not_observed():
    report = await run(error="nothing can listen on 192.0.2.25 port 25: in use")
    assert (report.result, report.findings) == (DrillResult.UNOBSERVED, ())
    assert report.unobserved == ("nothing can listen on 192.0.2.25 port 25: in use.",)

    report = await run(disposition=Disposition.UNREACHABLE)
    assert report.result is DrillResult.UNOBSERVED
    assert "unreachable at connect: connection refused" in report.unobserved[0]

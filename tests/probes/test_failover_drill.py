"""A failover drill from the message to the report, in each way of failing."""

import asyncio

import pytest

from smtp_probe.config.drills import FailoverDrill
from smtp_probe.model import Desk, Disposition, DrillResult, Manner
from smtp_probe.probes.failover_drill import run_failover_drill
from tests.probes.drill_fakes import FakeReceiver, FakeServer, sender_of, visit


def settings(**more):
    return FailoverDrill.model_validate(
        {
            "sender": "relay",
            "recipient": "drill@drill.example.org",
            "preferred": {"address": "192.0.2.25"},
            "fallback": {"address": "192.0.2.26"},
            "deadline": 1,
            "maximum_failover": 0.5,
            **more,
        }
    )


async def run(mode="silent", falls_back=True, disposition=Disposition.ACCEPTED, **more):
    receivers = {}

    async def deliver(envelope):
        if Desk.PREFERRED in receivers:
            preferred = receivers[Desk.PREFERRED].reception
            preferred.came(visit())
            if mode == "defer":
                assert preferred.take_recipient(visit(), envelope.recipient).startswith("451")
        await asyncio.sleep(0.05)
        if falls_back:
            reception = receivers[Desk.FALLBACK].reception
            assert reception.take_recipient(visit(), envelope.recipient).startswith("250")
            reception.take_message(visit(), [envelope.recipient], envelope.message)

    def listen(desk, reception, manner):
        receivers[desk] = FakeReceiver(reception, manner=manner)
        return receivers[desk]

    report = await run_failover_drill(
        "f", settings(mode=mode, **more), sender_of(FakeServer(deliver, disposition)), listen
    )
    assert not any(receiver.is_open for receiver in receivers.values())
    return report, receivers


@pytest.mark.parametrize(
    ("mode", "manner"),
    [
        ("unavailable", Manner.UNAVAILABLE),
        ("defer", Manner.SERVE),
        ("silent", Manner.SILENT),
        ("tarpit", Manner.TARPIT),
    ],
)
async def test_the_time_from_the_first_contact_to_the_next_one(mode, manner):
    report, receivers = await run(mode)

    assert (report.result, report.findings) == (DrillResult.HEALTHY, ())
    assert receivers[Desk.PREFERRED].manner is manner
    assert [attempt.desk for attempt in report.attempts] == [Desk.PREFERRED, Desk.FALLBACK]
    assert 0.05 <= report.failover_seconds < 0.5
    assert "the first contact" in report.facts["reached after"]


async def test_where_connections_are_refused_nothing_listens():
    report, receivers = await run("refuse")

    assert list(receivers) == [Desk.FALLBACK]
    assert report.result is DrillResult.HEALTHY
    assert "the final dot" in report.facts["reached after"]


async def test_a_server_that_does_not_fall_back_is_an_error():
    report, _ = await run(falls_back=False, deadline=0.2, maximum_failover=0.1)
    assert [finding.check for finding in report.findings] == ["drill_failover_missing"]
    assert report.failover_seconds is None


async def test_what_does_not_begin_is_not_observed():
    report, _ = await run(disposition=Disposition.DEFERRED)
    assert report.result is DrillResult.UNOBSERVED

"""The embedded mail path writes true ids: the raw delays of its traces are those that its scenarios script."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.scenarios import SCENARIOS, HopName, Scenario
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Trace
from tests.demo.plain_clients import read_config, read_folder, submit, wait_until

MAILS = 5
NS = 1_000_000_000
SLACK_NS = 1_000_000
"""Ids count microseconds, and a timer may go off by its resolution too early."""


class Mail(NamedTuple):
    """One message: what its header says, when it was handed in, and when which host took it in. True time."""

    trace: Trace
    begun_ns: int
    received_ns: dict[str, int]
    """By the id of the host."""


async def _send(directory: Path, scenario: Scenario) -> list[Mail]:
    begun_ns = []
    async with MailPath([scenario], directory / "demo") as path:
        config = read_config(path)
        for _ in range(MAILS):
            begun_ns.append(time.time_ns())
            await submit(config, scenario.name)
        await wait_until(lambda: sum(event.happening is Happening.STORED for event in path.events()) == MAILS)
        traces = [read_trace(raw) for raw in await read_folder(config, "recipient", "INBOX")]
        took = [event for event in path.events() if event.happening is Happening.RECEIVED]
    received_ns = {event.queue_id: event.at_ns for event in took}
    first = [event.queue_id for event in took if event.host == took[0].host]
    begun = dict(zip(first, begun_ns, strict=True))
    return [Mail(trace, begun[trace.hops[0].id or ""], received_ns) for trace in traces]


def _check(mail: Mail, scenario: Scenario) -> None:
    """Hold the stamps of the hosts that have fine ones between what they noted before and after."""
    hosts = [scenario.hop(name) for name in HopName]
    at_ns = [
        (hop.at_ns or 0) - round(host.clock_offset_seconds * NS)
        for hop, host in zip(mail.trace.hops, hosts, strict=True)
    ]
    first, second, _, fourth = (mail.received_ns.get(hop.id or "", 0) for hop in mail.trace.hops)
    rests = [round(host.delay_seconds * NS) for host in hosts]

    assert mail.begun_ns - SLACK_NS <= at_ns[0] <= first + SLACK_NS
    assert first + rests[0] - SLACK_NS <= at_ns[1] <= second + SLACK_NS
    # The third host is an Exchange, whose header has nothing finer than its date.
    assert second + rests[1] + rests[2] - SLACK_NS <= at_ns[3] <= fourth + SLACK_NS


def _between(trace: Trace, first: int, last: int) -> float:
    return ((trace.hops[last].at_ns or 0) - (trace.hops[first].at_ns or 0)) / NS


@pytest.mark.slow
async def test_delays_on_right_clocks_are_the_scripted_ones(tmp_path):
    scenario = replace(SCENARIOS["on-time"], is_steady=True)
    mails = await _send(tmp_path, scenario)

    submission, relay, content_filter, _ = (scenario.hop(name).delay_seconds for name in HopName)
    for mail in mails:
        _check(mail, scenario)
        assert tuple(hop.stamp_source for hop in mail.trace.hops) == (
            "postfix_id",
            "exim_id",
            "date",
            "dovecot_id",
        )
        assert mail.trace.delays[1].delay_seconds == pytest.approx(_between(mail.trace, 0, 1))
        assert (mail.trace.delays[1].delay_seconds or 0) >= submission
        assert _between(mail.trace, 1, 3) >= relay + content_filter


@pytest.mark.slow
async def test_delays_on_wrong_clocks_are_as_wrong_as_the_clocks(tmp_path):
    scenario = replace(SCENARIOS["skewed-clocks"], is_steady=True)
    mails = await _send(tmp_path, scenario)

    submission, relay, _, store = (scenario.hop(name) for name in HopName)
    skew = relay.clock_offset_seconds - submission.clock_offset_seconds
    assert store.clock_offset_seconds < relay.clock_offset_seconds
    for mail in mails:
        _check(mail, scenario)
        assert (mail.trace.delays[1].delay_seconds or 0) - skew >= submission.delay_seconds
        assert _between(mail.trace, 1, 3) < 0

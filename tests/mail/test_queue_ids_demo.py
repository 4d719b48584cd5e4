"""The embedded mail path writes true ids: the raw delays of its traces are those that its scenarios script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.scenarios import SCENARIOS, HopName
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Trace
from tests.demo.plain_clients import read_config, read_folder, submit, wait_until

MAILS = 5
OVERHEAD_SECONDS = 0.2
"""What the transactions between two hosts take on a busy machine. It is some 6 ms on an idle one."""


async def _read_traces(directory: Path, name: str) -> list[Trace]:
    async with MailPath([replace(SCENARIOS[name], is_steady=True)], directory / "demo") as path:
        config = read_config(path)
        for _ in range(MAILS):
            await submit(config, name)
        await wait_until(lambda: sum(event.happening is Happening.STORED for event in path.events()) == MAILS)
        return [read_trace(raw) for raw in await read_folder(config, "recipient", "INBOX")]


def _between(trace: Trace, first: int, last: int) -> float:
    return ((trace.hops[last].at_ns or 0) - (trace.hops[first].at_ns or 0)) / 1e9


@pytest.mark.slow
async def test_delays_on_right_clocks_are_the_scripted_ones(tmp_path):
    traces = await _read_traces(tmp_path, "on-time")

    scripted = {name: SCENARIOS["on-time"].hop(name).delay_seconds for name in HopName}
    rest = scripted[HopName.RELAY] + scripted[HopName.FILTER]
    second = [trace.delays[1].delay_seconds or 0 for trace in traces]
    # The third host is an Exchange, whose header has nothing finer than its date.
    fourth = [_between(trace, 1, 3) for trace in traces]
    assert {tuple(hop.stamp_source for hop in trace.hops) for trace in traces} == {
        ("postfix_id", "exim_id", "date", "dovecot_id")
    }
    assert min(second) >= scripted[HopName.SUBMISSION]
    assert median(second) < scripted[HopName.SUBMISSION] + OVERHEAD_SECONDS
    assert min(fourth) >= rest
    assert median(fourth) < rest + OVERHEAD_SECONDS


@pytest.mark.slow
async def test_delays_on_wrong_clocks_are_as_wrong_as_the_clocks(tmp_path):
    traces = await _read_traces(tmp_path, "skewed-clocks")

    submission, relay, _, store = (SCENARIOS["skewed-clocks"].hop(name) for name in HopName)
    skew = relay.clock_offset_seconds - submission.clock_offset_seconds
    wrong = [(trace.delays[1].delay_seconds or 0) - skew for trace in traces]
    assert min(wrong) >= submission.delay_seconds
    assert median(wrong) < submission.delay_seconds + OVERHEAD_SECONDS
    assert store.clock_offset_seconds < relay.clock_offset_seconds
    assert all(_between(trace, 1, 3) < 0 for trace in traces)

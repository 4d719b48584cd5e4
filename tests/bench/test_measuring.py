"""The instruments of the benchmarks measure what they say."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from smtp_probe.config.load import load
from smtp_probe.model import OutcomeKind
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.report.journal import JOURNAL_NAME, SqliteJournal
from smtp_probe.report.totals import Totals

from .events import fill_journal, life_of, make_outcome
from .heart import Heart
from .parts import _long_header
from .process import cpu_seconds, rss_bytes


@pytest.mark.slow
def test_processor_time_is_that_of_the_process_and_not_of_the_clock():
    before, own = cpu_seconds(os.getpid()), time.process_time()
    time.sleep(0.2)
    while time.process_time() < own + 0.1:
        pass
    used = cpu_seconds(os.getpid()) - before

    assert abs(used - (time.process_time() - own)) < 0.01


def test_memory_grows_with_what_a_process_holds():
    code = "import sys; held = bytearray(b'x') * int(sys.argv[1]); print(flush=True); sys.stdin.read()"
    sizes = []
    for held in (1, 50_000_000):
        with subprocess.Popen(
            [sys.executable, "-I", "-c", code, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            sizes.append(rss_bytes(process.pid))
            process.stdin.close()

    assert 49e6 < sizes[1] - sizes[0] < 55e6


async def test_the_heart_tells_of_a_stall_once():
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    await asyncio.sleep(0.01)
    time.sleep(0.08)
    await asyncio.sleep(0.01)
    longest = heart.take()
    beating.cancel()

    assert longest >= 75.0
    assert heart.take() == 0.0


def test_a_told_probe_is_of_the_route_and_the_instant_that_are_asked_for():
    created_ns = 1_800_000_000_000_000_000
    outcome = make_outcome("a-route", 7, created_ns)
    started, submitted, ended = life_of(outcome)

    assert outcome.kind is OutcomeKind.DELIVERED
    assert {event.probe.route for event in (started, submitted)} == {"a-route"} == {ended.outcome.probe.route}
    assert outcome.delivery_seconds is not None
    assert 0 < outcome.delivery_seconds < 10
    assert (
        created_ns
        < outcome.arrival.stored_ns
        < outcome.arrival.seen_ns
        < outcome.ended_ns
        < created_ns + 10**10
    )


@pytest.mark.slow
def test_a_filled_journal_has_one_end_of_each_route(tmp_path):
    routes = [f"route-{number}" for number in range(305)]
    config_file = tmp_path / "config.json"
    config_file.write_text(json.dumps(config_of(routes, tmp_path)))
    fill_journal(config_file)

    assert asyncio.run(ended_routes(config_file)) == set(routes)


def config_of(routes, directory):
    sender = {
        "host": "127.0.0.1",
        "tls": "none",
        "ehlo_name": "probe.example.net",
        "envelope_from": "probe@example.net",
        "max_per_minute": 600,
    }
    route = {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"}
    return {
        "state_directory": str(directory / "state"),
        "senders": {"relay": sender},
        "mailboxes": {"inbox": {"host": "127.0.0.1", "tls": "implicit"}},
        "routes": dict.fromkeys(routes, route),
    }


async def ended_routes(config_file):
    config = load(config_file)
    journal = SqliteJournal(config.state_directory / JOURNAL_NAME, ReferenceClock(), Totals())
    await journal.open()
    try:
        return {outcome.probe.route async for outcome in journal.last_outcomes(1000)}
    finally:
        await journal.close()


def test_the_long_header_is_one_of_64_lines_of_several_hosts():
    header = _long_header(0)

    assert header.count(b"\r\nReceived: ") == 63
    assert len({line for line in header.split(b"\r\n") if line.startswith(b"Received: ")}) > 50

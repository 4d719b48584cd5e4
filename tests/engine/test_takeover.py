"""A watcher that takes over a few hundred mailboxes, thousands of routes and many probes keeps their leases, though its loop is busy."""

import asyncio
import contextlib
import itertools
import json
import time

import pytest

from smtp_probe.app.engine.leases import PREFIX, Leases, group_mailboxes
from smtp_probe.app.engine.members import Members
from smtp_probe.app.engine.programs import WatcherProgram
from smtp_probe.app.engine.watcher import Watcher
from smtp_probe.config.engine import Engine
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import ProbeStarted
from smtp_probe.network.jetstream.bucket import Bucket
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.streams import prepare
from smtp_probe.report.telemetry import Telemetry
from tests.engine.cluster import Cluster
from tests.engine.events import make_journal, write_lives
from tests.report.samples import make_config, make_probe

pytestmark = pytest.mark.slow

LEASE = 2.0
MAILBOXES = [f"box{number}" for number in range(200)]
PROBES = 1000
PATIENCE = 20.0
"""How long nothing more may be taken over. How long it takes in all depends on what else the machine does."""


def make_engine_config():
    """Twenty routes a mailbox; nobody listens where the mailboxes are said to be."""
    config = make_config()
    route, mailbox = next(iter(config.routes.values())), next(iter(config.mailboxes.values()))
    nowhere = mailbox.model_copy(update={"host": "127.0.0.1", "port": 1})
    routes = {
        f"r{number}": route.model_copy(
            update={"mailbox": MAILBOXES[number % len(MAILBOXES)], "authentication": False}
        )
        for number in range(20 * len(MAILBOXES))
    }
    return config.model_copy(update={"routes": routes, "mailboxes": dict.fromkeys(MAILBOXES, nowhere)})


async def write_history(stream, groups):
    """What a worker and a watcher that is gone have left: open probes, and leases that pass away."""
    now_ns = time.time_ns()
    probes = [
        make_probe(number, f"r{number}", now_ns, MAILBOXES[number % len(MAILBOXES)])
        for number in range(PROBES)
    ]
    await write_lives(stream, [(ProbeStarted(probe=probe),) for probe in probes])
    bucket = Bucket(stream, stream.names.leases)
    for key in groups:
        await bucket.put(PREFIX + key, json.dumps({"by": "gone", "mailboxes": []}).encode())


async def be_busy():
    """Hold the loop up: always a little, and twice for longer than a lease lasts."""
    for beat in itertools.count():
        time.sleep(LEASE * 1.1 if beat in (15, 60) else 0.04)
        await asyncio.sleep(0.03)


async def take_over(stream, config):
    """Have a watcher begin, and give how many mailboxes were its own at each change until a while after it had all."""
    telemetry = Telemetry(time.time_ns, None)
    journal = make_journal(stream, "us")
    program = WatcherProgram(config, [TagKey(b"x" * 32)], journal, [], telemetry)
    bucket = Bucket(stream, stream.names.leases)
    members = Members(bucket, "us", ["watcher"], LEASE)
    leases = Leases(bucket, members)
    watcher = Watcher(program, journal, stream, members, leases)
    members.on_entry = leases.note
    counts, changed = [], leases.changed

    def note(held):
        counts.append(len(held))
        changed(held)

    leases.changed = note
    watcher.configure(config)
    tasks = [asyncio.create_task(each()) for each in (members.renew, members.listen, watcher.run, be_busy)]
    try:
        taken = (0, 0)
        async with asyncio.timeout(PATIENCE) as patience:
            while taken != (PROBES, len(MAILBOXES)):
                await asyncio.sleep(0.1)
                before = taken
                taken = len(program.ledger.open_probes()), len(program.watchers.states())
                if taken != before:
                    patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
        await asyncio.sleep(LEASE * 1.5)
        return counts, {flight.probe.probe_id for flight in program.ledger.open_probes()}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5)
        await watcher.stop()
        await program.close()


async def test_a_busy_watcher_keeps_what_it_takes_over(tmp_path, caplog):
    config = make_engine_config()
    groups = group_mailboxes(config)
    with Cluster(tmp_path / "nats", 1) as cluster:
        settings = Engine(
            servers=tuple(cluster.urls), replicas=1, namespace="takeover", lease=LEASE, max_bytes=67_108_864
        )
        stream = JetStream(settings, lambda: "", "test")
        await stream.connect()
        try:
            await prepare(stream)
            await write_history(stream, groups)
            counts, probes = await take_over(stream, config)
        finally:
            with contextlib.suppress(TimeoutError):
                await stream.close()

    while counts and counts[-1] == 0:
        counts.pop()  # what is given back in the end
    assert counts == sorted(counts), counts
    assert counts[-1] == len(groups)
    assert len(probes) == PROBES
    assert "watched by us no more" not in caplog.text
    assert "another watcher has taken" not in caplog.text

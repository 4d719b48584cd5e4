"""An exporter is ready when it has counted what had happened: no sooner, and whatever the mailboxes are like."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from smtp_probe.app.engine.exporter import Exporter
from smtp_probe.app.engine.programs import ExporterProgram
from smtp_probe.app.shard import Shard
from smtp_probe.config.engine import Engine
from smtp_probe.mail.tag import TagKey
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.streams import prepare
from smtp_probe.report.journal import JOURNAL_NAME
from smtp_probe.report.metrics import OUTCOMES
from smtp_probe.report.telemetry import Telemetry
from tests.engine.cluster import Cluster
from tests.engine.events import write_lives
from tests.report.samples import START_NS, life_of, make_config, make_outcome, make_probe

pytestmark = pytest.mark.slow

ROUTES = [f"r{number}" for number in range(20)]
PROBES = 400


def make_lives(first, count):
    probes = (
        make_probe(number, ROUTES[number % len(ROUTES)], START_NS + number * 10**9)
        for number in range(first, first + count)
    )
    return [tuple(life_of(make_outcome(probe=probe))) for probe in probes]


@asynccontextmanager
async def exporting(stream, directory, *, is_held=False):
    """One exporter at work, and whether it was ready before it began. `is_held`: it does not count yet."""
    telemetry = Telemetry(lambda: START_NS, None)
    path = directory / JOURNAL_NAME
    program = ExporterProgram(make_config(*ROUTES), [TagKey(b"x" * 32)], path, [], telemetry)
    exporter = Exporter(program, stream, Shard(), path)
    telemetry.observations.duties = frozenset
    await program.open()
    program.start()
    assert not telemetry.observations.health().is_ready
    if is_held:
        exporter._count = never
    task = asyncio.create_task(exporter.run())
    try:
        yield telemetry
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=5)
        await program.close()


async def never():
    await asyncio.Event().wait()


async def until(claim):
    async with asyncio.timeout(30):
        while not claim():
            await asyncio.sleep(0.01)


def delivered(telemetry):
    return sum(value for labels, value in telemetry.series.all(OUTCOMES) if "delivered" in labels)


@pytest.fixture
async def stream(tmp_path):
    with Cluster(tmp_path / "nats", 1) as cluster:
        settings = Engine(
            servers=tuple(cluster.urls), replicas=1, namespace="catching-up", max_bytes=67_108_864
        )
        connected = JetStream(settings, lambda: "", "test")
        await connected.connect()
        await prepare(connected)
        yield connected
        await connected.close()


async def test_an_exporter_is_ready_when_it_has_counted_what_had_happened(stream, tmp_path, caplog):
    caplog.set_level("INFO")
    async with exporting(stream, tmp_path) as telemetry:  # nothing has happened yet
        await until(lambda: telemetry.observations.health().is_ready)
    lives = make_lives(0, PROBES)
    await write_lives(stream, lives)
    async with exporting(stream, tmp_path, is_held=True) as telemetry:
        await until(lambda: telemetry.observations.events_to_count is not None)
        assert telemetry.observations.events_to_count == sum(map(len, lives))
        assert not telemetry.observations.health().is_ready
    async with exporting(stream, tmp_path) as telemetry:
        await until(lambda: telemetry.observations.health().is_ready)
        assert delivered(telemetry) == PROBES
        assert telemetry.observations.health().unwatched == (
            "inbox",
        )  # that is told, and is the watchers' affair
        await write_lives(stream, make_lives(PROBES, 10))
        assert telemetry.observations.health().is_ready  # what comes later is counted as it comes
        await until(lambda: delivered(telemetry) == PROBES + 10)
    async with exporting(stream, tmp_path) as telemetry:  # as after a kill: it goes on where it was
        await until(lambda: telemetry.observations.health().is_ready)
        assert delivered(telemetry) == PROBES + 10

    told = [record.events for record in caplog.records if record.message == "what had happened is counted"]
    assert told == [0, sum(map(len, lives)), 0]

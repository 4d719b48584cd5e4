"""A stream that is full and refuses: nothing more is sent and that is said; with room again, every message has its end."""

import asyncio

import pytest

from smtp_probe.config.engine import Engine
from smtp_probe.network.jetstream.connection import JetStream
from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site, wait_until

pytestmark = pytest.mark.lab


def bound(site, **limits):
    """Change the limits of the events' stream; `max_bytes` is what it may take beyond what it has."""

    async def change():
        stream = JetStream(
            Engine(servers=tuple(site.cluster.urls), replicas=1, namespace="full"), lambda: "", "test"
        )
        await stream.connect()
        found = await stream.request(f"STREAM.INFO.{stream.names.events}", {})
        room = {"max_bytes": found["state"]["bytes"] + limits.pop("max_bytes")}
        await stream.request(f"STREAM.UPDATE.{stream.names.events}", {**found["config"], **limits, **room})
        await stream.close()

    asyncio.run(change())


def test_a_full_stream_stops_the_sending_and_loses_nothing(tmp_path):
    with (
        Cluster(tmp_path / "nats", 1) as cluster,
        Receiver(tmp_path / "mx", ["user"]) as receiver,
        Site(cluster, receiver, tmp_path / "m", "full") as site,
    ):
        site.configure(
            {
                f"r{number}": {"user": "user", "interval": 1, "deadline": 10, "give_up_after": 20}
                for number in range(3)
            }
        )
        controller, watcher, exporter, worker = [
            site.start(role, role) for role in ("controller", "watcher", "exporter", "worker")
        ]
        wait_until(lambda: exporter.is_ready() and exporter.outcomes()["delivered"] >= 3, "deliveries")
        bound(site, discard="new", max_bytes=4000)
        wait_until(lambda: worker.value("smtp_probe_engine_up") == 0, "a word of it")
        sent = len(site.mails())
        assert not worker.is_ready()
        assert (
            "takes no events: nothing is sent until it does: maximum bytes exceeded" in worker.log.read_text()
        )
        wait_until(lambda: exporter.value("smtp_probe_engine_events_behind") == 0, "the exporter")
        assert len(site.mails()) == sent  # also seconds later: each of them had a slot
        bound(site, max_bytes=30_000_000)
        wait_until(lambda: worker.is_ready() and len(site.mails()) > sent + 6, "further mails")
        assert all(member.value("smtp_probe_engine_up") == 1 for member in (controller, watcher, exporter))
        site.stop("worker")
        site.verify([exporter])

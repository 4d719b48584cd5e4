"""One real server for all tests of this folder, and a connection with a namespace of its own for each test."""

import re

import pytest

from smtp_probe.config.engine import Engine
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.streams import prepare
from tests.engine.cluster import Cluster


@pytest.fixture(scope="package")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("nats"), 1) as started:
        yield started


@pytest.fixture
async def stream(cluster, request):
    namespace = re.sub(r"\W+", "-", request.node.name)[-25:].strip("-_")
    settings = Engine(
        servers=(cluster.urls[0],), replicas=1, namespace=namespace, lease=2.0, max_bytes=16_777_216
    )
    connected = JetStream(settings, lambda: "", "test")
    await connected.connect()
    await prepare(connected)
    yield connected
    for kind in ("RUNS", "EVENTS"):
        await connected.request(
            f"STREAM.DELETE.{connected.names.namespace.upper().replace('-', '_')}_{kind}", {}
        )
    await connected.request(f"STREAM.DELETE.OBJ_{connected.names.totals}", {})
    for bucket in (connected.names.leases, connected.names.marks, connected.names.reports):
        await connected.request(f"STREAM.DELETE.KV_{bucket}", {})
    await connected.close()

"""One cluster of three servers and one receiver for the tests of a file; a namespace of its own for each test."""

import re
from collections.abc import Iterator

import pytest

from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site

USERS = [f"user{number}" for number in range(40)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("nats")) as started:
        yield started


@pytest.fixture(scope="module")
def receiver(tmp_path_factory) -> Iterator[Receiver]:
    with Receiver(tmp_path_factory.mktemp("mx") / "mail", USERS) as started:
        yield started


@pytest.fixture
def site(cluster, receiver, tmp_path, request) -> Iterator[Site]:
    namespace = re.sub(r"\W+", "-", request.node.name)[-25:].strip("-")
    with Site(cluster, receiver, tmp_path, namespace) as made:
        yield made

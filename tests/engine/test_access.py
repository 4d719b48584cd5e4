"""The users of deploy/nats, each role with its own, over TLS: what they may do is enough, and no more than is said."""

import asyncio
import json
import os
import re
from pathlib import Path

import nkeys
import pytest
import trustme

from smtp_probe.config.engine import Engine
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import Names
from smtp_probe.network.jetstream.streams import prepare
from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site, wait_until

pytestmark = pytest.mark.lab

ACCOUNTS = Path(__file__).parents[2] / "deploy" / "nats" / "accounts.conf"
ROLES = ("controller", "worker", "watcher", "exporter", "checker")


def secure(work, size, **options):
    """So many servers with the users of deploy/nats, under keys that were made for this test; and the files by role."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(work / "ca.pem")
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        work / "server.pem"
    )
    text, seeds = ACCOUNTS.read_text(), {}
    public = re.findall(r"nkey: (\w+)", text)
    for role, known in zip(ROLES, public, strict=True):
        seed = bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
        seeds[role] = work / f"{role}.nk"
        seeds[role].write_bytes(seed)
        text = text.replace(known, nkeys.from_seed(seed).public_key.decode())
    (work / "accounts.conf").write_text(text)
    pem = work / "server.pem"
    extra = f'include "{os.path.relpath(work / "accounts.conf", work / "nats" / "n0")}"\n'
    extra += f'tls {{ cert_file: "{pem}", key_file: "{pem}" }}\n'
    return Cluster(work / "nats", size, extra, **options), work, seeds


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """One server of that kind."""
    made = secure(tmp_path_factory.mktemp("secured"), 1, max_file="40GB")
    with made[0]:
        yield made


def settings_of(secured, role):
    cluster, work, seeds = secured
    return {
        "servers": [f"tls://127.0.0.1:{cluster.nodes[0].port}"],
        "tls_options": {"ca_file": str(work / "ca.pem")},
        "auth": {"nkey_file": str(seeds[role])},
    }


def test_each_role_works_with_its_own_user(secured, tmp_path):
    cluster, _, _ = secured
    with (
        Receiver(tmp_path / "mx", ["user"]) as receiver,
        Site(cluster, receiver, tmp_path / "m", "smtp-probe") as site,
    ):
        routes = {f"r{number}": {"user": "user", "interval": 2} for number in range(3)}
        site.configure(routes, vantage="default")
        members = {role: site.start(role, role, **settings_of(secured, role)) for role in ROLES}
        exporter = members["exporter"]
        wait_until(lambda: exporter.process and exporter.is_ready(), "the exporter", 30)
        wait_until(lambda: exporter.outcomes()["delivered"] >= 6, "deliveries", 30)
        assert members["controller"].value("smtp_probe_engine_schedules") == 3
        for member in members.values():
            assert "permission" not in member.log.read_text().lower()
            assert "Traceback" not in member.log.read_text()
        site.stop("worker")
        site.verify([exporter])
        before = exporter.outcomes()
        site.stop("exporter")
        another = site.start("exporter", "another", **settings_of(secured, "exporter"))
        wait_until(lambda: another.is_ready() and another.outcomes() == before, "the same counters", 20)
        assert "beginning with the counters of another exporter" in another.log.read_text()


async def test_the_account_has_room_for_all_that_the_controller_makes_on_three_servers(tmp_path):
    made = secure(tmp_path, 3, max_file="12GB")
    with made[0]:
        stream = await connected(made, "controller")
        assert stream.settings.replicas == 3
        async with asyncio.timeout(30):
            await prepare(stream)
        await stream.close()


async def connected(secured, role):
    stream = JetStream(Engine.model_validate(settings_of(secured, role)), lambda: "", role)
    await stream.connect()
    return stream


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("worker", Names("smtp-probe").schedule("default", "r9")),
        ("exporter", Names("smtp-probe").probe("default", "m", "r", "p")),
        ("watcher", Names("smtp-probe").schedule("default", "r9")),
        ("checker", Names("smtp-probe").probe("default", "m", "r", "p")),
        ("controller", Names("smtp-probe").probe("default", "m", "r", "p")),
    ],
)
async def test_no_role_writes_what_is_anothers(secured, role, subject, monkeypatch):
    monkeypatch.setattr("smtp_probe.network.jetstream.connection.APPEND_SECONDS", 0.4)
    stream = await connected(secured, role)
    with pytest.raises(EngineError):
        await stream.append(subject, b"x")
    await stream.close()


async def test_a_stranger_comes_in_nowhere(secured, tmp_path):
    stranger = tmp_path / "stranger.nk"
    stranger.write_bytes(bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))
    settings = {**settings_of(secured, "worker"), "auth": {"nkey_file": str(stranger)}}
    stream = JetStream(Engine.model_validate(settings), lambda: "", "stranger")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await stream.connect()
    assert not stream.is_connected


def test_a_process_that_is_not_let_in_says_so_everywhere(secured, tmp_path):
    cluster, _, _ = secured
    stranger = tmp_path / "stranger.nk"
    stranger.write_bytes(bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))
    with (
        Receiver(tmp_path / "mx", ["user"]) as receiver,
        Site(cluster, receiver, tmp_path / "m", "smtp-probe") as site,
    ):
        site.configure({"r": {"user": "user", "interval": 2}}, vantage="default")
        settings = {**settings_of(secured, "worker"), "auth": {"nkey_file": str(stranger)}}
        member = site.start("all", "all", **settings)
        wait_until(
            lambda: member.log.exists() and "see engine.auth" in member.log.read_text(),
            "a word in the log",
            20,
        )

        assert not member.is_ready()
        assert member.value("smtp_probe_engine_up") == 0
        assert ("smtp_probe_engine_up", (("vantage", "default"),)) in member.samples()
        assert "does not answer: nothing is sent until it does" in member.get("/")[1]
        assert site.mails() == []


def test_the_settings_of_a_role_hold_no_secret(secured):
    assert "SU" not in json.dumps(settings_of(secured, "worker"))

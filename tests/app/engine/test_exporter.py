"""An exporter learns from leases how the mailboxes are: with all of a group now and then, and a sign of life in between."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from smtp_probe.app.engine import exporter as exporter_module
from smtp_probe.app.engine.exporter import Exporter
from smtp_probe.app.shard import Shard
from smtp_probe.network.jetstream.bucket import Entry

LEASE = 0.1


@pytest.fixture
async def made(monkeypatch, tmp_path):
    """An exporter, and what it says of each mailbox."""
    monkeypatch.setattr(exporter_module, "_LOOK_SECONDS", 0.01)
    said = {}
    observations = SimpleNamespace(
        mailbox_state=lambda name, is_up, _: said.update({name: is_up}), mailbox_quotas=lambda *_: None
    )
    telemetry = SimpleNamespace(observations=observations, engine=SimpleNamespace(checked=lambda _: None))
    config = SimpleNamespace(domains={}, queues={}, drills=SimpleNamespace(by_name={}))
    program = SimpleNamespace(telemetry=telemetry, config=config, nobody_checks=lambda: None)
    settings = SimpleNamespace(namespace="test", vantage="default", lease=LEASE)
    stream = SimpleNamespace(settings=settings, names=SimpleNamespace(totals="T"))
    exporter = Exporter(program, stream, Shard(), tmp_path / "journal.db")  # type: ignore[arg-type]
    watching = asyncio.create_task(exporter._watch_leases())
    yield exporter, said
    watching.cancel()


def tell(exporter, key, **states):
    """A watcher renews a lease: with the states of its mailboxes, or with none of them."""
    value = {"by": "w"} | (
        {"state": {name: {"up": up, "why": ""} for name, up in states.items()}} if states else {}
    )
    exporter.note(Entry(f"mailbox.{key}", json.dumps(value).encode(), 1))


async def test_a_sign_of_life_keeps_what_was_told(made):
    exporter, said = made
    tell(exporter, "g", a=True, b=False)
    for _ in range(10):
        await asyncio.sleep(LEASE / 2)
        tell(exporter, "g")
    assert said == {"a": True, "b": False}


async def test_what_nobody_renews_is_watched_by_nobody(made):
    exporter, said = made
    tell(exporter, "g", a=True)
    tell(exporter, "other", b=True)
    for _ in range(6):
        await asyncio.sleep(LEASE / 2)
        tell(exporter, "other")
    assert said == {"a": False, "b": True}
    tell(exporter, "g")  # of mailboxes that are not known yet
    assert said["a"] is False
    tell(exporter, "g", a=True)
    assert said["a"] is True


async def test_a_mailbox_that_belongs_to_others_now_is_theirs(made):
    exporter, said = made
    tell(exporter, "g", a=True, b=True)
    tell(exporter, "other", a=True)
    for _ in range(6):
        await asyncio.sleep(LEASE / 2)
        tell(exporter, "other")
    assert said == {"a": True, "b": False}

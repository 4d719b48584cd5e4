"""A worker spends its share of every budget, whatever the number of workers is."""

from types import SimpleNamespace
from typing import Any

import pytest

from smtp_probe.app.engine.worker import Worker
from smtp_probe.config.load import load
from smtp_probe.probes.round_trip import RouteUnderTest
from tests.config.samples import ENVIRONMENT, write_sound


def make_worker(tmp_path):
    config = load(write_sound(tmp_path), ENVIRONMENT)
    targets = [
        RouteUnderTest(name, route, config.senders[route.sender], SimpleNamespace())
        for name, route in config.routes.items()
    ]
    program: Any = SimpleNamespace(
        config=config,
        targets=targets,
        configure=lambda _: None,
        round_trips=None,
        ledger=None,
        clock=SimpleNamespace(now_ns=lambda: 0),
        telemetry=SimpleNamespace(observations=SimpleNamespace(scheduler_lag=lambda _: None)),
    )
    return config, Worker(program, SimpleNamespace(), lambda _: None)  # type: ignore[arg-type]


async def test_a_run_that_comes_again_while_it_is_being_begun_is_not_counted_as_missed(tmp_path, monkeypatch):
    _, worker = make_worker(tmp_path)
    missed, taken = [], []

    async def take():
        taken.append(1)

    monkeypatch.setattr(worker._runner, "is_busy", lambda _: bool(worker._begun))
    monkeypatch.setattr(worker._runner, "send_now", lambda *_: "busy" if worker._begun else None)
    monkeypatch.setattr(worker._runner, "miss", lambda name, reason: missed.append((name, reason)))
    run: Any = SimpleNamespace(subject="ns.run.default.daily", next_ns=None, came_ns=7_000_000_000, take=take)
    await worker._take(run)
    await worker._take(run)
    assert (missed, taken) == ([], [])
    run.came_ns = 9_000_000_000
    await worker._take(run)
    assert (missed, taken) == ([("daily", "busy")], [1])


@pytest.mark.parametrize("workers", [1, 2, 7, 1000])
async def test_all_budgets_are_divided_by_the_living_workers(tmp_path, monkeypatch, workers):
    config, worker = make_worker(tmp_path)
    monkeypatch.setattr("smtp_probe.app.engine.worker._PEERS_SECONDS", 0.0)
    worker.count_peers = lambda: workers
    given = []
    monkeypatch.setattr(
        worker._runner, "configure", lambda targets, schedule: given.append((targets, schedule))
    )
    worker.configure(config)
    await worker._count_peers()
    (target,), schedule = given[-1]

    assert schedule.max_per_minute * workers == pytest.approx(config.schedule.max_per_minute)
    assert target.sender.max_per_minute * workers == pytest.approx(config.senders["relay"].max_per_minute)

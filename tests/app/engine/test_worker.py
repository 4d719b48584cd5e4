"""A worker spends its share of every budget, whatever the number of workers is."""

from types import SimpleNamespace
from typing import Any

import pytest

from smtp_probe.app.engine.worker import Worker
from smtp_probe.config.load import load
from smtp_probe.probes.round_trip import RouteUnderTest
from tests.config.samples import ENVIRONMENT, write_sound


@pytest.mark.parametrize("workers", [1, 2, 7, 1000])
async def test_all_budgets_are_divided_by_the_living_workers(tmp_path, monkeypatch, workers):
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
        telemetry=SimpleNamespace(observations=SimpleNamespace(scheduler_lag=None)),
    )
    monkeypatch.setattr("smtp_probe.app.engine.worker._PEERS_SECONDS", 0.0)
    worker = Worker(program, SimpleNamespace(), lambda _: None)  # type: ignore[arg-type]
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

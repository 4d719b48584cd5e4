"""The controller asks what is wanted once for each configuration, however many schedules wait for their turn."""

import asyncio

from smtp_probe.app.engine.controller import Controller
from smtp_probe.config.engine import Engine
from smtp_probe.network.jetstream.names import Names
from tests.report.samples import make_config


class Stream:
    """Takes what is written, and knows names."""

    names = Names("smtp-probe")
    settings = Engine(servers=("nats://127.0.0.1:4222",))

    def __init__(self):
        self.written = []

    async def append(self, subject, _payload, *, headers):
        self.written.append((subject, headers["Nats-Schedule"]))


def config_of(count, interval):
    config = make_config()
    route = next(iter(config.routes.values())).model_copy(update={"interval": interval})
    return config.model_copy(update={"routes": {f"r{number:05}": route for number in range(count)}})


async def test_schedules_that_are_spread_cost_no_more_each_with_more_of_them(monkeypatch):
    stream = Stream()
    controller = Controller(stream)  # type: ignore[arg-type]
    made = []
    make_orders = controller._make_orders

    def make(config):
        made.append(config)
        return make_orders(config)

    monkeypatch.setattr(controller, "_make_orders", make)
    controller.configure(config_of(3000, 150))
    subjects = list(controller._wanted())

    await asyncio.gather(*(controller._write_later(0.0, subject) for subject in subjects))

    assert len(stream.written) == 3000
    assert {text for _, text in stream.written} == {"@every 150s"}
    assert len(made) == 1

    controller.configure(config_of(2, 60))
    await controller._write_later(0.0, subjects[0])
    await controller._write_later(0.0, subjects[-1])  # is configured no more
    assert len(made) == 2
    assert len(stream.written) == 3001

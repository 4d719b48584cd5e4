"""The life of a process: begun, told to reload, ended."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from smtp_probe.app.lifetime import DaemonOptions, Lifetime, do_chores, make_server, open_at_last
from smtp_probe.errors import ConfigError, ConfigProblem, JournalError
from smtp_probe.report.archive import Archive
from tests.report.golden_page import CONFIG as GOLDEN_CONFIG
from tests.report.golden_page import make_golden_telemetry
from tests.report.web.stage import StageApplication

OPTIONS = DaemonOptions(config_file=Path("smtp-probe.yaml"), listen_addresses=("127.0.0.1:0",))


class Config:
    routes = ("one", "two")


class Life:
    """What a lifetime is given, and what it did with it."""

    def __init__(self) -> None:
        self.config: Config | ConfigError = Config()
        self.taken: list[object] = []
        self.told: list[bool] = []
        self.reloaded = asyncio.Event()
        self.ended: list[bool] = []
        self.lifetime = Lifetime(
            load=self.load, take_over=self.taken.append, reloaded=self.tell, status=lambda: "working"
        )

    def tell(self, ok: bool) -> None:
        self.told.append(ok)
        self.reloaded.set()

    def load(self):
        if isinstance(self.config, ConfigError):
            raise self.config
        return self.config

    async def end(self, working: asyncio.Task[None]) -> None:
        self.ended.append(working.done())
        working.cancel()
        (result,) = await asyncio.gather(working, return_exceptions=True)
        if isinstance(result, Exception):
            raise result


@pytest.fixture
async def life():
    life = Life()
    yield life
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_a_configuration_that_loads_is_taken_over_and_told(life) -> None:
    await life.lifetime.reload()
    assert life.taken == [life.config]
    assert life.told == [True]


async def test_a_configuration_that_does_not_load_changes_nothing(life) -> None:
    life.config = ConfigError((ConfigProblem(message="no such key", path="routes"),))
    with pytest.raises(ConfigError):
        await life.lifetime.reload()
    assert life.taken == []
    assert life.told == [False]


async def test_signals_reload_and_end_a_life_that_has_begun(life, tmp_path) -> None:
    pages = StageApplication(make_golden_telemetry(), GOLDEN_CONFIG, Archive(tmp_path / "journal.db"))
    server = make_server(pages, OPTIONS)
    await life.lifetime.begin(server, OPTIONS)
    living = asyncio.create_task(life.lifetime.live(asyncio.sleep(60), life.end))
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(10):
        await life.reloaded.wait()
        assert not living.done()
        os.kill(os.getpid(), signal.SIGTERM)
        await living
    await server.stop()
    assert life.taken == [life.config]
    assert life.ended == [False]


async def test_work_that_fails_ends_the_life_with_its_error(life) -> None:
    async def work() -> None:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        await life.lifetime.live(work(), life.end)
    assert life.ended == [True]


async def test_a_journal_is_opened_as_often_as_it_takes_and_the_reason_is_said_once(caplog) -> None:
    results = [JournalError("disk full"), JournalError("disk full"), OSError("no such folder"), None]
    failures: list[None] = []

    async def attempt() -> None:
        if (result := results.pop(0)) is not None:
            raise result

    await open_at_last(attempt, failing="nothing is sent", seconds=0, failed=lambda: failures.append(None))
    assert len(failures) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "nothing is sent: disk full",
        "nothing is sent: no such folder",
    ]


async def test_chores_are_done_at_once_and_then_now_and_again() -> None:
    done = asyncio.Event()

    class Program:
        async def forget_old(self) -> None:
            done.set()

    chores = asyncio.create_task(do_chores(Program()))
    async with asyncio.timeout(5):
        await done.wait()
    assert not chores.done()
    chores.cancel()

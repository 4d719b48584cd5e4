"""A watcher opens what is ours some at a time, and leaves at once what is not."""

import asyncio
from types import SimpleNamespace

import pytest

from smtp_probe.app.engine import watcher as watcher_module
from smtp_probe.app.engine.leases import Leases
from smtp_probe.app.engine.watcher import Watcher
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.names import Names

AT_ONCE = watcher_module._OPENED_AT_ONCE
GROUPS = {f"g{number}": frozenset(f"box{number}.{each}" for each in range(400)) for number in range(4)}


class Program:
    """Knows what is watched, in the order in which it was told."""

    def __init__(self):
        self.told = []
        self.left = []
        self.config = None
        self.verdicts = SimpleNamespace()
        self.telemetry = SimpleNamespace(engine=SimpleNamespace(groups=lambda _: None))
        self.ledger = SimpleNamespace(leave=self.leave)

    def watch(self, mailboxes):
        self.told.append(mailboxes)

    def leave(self, mailboxes):
        self.left.extend(mailboxes)
        return ()


@pytest.fixture
async def made(monkeypatch):
    async def last(*_):
        raise EngineError("none in this test")

    monkeypatch.setattr(watcher_module, "_OPEN_MORE_SECONDS", 0.001)
    program, stream = Program(), SimpleNamespace(names=Names("test"), last=last)
    leases = Leases(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    leases.groups = GROUPS
    watcher = Watcher(program, SimpleNamespace(), stream, SimpleNamespace(), leases)  # type: ignore[arg-type]
    yield watcher, program
    await watcher.stop()


async def until(claim):
    async with asyncio.timeout(5):
        while not claim():
            await asyncio.sleep(0.001)


async def test_many_mailboxes_are_opened_some_at_a_time(made):
    watcher, program = made
    ours = frozenset().union(*GROUPS.values())
    watcher.leases_changed(frozenset(GROUPS))
    await until(lambda: program.told[-1] == ours)

    sizes = [len(each) for each in program.told]
    assert max(b - a for a, b in zip([0, *sizes], sizes, strict=False)) <= AT_ONCE
    assert all(a < b for a, b in zip(program.told, program.told[1:], strict=False))


async def test_what_is_lost_is_left_at_once_also_while_others_are_being_opened(made):
    watcher, program = made
    watcher.leases_changed(frozenset(GROUPS))
    assert len(program.told[-1]) < 4 * 400
    watcher.leases_changed(frozenset({"g1", "g3"}))

    assert program.told[-1] <= GROUPS["g1"] | GROUPS["g3"]
    assert set(program.left) == GROUPS["g0"] | GROUPS["g2"]
    await until(lambda: program.told[-1] == GROUPS["g1"] | GROUPS["g3"])


async def test_a_few_mailboxes_are_opened_in_one_step(made):
    watcher, program = made
    watcher._leases.groups = {"one": frozenset({"a", "b"}), "two": frozenset({"c"})}
    watcher.leases_changed(frozenset({"one", "two"}))

    assert program.told == [frozenset("abc")]


async def test_messages_wait_until_the_events_are_read_and_no_longer_than_a_while(made, monkeypatch):
    monkeypatch.setattr(watcher_module, "_TOLD_SECONDS", 0.05)
    watcher, program = made
    watcher.leases_changed(frozenset({"g1"}))
    waiting = asyncio.create_task(program.is_told("box1.7"))
    await program.is_told("box2.7")  # nobody reads what is not ours
    await asyncio.sleep(0)
    assert not waiting.done()
    await waiting

    watcher._leases.groups = {**GROUPS, "g9": frozenset({"z"})}
    watcher.leases_changed(frozenset({"g9"}))
    waiting = asyncio.create_task(program.is_told("z"))
    await asyncio.sleep(0)
    watcher.leases_changed(frozenset())  # nor does anybody wait for what is ours no more
    await asyncio.wait_for(waiting, 0.02)

"""Mailboxes that a route joins are watched by one, who keeps them however busy he is."""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from smtp_probe.app.engine import leases as leases_module
from smtp_probe.app.engine.leases import MOST_GROUPS, PREFIX, Leases, group_mailboxes
from smtp_probe.errors import EngineError
from tests.report.samples import make_config


def test_what_bounces_join_is_one_group():
    config = make_config()
    route = next(iter(config.routes.values()))
    routes = {
        "a": route.model_copy(update={"mailbox": "one", "bounce_mailbox": "bounces"}),
        "b": route.model_copy(update={"mailbox": "two", "bounce_mailbox": "bounces"}),
        "c": route.model_copy(update={"mailbox": "three", "bounce_mailbox": None}),
    }

    mailbox = next(iter(config.mailboxes.values()))
    mailboxes = dict.fromkeys(("one", "two", "three", "bounces", "unused"), mailbox)

    groups = group_mailboxes(config.model_copy(update={"routes": routes, "mailboxes": mailboxes}))

    assert groups == {
        "bounces": frozenset({"one", "two", "bounces"}),
        "three": frozenset({"three"}),
        "unused": frozenset({"unused"}),  # a probe may still wait for it
    }


def test_many_mailboxes_are_thrown_together_and_stay_where_they_are():
    config = make_config()
    mailbox = next(iter(config.mailboxes.values()))

    def groups_of(count):
        names = [f"box{number}" for number in range(count)]
        return group_mailboxes(
            config.model_copy(update={"routes": {}, "mailboxes": dict.fromkeys(names, mailbox)})
        )

    few, many, more = groups_of(MOST_GROUPS), groups_of(5000), groups_of(5001)

    assert len(few) == len(many) == MOST_GROUPS
    assert set(few) == {f"box{number}" for number in range(MOST_GROUPS)}
    assert sum(map(len, many.values())) == 5000
    assert sum(many[key] != more[key] for key in many) == 1
    assert max(map(len, many.values())) < 2 * 5000 / MOST_GROUPS


LEASE = 0.2
GROUPS = {f"g{number:02}": frozenset({f"box{number}"}) for number in range(40)}


class Keys:
    """A bucket whose keys pass away in real time. `is_there` is false while it cannot be asked."""

    def __init__(self):
        self.kept = {}
        self.is_there = True
        self.count = 0

    def _now(self, key):
        if not self.is_there:
            raise EngineError("gone")
        value, revision, until = self.kept.get(key, (None, 0, 0.0))
        return (value, revision) if time.monotonic() < until else (None, 0)

    def put(self, key, value):
        self.count += 1
        self.kept[key] = value, self.count, time.monotonic() + LEASE
        return self.count

    async def claim(self, key, value, is_ours):
        await asyncio.sleep(0)
        known, _ = self._now(key)
        return self.put(key, value) if known is None or is_ours(known) else None

    async def renew(self, key, value, revision, _is_ours):
        await asyncio.sleep(0)
        return self.put(key, value) if self._now(key)[1] == revision else None

    async def give_up(self, key, _revision):
        self.kept.pop(key, None)


@asynccontextmanager
async def holding(keys, told):
    """One watcher among one, who holds all groups."""
    members = SimpleNamespace(
        own_id="us",
        lease_seconds=LEASE,
        alive=lambda _: ["us"],
        is_ours=lambda value: json.loads(value)["by"] == "us",
    )
    leases = Leases(keys, members)  # type: ignore[arg-type]
    leases.groups, leases.changed = GROUPS, told.append
    task = asyncio.create_task(leases.run())
    while not told or told[-1] != GROUPS.keys():
        await asyncio.sleep(0.001)
    told.clear()
    yield leases
    task.cancel()


async def test_leases_that_passed_away_in_a_busy_while_are_kept_where_nobody_took_them():
    told = []
    async with holding(Keys(), told) as leases:
        for _ in range(3):
            time.sleep(LEASE * 1.5)  # a long step of this process
            await asyncio.sleep(LEASE / 2)
        assert leases.held == GROUPS.keys()

    assert told == []


async def test_leases_that_another_took_in_a_busy_while_are_left():
    told, keys = [], Keys()
    async with holding(keys, told):
        time.sleep(LEASE * 1.5)
        for key in list(keys.kept)[:3]:
            keys.put(key, json.dumps({"by": "another"}).encode())
        while not told:
            await asyncio.sleep(0.001)

    assert PREFIX + "g00" in keys.kept
    assert told[0] == GROUPS.keys() - {"g00", "g01", "g02"}


async def test_what_cannot_be_renewed_is_left_when_its_time_is_over():
    told, keys = [], Keys()
    async with holding(keys, told) as leases:
        keys.is_there = False
        begun = time.monotonic()
        while leases.held:
            await asyncio.sleep(0.001)
        assert LEASE / 2 < time.monotonic() - begun < LEASE * 10

    assert told[-1] == frozenset()


@pytest.mark.parametrize("step", [LEASE / 20, LEASE / 6])
async def test_leases_are_renewed_beside_work_that_never_ends(step):
    told = []

    async def work():
        while True:
            time.sleep(step)
            await asyncio.sleep(0)

    async with holding(Keys(), told) as leases:
        working = asyncio.create_task(work())
        await asyncio.sleep(LEASE * 4)
        working.cancel()
        assert leases.held == GROUPS.keys()

    assert told == []


async def test_all_is_told_once_a_lease_and_when_a_mailbox_has_changed():
    told = []
    async with holding(Keys(), []) as leases:

        def describe(key, is_whole):
            told.append((key, is_whole))
            return {}

        leases.describe = describe
        await asyncio.sleep(4 * LEASE)
        of_one = [is_whole for key, is_whole in told if key == "g07"]
        assert 2 <= of_one.count(True) < of_one.count(False)

        while told[-40:] != [(key, False) for key in GROUPS]:  # a turn in which nothing had to be told
            await asyncio.sleep(0.001)
        leases.tell_whole("g07")
        while len(told) % 40 or ("g07", True) not in told[-40:]:
            await asyncio.sleep(0.001)


async def test_who_is_hurried_is_renewed_before_the_others(monkeypatch):
    monkeypatch.setattr(leases_module, "_SOON_SECONDS", 0.001)
    told = []
    async with holding(Keys(), []) as leases:

        def describe(key, _is_whole):
            told.append(key)
            return {}

        leases.describe = describe
        while len(told) < 40:
            await asyncio.sleep(0.001)
        del told[:]
        leases.hurry("g07")
        while not told:
            await asyncio.sleep(0.001)
        assert told == ["g07"]

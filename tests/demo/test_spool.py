from __future__ import annotations

import asyncio

import pytest

from smtp_probe.demo.spool import Spool


async def test_a_full_spool_takes_nothing_more() -> None:
    spool = Spool("host", 2)
    gate = asyncio.Event()
    done: list[str] = []

    async def carry(name: str) -> None:
        await gate.wait()
        done.append(name)

    assert spool.add(carry("a"))
    assert spool.add(carry("b"))
    assert spool.is_full
    assert not spool.add(carry("c"))
    gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == ["a", "b"]
    assert not spool.is_full
    await spool.close()


async def test_closing_drops_what_is_on_its_way() -> None:
    spool = Spool("host", 2)
    spool.add(asyncio.sleep(3600))
    await spool.close()
    assert len(asyncio.all_tasks()) == 1


async def test_a_bug_in_a_task_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool("host", 2)

    async def fail() -> None:
        message = "a bug"
        raise LookupError(message)

    spool.add(fail())
    await asyncio.sleep(0)
    await spool.close()
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)

"""What the kernel tells of directories."""

from __future__ import annotations

import asyncio
import sys

import pytest

from smtp_probe.network.directory_events import DirectoryEvents


async def test_what_comes_in_is_told_also_before_anybody_waits(tmp_path):
    (tmp_path / "in").mkdir()
    events = DirectoryEvents.watch([tmp_path / "in"], tmp_path)
    (tmp_path / "beside").touch()  # of no interest
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(events.wait(), 0.05)
    (tmp_path / "in/one").touch()
    (tmp_path / "in/two").touch()
    await asyncio.wait_for(events.wait(), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(events.wait(), 0.05)  # both were one piece of news
    asyncio.get_running_loop().call_later(0.02, (tmp_path / "in/three").touch)
    await asyncio.wait_for(events.wait(), 5)
    asyncio.get_running_loop().call_later(0.02, tmp_path.rename, tmp_path.with_name("away"))
    await asyncio.wait_for(events.wait(), 5)
    events.close()


async def test_where_nothing_is_told_the_caller_is_left_waiting(tmp_path, monkeypatch):
    gone = DirectoryEvents.watch([tmp_path / "missing"], tmp_path)
    monkeypatch.setitem(sys.modules, "asyncinotify", None)
    untold = DirectoryEvents.watch([tmp_path], tmp_path)
    for events in (gone, untold):
        assert not events.is_told
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(events.wait(), 0.01)
        events.close()

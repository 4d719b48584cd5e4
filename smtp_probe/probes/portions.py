"""Doing the same with many things, some of them beside each other.

In: things in an order, and what is to be done with each. Out: portions of them, of which each is done as a whole before the next
one begins. Pure besides the waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def portions(things: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Some at a time, in their order."""
    for start in range(0, len(things), size):
        yield things[start : start + size]


async def do_together(work: Callable[[_T], Awaitable[None]], things: Sequence[_T]) -> None:
    """Begin with all of them in their order, and wait for all. Raises what the first of them raised, when none is at work any more."""
    if len(things) == 1:
        await work(things[0])
        return
    for failure in await asyncio.gather(*(work(each) for each in things), return_exceptions=True):
        if failure is not None:
            raise failure

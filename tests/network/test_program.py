"""Programs of this machine: their output whole, their complaint bounded, and nothing left when they are given up."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from smtp_probe.network.program import run_program


def count_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_output_code_and_complaint():
    pieces = []
    code = "import sys; sys.stdout.write('x' * 100_000); sys.stderr.write('y' * 100_000); sys.exit(3)"
    found, complaint = await run_program([sys.executable, "-c", code], pieces.append)

    assert (found, b"".join(pieces)) == (3, b"x" * 100_000)
    assert 0 < len(complaint) <= 4096


async def test_the_language_of_messages_is_none():
    pieces = []
    await run_program([sys.executable, "-c", "import os; print(os.environ['LC_ALL'])"], pieces.append)

    assert b"".join(pieces) == b"C\n"


async def test_who_is_cancelled_waits_for_nobody():
    async def run():
        await run_program(["sleep", "60"], lambda _: None)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await run()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_who_is_cancelled_in_the_middle_of_much_output_leaves_no_pipe_behind(stream):
    code = f"import sys\nwhile True: sys.{stream}.write('x' * 100_000)"

    async def run():
        await run_program([sys.executable, "-c", code], lambda _: time.sleep(0.01))  # the pipe is always full

    before = count_descriptors()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await run()

    assert time.monotonic() - started < 4.0
    await asyncio.sleep(0.05)
    assert count_descriptors() == before


async def test_what_cannot_be_started_is_an_error():
    with pytest.raises(FileNotFoundError):
        await run_program(["/no/such/program"], lambda _: None)

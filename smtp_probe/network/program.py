"""Runs a program of this machine and reads what it says: within a deadline, without a shell, and leaving nothing behind.

In: program and arguments, and who takes its output. Out: its output, in pieces or whole, or an error. A program that is too
slow is killed with everything that it started.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

PIECE_BYTES = 16_384
"""Some fifty entries of a queue: a few milliseconds, in which nothing else is done."""
_MOST_COMPLAINT_BYTES = 4096
_REAP_SECONDS = 5.0


async def run_program(command: Sequence[str], take: Callable[[bytes], None]) -> tuple[int, bytes]:
    """Give every piece of the output to `take`, which must not raise; then the exit code and what it complained of.

    Raises OSError when it cannot be started. To be called under a deadline: being cancelled kills the program.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaint = asyncio.create_task(_read_start(process.stderr))
    try:
        async for piece in pieces_of(process.stdout):
            take(piece)
        return await process.wait(), await complaint
    finally:
        complaint.cancel()
        await _end_process(process, complaint)


async def pieces_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Give what is there, piece by piece, to the end."""
    while piece := await reader.read(PIECE_BYTES):
        yield piece
        await asyncio.sleep(0)  # what is there already is read without a wait: let the probes have their turn


async def _read_start(reader: asyncio.StreamReader) -> bytes:
    """Give the first bytes, and read the rest so that nobody waits for us."""
    start = bytearray()
    async for piece in pieces_of(reader):
        start += piece[: _MOST_COMPLAINT_BYTES - len(start)]
    return bytes(start)


async def _end_process(process: asyncio.subprocess.Process, complaint: asyncio.Task[bytes]) -> None:
    """Kill what still runs, and reap it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(_reap(process, complaint)), _REAP_SECONDS)


async def _reap(process: asyncio.subprocess.Process, complaint: asyncio.Task[bytes]) -> None:
    """Read to the end what nobody wants: a full pipe that is not read is never closed, and the end never told."""
    await asyncio.wait([complaint])
    for reader in (process.stdout, process.stderr):
        while reader is not None and await reader.read(PIECE_BYTES):
            pass
    await process.wait()

"""Live updates: server-sent events that say that something changed, never what.

In: a request. Out: a stream of `change` events, one at once and then one a second at most, each with the name of what is
shown now. A page has the name of what it shows, and fetches itself anew when it hears another: so nothing is missed while
it was loaded, or the daemon was started anew. So many streams at once, each for an hour at most; a client that does not
read is cut off.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from smtp_probe.report.web.answers import text_answer
from smtp_probe.report.web.application import Application

MAX_STREAMS = 64
_LOOK_SECONDS = 1.0
_SIGN_OF_LIFE_SECONDS = 15.0
_LONGEST_SECONDS = 3600.0
_WRITE_SECONDS = 5.0
_LARGEST_NAME = (1 << 48) - 1


def name_of_now(application: Application) -> str:
    """Name what the pages show now: another name after each change, and after each start."""
    telemetry = application.telemetry
    observations = telemetry.observations
    shown = (
        observations.started_ns, telemetry.history.version, observations.health(), id(application.checks),
    )  # fmt: skip
    return f"{hash(shown) & _LARGEST_NAME:x}"


class LiveUpdates:
    """The streams of one server."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._streams = 0
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End all streams: the server stops."""
        self._ending.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream until the client goes away, an hour has passed, or the server stops."""
        if self._streams >= MAX_STREAMS:
            return text_answer("too many live pages at once", status=503)
        self._streams += 1
        try:
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
            )
            await response.prepare(request)
            await self._tell(request, response)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._streams -= 1
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        ends_at, silent_since = loop.time() + _LONGEST_SECONDS, loop.time()
        known = name_of_now(self._application)
        await _write(response, f"retry: 3000\n{_change(known)}".encode())
        while loop.time() < ends_at and not self._ending.is_set():
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._ending.wait()
            except TimeoutError:
                pass
            if request.transport is None or request.transport.is_closing():
                return
            now = name_of_now(self._application)
            if now != known:
                known, silent_since = now, loop.time()
                await _write(response, _change(now).encode())
            elif loop.time() - silent_since > _SIGN_OF_LIFE_SECONDS:
                silent_since = loop.time()
                await _write(response, b": alive\n\n")


def _change(name: str) -> str:
    return f"event: change\ndata: {name}\n\n"


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_SECONDS):
        await response.write(data)

"""The HTTP server: metrics, health, readiness, reload and a landing page.

In: requests, and the application through `AppState`. Out: answers. Rendering is done in threads; an answer that takes
longer than `_ANSWER_SECONDS` is a 503. Nothing in a request is trusted: its sizes are bounded, its body is not read,
its host is not used, and a browser that was led here by another site cannot reload the configuration.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Protocol

from aiohttp import web
from aiohttp.http import HttpProcessingError

from smtp_probe.errors import ConfigError
from smtp_probe.report.exposition import Page
from smtp_probe.report.listen import bound_address, open_socket, parse_listen_address
from smtp_probe.report.pages import render_landing_page, style_hash, take_overview
from smtp_probe.report.telemetry import Telemetry

_log = logging.getLogger(__name__)
_server_log = _log.getChild("server")
_ANSWER_SECONDS = 30.0
_SEND_SECONDS = 20.0
_STOP_SECONDS = 1.8
_LAST_ANSWERS_SECONDS = 0.7
"""How long answers under way may take when the server stops."""
_MAX_SCRAPES = 20
"""Scrapes that may wait at once; more are told to come back."""
_PIECE_BYTES = 262_144

_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {style_hash()}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "smtp-probe",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AppState(Protocol):
    """What the server needs of the application."""

    @property
    def telemetry(self) -> Telemetry:
        """What is counted and shown."""
        ...

    @property
    def is_lifecycle_enabled(self) -> bool:
        """Whether `POST /-/reload` is allowed (--web.enable-lifecycle)."""
        ...

    async def reload(self) -> None:
        """Load the configuration anew and use it. Raises ConfigError; then the old one stays in use."""
        ...


class WebServer:
    """The server on all its addresses. Raises ConfigError for an address that cannot be read."""

    def __init__(self, app_state: AppState, listen_addresses: Sequence[str]) -> None:
        self._state = app_state
        self._addresses = tuple(map(parse_listen_address, listen_addresses))
        self._runner: web.AppRunner | None = None
        self._scrapes = 0

    async def start(self) -> list[str]:
        """Listen on all addresses. Gives those that are really bound. Raises ConfigError, then none is."""
        runner = web.AppRunner(
            self._routes(),
            access_log=None,
            shutdown_timeout=_LAST_ANSWERS_SECONDS,
            logger=_server_log,
            keepalive_timeout=75.0,
            max_line_size=2048,
            max_field_size=4096,
            lingering_time=1.0,
        )
        with ExitStack() as opened:
            sockets = [opened.enter_context(open_socket(address)) for address in self._addresses]
            await runner.setup()
            for bound in sockets:
                await web.SockSite(runner, bound).start()
            opened.pop_all()  # they are the runner's now
        self._runner = runner
        return [str(bound_address(bound)) for bound in sockets]

    async def stop(self) -> None:
        """Answer what is under way, within two seconds, and listen no more."""
        runner, self._runner = self._runner, None
        if runner is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await runner.cleanup()

    def _routes(self) -> web.Application:
        application = web.Application(middlewares=[_guard], client_max_size=1024)
        application.router.add_get("/", self._landing)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/-/healthy", self._healthy)
        application.router.add_get("/-/ready", self._ready)
        application.router.add_post("/-/reload", self._reload)
        return application

    async def _landing(self, _: web.Request) -> web.StreamResponse:
        telemetry = self._state.telemetry
        overview = take_overview(telemetry.observations, telemetry.history)
        async with asyncio.timeout(_ANSWER_SECONDS):
            page = await asyncio.to_thread(render_landing_page, overview)
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        if self._scrapes >= _MAX_SCRAPES:
            return _text("too many scrapes at once, try again later", status=503)
        self._scrapes += 1
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                page = await self._state.telemetry.exposition.page(
                    ",".join(request.headers.getall("Accept", ())),
                    ",".join(request.headers.getall("Accept-Encoding", ())),
                )
        finally:
            self._scrapes -= 1
        return await _send(request, page)

    async def _healthy(self, _: web.Request) -> web.StreamResponse:
        return _text("smtp-probe is healthy.")

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        health = self._state.telemetry.observations.health()
        if health.is_ready:
            return _text("smtp-probe is ready.")
        reasons = [f"mailbox {name} is not watched" for name in health.unwatched]
        if not health.is_journal_up:
            reasons.insert(0, "the journal cannot be written")
        return _text("smtp-probe is not ready:\n" + "\n".join(reasons), status=503)

    async def _reload(self, request: web.Request) -> web.StreamResponse:
        if not self._state.is_lifecycle_enabled:
            return _text("reloading over HTTP is not enabled: start with --web.enable-lifecycle", status=403)
        if "Origin" in request.headers:
            return _text("reloading from a web page is not allowed", status=403)
        try:
            # Shielded: a configuration is taken over as a whole, however long a client waits for it.
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asyncio.shield(asyncio.ensure_future(self._state.reload()))
        except ConfigError as error:
            return _text(f"the configuration was not changed:\n{error}", status=500)
        return _text("the configuration has been reloaded.")


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every answer its headers, and never an inner detail."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _text(error.reason, status=error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except TimeoutError:
        response = _text("no answer in time", status=503)
    except Exception:  # noqa: BLE001 - a bug in one page must not end the others: it is logged and counted
        _log.exception("a request failed by our own fault", extra={"path": request.path})
        response = _text("internal error", status=500)
    if not response.prepared:
        response.headers.update(_SECURITY_HEADERS)
    return response


async def _send(request: web.Request, page: Page) -> web.StreamResponse:
    """Send a page. A client that goes away or does not read is cut off, and is no fault of ours."""
    response = web.StreamResponse(headers={**_SECURITY_HEADERS, "Vary": "Accept, Accept-Encoding"})
    response.headers["Content-Type"] = page.content_type
    if page.is_gzipped:
        response.headers["Content-Encoding"] = "gzip"
    response.content_length = page.size_bytes
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await _write(request, response, page)
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(request: web.Request, response: web.StreamResponse, page: Page) -> None:
    """Write in pieces, so that no large copy holds the event loop up."""
    await response.prepare(request)
    if request.method != "HEAD":
        for piece in page.pieces:
            for start in range(0, len(piece), _PIECE_BYTES):
                await response.write(piece[start : start + _PIECE_BYTES])
    await response.write_eof()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record of aiohttp's tells of a bug; it logs what is no HTTP request with a traceback as well."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


_server_log.addFilter(_is_ours)


def _text(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text + "\n", status=status, content_type="text/plain", charset="utf-8")

"""The HTTP server: pages, API, metrics, health, readiness and reload.

In: requests, and the application through `web.application`. Out: answers. Rendering is done in threads; an answer that
takes longer than `_ANSWER_SECONDS` is a 503. Nothing in a request is trusted: its sizes are bounded, its body is not
read, its host is not used, and a browser that was led here by another site cannot change anything.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Middleware

from smtp_probe.errors import ConfigError
from smtp_probe.report.archive import ArchiveError
from smtp_probe.report.doors.connections import Connections
from smtp_probe.report.doors.conversation import Conversation
from smtp_probe.report.doors.doorkeeper import Doorkeeper
from smtp_probe.report.exposition import Page
from smtp_probe.report.listen import bound_address, open_socket, parse_listen_address
from smtp_probe.report.web.answers import Handler, Workshop, text_answer
from smtp_probe.report.web.api import Api, is_from_web_page
from smtp_probe.report.web.application import Application
from smtp_probe.report.web.live import LiveUpdates
from smtp_probe.report.web.place import Place
from smtp_probe.report.web.rendering import CONTENT_SECURITY_POLICY
from smtp_probe.report.web.site import Site

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
_BACKLOG = 128

_SERVER = {"Server": "smtp-probe"}
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class WebServer:
    """The server on all its addresses. Raises ConfigError for an address that cannot be read."""

    def __init__(
        self,
        application: Application,
        listen_addresses: Sequence[str],
        *,
        place: Place | None = None,
        web_config_file: Path | None = None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        self._application = application
        self._addresses = tuple(map(parse_listen_address, listen_addresses)) if not sockets else ()
        self._sockets = sockets
        self._place = place or Place()
        self._base = self._place.base
        self._doors = Doorkeeper(web_config_file, time.monotonic)
        self._connections: Connections | None = None
        self._runner: web.AppRunner | None = None
        self._live: LiveUpdates | None = None
        self._scrapes = 0

    async def start(self) -> list[str]:
        """Listen on all addresses. Gives those that are really bound. Raises ConfigError, then none is."""
        runner = web.AppRunner(self._routes(), shutdown_timeout=_LAST_ANSWERS_SECONDS)
        with ExitStack() as opened:
            sockets = [opened.enter_context(open_socket(address)) for address in self._addresses]
            sockets += [opened.enter_context(given) for given in self._sockets]
            await runner.setup()
            assert runner.server is not None
            self._connections = Connections(self._converse(runner.server), self._doors.tls())
            for bound in sockets:
                await _Site(runner, bound, self._connections).start()
            opened.pop_all()  # they are the runner's now
        self._runner = runner
        return [str(bound_address(bound)) for bound in sockets]

    async def stop(self) -> None:
        """Answer what is under way, within two seconds, and listen no more."""
        runner, self._runner = self._runner, None
        if self._live is not None:
            self._live.end()
        if runner is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await runner.cleanup()
            if self._connections is not None:
                await self._connections.close()

    def _converse(self, server: web.Server) -> Callable[[], Conversation]:
        return partial(
            Conversation,
            server,
            headers=_HEADERS | _SERVER,
            loop=asyncio.get_running_loop(),
            access_log=None,
            logger=_server_log,
            keepalive_timeout=75.0,
            max_line_size=2048,
            max_field_size=4096,
            lingering_time=1.0,
        )

    def _routes(self) -> web.Application:
        site = Site(self._application, workshop := Workshop(), self._base, self._place.base_url)
        self._live = LiveUpdates(self._application)
        api = Api(self._application, workshop, self._base, time.monotonic)
        handlers = web.Application(middlewares=[self._guard(site, api)], client_max_size=1024)
        handlers.on_response_prepare.append(self._add_headers)
        router = handlers.router
        site.add_to(router)
        api.add_to(router)
        router.add_get(self._base + "live", self._live.answer)
        router.add_get(self._base + "metrics", self._metrics)
        router.add_get(self._base + "-/healthy", self._healthy)
        router.add_get(self._base + "-/ready", self._ready)
        router.add_post(self._base + "-/reload", self._reload)
        return handlers

    def _guard(self, site: Site, api: Api) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            assert self._connections is not None
            self._connections.asked(request.protocol)
            try:
                response = await self._doors.refuse(request) or await _answer(request, handler, site, api)
                return await _finish(request, response)
            finally:
                self._connections.answered(request.protocol)

        return guard

    async def _add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        """Give every answer its headers, also one that is a stream."""
        response.headers.update(self._doors.headers)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.update(_SERVER)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        if self._scrapes >= _MAX_SCRAPES:
            return text_answer("too many scrapes at once, try again later", status=503)
        self._scrapes += 1
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                page = await self._application.telemetry.exposition.page(
                    ",".join(request.headers.getall("Accept", ())),
                    ",".join(request.headers.getall("Accept-Encoding", ())),
                )
        finally:
            self._scrapes -= 1
        return await _send(request, page)

    async def _healthy(self, _: web.Request) -> web.StreamResponse:
        return text_answer("smtp-probe is healthy.")

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        health = self._application.telemetry.observations.health()
        if health.is_ready:
            return text_answer("smtp-probe is ready.")
        reasons = [f"mailbox {name} is not watched" for name in health.neglected]
        if health.events_to_count != 0:
            number = "" if health.events_to_count is None else f"{health.events_to_count} "
            reasons.insert(0, f"{number}events of the engine are still to be counted")
        if not health.is_journal_up:
            reasons.insert(0, "the journal cannot be written")
        return text_answer("smtp-probe is not ready:\n" + "\n".join(reasons), status=503)

    async def _reload(self, request: web.Request) -> web.StreamResponse:
        if not self._application.is_lifecycle_enabled:
            return text_answer(
                "reloading over HTTP is not enabled: start with --web.enable-lifecycle", status=403
            )
        if is_from_web_page(request):
            return text_answer("reloading from a web page is not allowed", status=403)
        try:
            # Shielded: a configuration is taken over as a whole, however long a client waits for it.
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asyncio.shield(asyncio.ensure_future(self._application.reload()))
        except ConfigError as error:
            return text_answer(f"the configuration was not changed:\n{error}", status=500)
        return text_answer("the configuration has been reloaded.")


class _Site(web.BaseSite):
    """A listening socket, whose connections are counted and secured by `Connections`."""

    def __init__(self, runner: web.AppRunner, bound: socket.socket, connections: Connections) -> None:
        super().__init__(runner, backlog=_BACKLOG)
        self._bound = bound
        self._accept = connections.accept

    @property
    def name(self) -> str:
        """Where it listens."""
        return str(bound_address(self._bound))

    async def start(self) -> None:
        """Listen."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, sock=self._bound, backlog=_BACKLOG
        )


async def _answer(request: web.Request, handler: Handler, site: Site, api: Api) -> web.StreamResponse:
    """Answer, whatever happens, and never with an inner detail."""

    def refuse(reason: str, status: int) -> web.Response:
        return api.refuse_below(request, status, reason) or text_answer(reason, status=status)

    try:
        return await handler(request)
    except web.HTTPException as error:
        response = refuse(error.reason, error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except ArchiveError as error:
        return await site.unreadable(error)
    except TimeoutError:
        return refuse("no answer in time", 503)
    except Exception:  # noqa: BLE001 - a bug in one page must not end the others: it is logged and counted
        _log.exception("a request failed by our own fault", extra={"path": request.path})
        return refuse("internal error", 500)


async def _send(request: web.Request, page: Page) -> web.StreamResponse:
    """Send a metrics page."""
    response = web.StreamResponse(headers={"Vary": "Accept, Accept-Encoding"})
    response.headers["Content-Type"] = page.content_type
    if page.is_gzipped:
        response.headers["Content-Encoding"] = "gzip"
    response.content_length = page.size_bytes
    await _within_time(request, _write(request, response, page))
    return response


async def _finish(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send an answer whole, within its time."""

    async def send() -> None:
        await response.prepare(request)
        await response.write_eof()

    if not response.prepared:
        await _within_time(request, send())
    return response


async def _within_time(request: web.Request, sending: Awaitable[None]) -> None:
    """Send. A client that goes away or does not read is cut off, and is no fault of ours."""
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await sending
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()


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

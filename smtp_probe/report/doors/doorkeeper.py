"""The file of `--web.config.file` in force: who is let in, over which TLS, with which headers.

In: the path, or None for open doors. Out: an answer for each request that is not let in, and a TLS context. The file and
those it names are looked at with each request and each handshake, as exporter-toolkit does; one that has become wrong is
logged, and the one before stays in force. Whether there is TLS at all is settled at the start.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from smtp_probe.config.web_file import WebConfig, load_web_config
from smtp_probe.errors import ConfigError
from smtp_probe.report.doors.certificates import is_allowed, make_context, renewed
from smtp_probe.report.doors.rate import ClientBuckets, TokenBucket, client_of
from smtp_probe.report.doors.users import Busy, Users

_log = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """One version of the file, and what was made of it."""

    config: WebConfig
    users: Users
    context: ssl.SSLContext | None
    bucket: TokenBucket | None
    clients: ClientBuckets | None = None


class Doorkeeper:
    """Keeps the doors of one server. `now` is a clock that never goes back. Raises ConfigError."""

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._stamp: _Stamp = ()
        self._said = ""
        self._rules = self._read()
        self._stamp = self._look()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the file sets; an empty one sets nothing."""
        return {name: value for name, value in self._rules.config.http_server_config.headers.items() if value}

    def tls(self) -> ssl.SSLContext | None:
        """The context to listen with; None for no TLS."""
        if self._rules.context is None:
            return None

        def current() -> ssl.SSLContext:
            self._refresh()
            assert self._rules.context is not None
            return self._rules.context

        return renewed(current)

    async def refuse(self, request: web.Request) -> web.Response | None:
        """Give the answer to a request that is not let in; None for one that is."""
        self._refresh()
        rules = self._rules
        wait_seconds = _wait_seconds(rules, request)
        if wait_seconds > 0:
            return _refusal(429, "too many requests", {"Retry-After": str(int(wait_seconds) + 1)})
        allowed = rules.config.tls_server_config.client_allowed_sans
        if allowed:
            transport = request.transport
            certificate = transport.get_extra_info("peercert") if transport is not None else None
            if not is_allowed(certificate, allowed):
                return _refusal(403, "this client certificate is not allowed", {"Connection": "close"})
        if rules.users:
            try:
                is_known = await rules.users.admit(request.headers.get("Authorization", ""))
            except Busy:
                return _refusal(503, "too many requests wait to be let in", {"Retry-After": "5"})
            if not is_known:
                return _refusal(
                    401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="smtp-probe", charset="UTF-8"'}
                )
        return None

    def _refresh(self) -> None:
        """Take over a file that has changed."""
        if self._path is None:
            return
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            rules = self._read()
            if (rules.context is None) != (self._rules.context is None):
                _log.warning(
                    "TLS is switched on or off at the next start only: the web configuration was not taken over"
                )
                return
        except ConfigError as error:
            if str(error) != self._said:
                self._said = str(error)
                _log.error("the web configuration was not taken over: %s", error)
            return
        self._rules, self._said = rules, ""
        self._stamp = self._look()
        _log.info("web configuration taken over")

    def _read(self) -> _Rules:
        if self._path is None:
            return _Rules(WebConfig(), Users({}), None, None)
        config = load_web_config(self._path)
        limit, each = config.rate_limit, config.client_rate_limit
        return _Rules(
            config,
            Users(config.basic_auth_users),
            make_context(config.tls_server_config) if config.tls_server_config.is_enabled else None,
            TokenBucket(1 / limit.interval, limit.burst, self._now) if limit.interval else None,
            ClientBuckets(1 / each.interval, each.burst, self._now) if each.interval else None,
        )

    def _look(self) -> _Stamp:
        if self._path is None:
            return ()
        tls = self._rules.config.tls_server_config if hasattr(self, "_rules") else None
        named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls is not None else ()
        return tuple(map(_stamp, (self._path, *named)))


def _wait_seconds(rules: _Rules, request: web.Request) -> float:
    """How long a request comes too early: by its client's bucket first, so that it takes nothing from the others'."""
    wait_seconds = 0.0
    if rules.clients is not None:
        wait_seconds = rules.clients.take(client_of(request.remote or ""))
    if not wait_seconds and rules.bucket is not None:
        wait_seconds = rules.bucket.take()
    return wait_seconds


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_mtime_ns, status.st_size, status.st_ino)


def _refusal(status: int, text: str, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, text=text + "\n", content_type="text/plain", headers=headers)

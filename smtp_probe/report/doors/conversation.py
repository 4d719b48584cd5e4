"""aiohttp's side of one connection, and what it answers to bytes that are no request.

In: aiohttp's server and its settings. Out: the protocol. aiohttp refuses a request that it cannot read by quoting it back;
here that is said in fixed words, with the headers that every answer has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong

_UNREADABLE = "this is no HTTP request that can be read"
_TOO_LARGE = "the request is too large"
_IS_TLS = "this port speaks HTTP, and was asked in HTTPS"
_FAULT = "internal error"
_ASKED_IN_TLS = "Received HTTPS traffic on an HTTP port"
"""How aiohttp says so."""


class Conversation(web.RequestHandler):
    """The protocol of one connection."""

    __slots__ = ("_headers",)

    def __init__(self, server: web.Server, *, headers: Mapping[str, str], **settings: Any) -> None:
        super().__init__(server, **settings)
        self._headers = headers

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what is no request, and end the connection."""
        super().handle_error(request, status, exc, message)  # writes the log, and minds an answer half sent
        response = web.Response(status=status, text=f"{_say(status, exc)}\n", headers=self._headers)
        response.force_close()
        return response


def _say(status: int, error: BaseException | None) -> str:
    if status >= 500:
        return _FAULT
    if isinstance(error, LineTooLong):
        return _TOO_LARGE
    if isinstance(error, BadHttpMethod) and error.message == _ASKED_IN_TLS:
        return _IS_TLS
    return _UNREADABLE

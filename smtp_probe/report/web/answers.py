"""Answers: text, HTML, JSON, and how a handler is kept within its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

_T = TypeVar("_T")
_ANSWER_SECONDS = 30.0
_COMPRESSED_BYTES = 2048
_MOST_WAITING = 32
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def text_answer(text: str, status: int = 200) -> web.Response:
    """Answer with a line of text."""
    return web.Response(text=text + "\n", status=status, content_type="text/plain", charset="utf-8")


def page_answer(html: str, status: int = 200) -> web.Response:
    """Answer with a page."""
    return _compressed(web.Response(text=html, status=status, content_type="text/html", charset="utf-8"))


def json_answer(body: bytes, status: int = 200) -> web.Response:
    """Answer with JSON that has been written already."""
    return _compressed(web.Response(body=body, status=status, content_type="application/json"))


def _compressed(response: web.Response) -> web.Response:
    body = response.body
    if isinstance(body, bytes) and len(body) > _COMPRESSED_BYTES:
        response.enable_compression()
    return response


class Workshop:
    """Renders in threads: two at a time, so that pages never take the processor from the probes, and with a deadline.

    Raises HTTPServiceUnavailable where too many wait already.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(2)
        self._waiting = 0

    async def render(self, work: Callable[..., _T], *arguments: object, **named: Any) -> _T:
        """Run `work` in a thread."""
        if self._waiting >= _MOST_WAITING:
            raise web.HTTPServiceUnavailable(reason="too many pages at once, try again later")
        self._waiting += 1
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), self._places:
                return await asyncio.to_thread(partial(work, *arguments, **named))
        finally:
            self._waiting -= 1

"""One page over HTTPS, from servers that are well and from those that are not."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from smtp_probe.config.settings import TlsOptions
from smtp_probe.errors import ResolverError
from smtp_probe.model import Cause, Phase, WebFailure
from smtp_probe.network.http import WebReader, explain
from tests.network.certificates import NAME, Certificates

pytestmark = pytest.mark.slow

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Names:
    """Every name is this machine, or what the test says."""

    def __init__(self, error: ResolverError | None = None) -> None:
        self.error = error

    async def addresses(self, host: str, family: str) -> Sequence[str]:
        if self.error is not None:
            raise self.error
        return ("127.0.0.1",)


@contextlib.asynccontextmanager
async def _serving(answer: Answer, tls: ssl.SSLContext) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _reader(port: int, ca_file: Path, **more: float) -> WebReader:
    return WebReader(_Names(), TlsOptions(ca_file=ca_file), port=port, **more)


async def _hello(request: web.Request) -> web.Response:
    return web.Response(
        text=f"hello {request.path} {request.host.partition(':')[0]}", content_type="text/plain"
    )


async def test_a_page_is_fetched_and_its_kind_told(certificates: Certificates) -> None:
    async with _serving(_hello, certificates.good) as port:
        answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 100)
    assert (answer.status, answer.content_type) == (200, "text/plain")
    assert answer.body == f"hello /a {NAME}".encode()
    assert answer.failure is None


async def test_a_redirect_is_not_followed(certificates: Certificates) -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "/other"})

    async with _serving(redirect, certificates.good) as port:
        answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 100)
    assert answer.status == 301


async def test_no_more_is_read_than_wanted(certificates: Certificates) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 1000)
        return response

    async with _serving(endless, certificates.good) as port, asyncio.timeout(5):
        answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 5000)
    assert len(answer.body) == 5001


@pytest.mark.parametrize("kind", ["expired", "wrong_name", "self_signed", "unknown_issuer"])
async def test_a_bad_certificate_is_told(kind: str, certificates: Certificates) -> None:
    async with _serving(_hello, getattr(certificates, kind)) as port:
        answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 100)
    assert answer.failure is WebFailure.CERTIFICATE
    assert answer.detail


async def test_a_server_that_is_slow_has_an_end(certificates: Certificates) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with _serving(slow, certificates.good) as port, asyncio.timeout(3):
        answer = await _reader(port, certificates.ca_file, seconds=0.2).fetch(NAME, "/a", 100)
    assert answer.failure is WebFailure.TIMEOUT


async def test_a_port_where_nobody_listens_is_unreachable(certificates: Certificates) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 100)
    assert answer.failure is WebFailure.UNREACHABLE


async def test_what_is_no_http_is_told(certificates: Certificates) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 mail.test ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=certificates.good)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await _reader(port, certificates.ca_file).fetch(NAME, "/a", 100)
    assert answer.failure is WebFailure.PROTOCOL


@pytest.mark.parametrize(
    ("cause", "failure"),
    [(Cause.NO_SUCH_HOST, WebFailure.NO_SUCH_HOST), (Cause.RESOLVER_FAILED, WebFailure.OURS)],
)
async def test_a_name_that_is_not_there_is_told_from_a_resolver_that_fails(
    cause: Cause, failure: WebFailure, certificates: Certificates
) -> None:
    reader = WebReader(
        _Names(ResolverError(Phase.RESOLVE, cause, detail="x")), TlsOptions(ca_file=certificates.ca_file)
    )
    assert (await reader.fetch(NAME, "/a", 100)).failure is failure


async def test_authorities_that_cannot_be_read_are_our_matter() -> None:
    answer = await _reader(1, Path("/nowhere.pem")).fetch(NAME, "/a", 100)
    assert answer.failure is WebFailure.OURS


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (errno.ENETUNREACH, WebFailure.OURS),
        (errno.EADDRNOTAVAIL, WebFailure.OURS),
        (errno.EMFILE, WebFailure.OURS),
        (errno.EHOSTUNREACH, WebFailure.UNREACHABLE),
        (errno.ECONNREFUSED, WebFailure.UNREACHABLE),
    ],
)
def test_a_machine_without_a_way_out_is_no_fault_of_the_other_side(number: int, failure: WebFailure) -> None:
    key = ConnectionKey("a.test", 443, True, True, None, None, None)  # the library's own
    found = explain(aiohttp.ClientConnectorError(key, OSError(number, os.strerror(number))))
    assert found.failure is failure
    assert found.detail == os.strerror(number)

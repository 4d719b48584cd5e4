"""One web page over HTTPS, within the limits of RFC 8461, through aiohttp.

In: a host, a path, and a resolver. Out: a `WebAnswer`: what came, or why nothing came. The certificate is verified against
the host; no redirect is followed, no cookie kept, no proxy used, and no more read than asked for.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from smtp_probe.config.settings import TlsOptions
from smtp_probe.errors import ResolverError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, WebAnswer, WebFailure
from smtp_probe.network.tls import ContextSource
from smtp_probe.ports import Resolver

_OURS = frozenset({errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE})
"""What connect(2) says where this machine has no way out, as with no IPv6, or no more sockets."""
_TOTAL_SECONDS = 30.0
"""RFC 8461 section 3.3 suggests a minute at most."""


class OurNames(AbstractResolver):
    """Names as our own resolver knows them."""

    def __init__(self, resolver: Resolver, family: str = "any") -> None:
        self._resolver = resolver
        self._family = family

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002
    ) -> list[ResolveResult]:
        """Addresses, in our order. Raises OSError, as aiohttp expects of one; ResolverError is kept as its cause."""
        try:
            addresses: Sequence[str] = await self._resolver.addresses(host, self._family)
        except ResolverError as error:
            raise OSError(None, str(error)) from error
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class WebReader:
    """Fetches pages; one for a program."""

    def __init__(
        self,
        resolver: Resolver,
        tls: TlsOptions | None = None,
        *,
        port: int = 443,
        seconds: float = _TOTAL_SECONDS,
    ) -> None:
        self._resolver = OurNames(resolver)
        self._contexts = ContextSource(tls or TlsOptions())
        self._port = port
        self._seconds = seconds

    async def fetch(self, host: str, path: str, limit_bytes: int) -> WebAnswer:
        """Fetch one page, at most so many bytes and one more. Never raises for what the other side does."""
        try:
            context = await self._contexts.context()
        except OSError as error:
            return WebAnswer(
                failure=WebFailure.OURS, detail=sanitise(f"authorities: {error.strerror or error}")
            )
        port = "" if self._port == 443 else f":{self._port}"
        try:
            async with (
                asyncio.timeout(self._seconds),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=self._resolver, ssl=context, use_dns_cache=False),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    max_line_size=8190,
                    headers={
                        "User-Agent": "smtp-probe",
                        "Accept": "text/plain",
                        "Accept-Encoding": "identity",
                    },
                ) as session,
                session.get(f"https://{host}{port}{path}", allow_redirects=False) as response,
            ):
                body = await read_at_most(response.content, limit_bytes + 1)
                return WebAnswer(
                    status=response.status,
                    content_type=sanitise(response.content_type, 80).lower(),
                    body=body,
                    location=sanitise(response.headers.get("Location", ""), 2000),
                )
        except TimeoutError:
            return WebAnswer(failure=WebFailure.TIMEOUT, detail=f"no answer within {self._seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return explain(error)


async def read_at_most(stream: aiohttp.StreamReader, count: int) -> bytes:
    """Read a body, and no more of it than so many bytes."""
    body = b""
    while len(body) < count and not stream.at_eof():
        body += await stream.read(count - len(body))
    return body[:count]


def explain(error: BaseException) -> WebAnswer:
    """Tell apart what went wrong: our resolver, the name, the way, the certificate, or the protocol."""
    link: BaseException | None = error
    for _ in range(8):
        if isinstance(link, ResolverError):
            ours = link.cause is Cause.RESOLVER_FAILED
            failure = WebFailure.OURS if ours else WebFailure.NO_SUCH_HOST
            return WebAnswer(failure=failure, detail=sanitise(link.detail))
        if isinstance(link, ssl.SSLCertVerificationError) and not isinstance(link, aiohttp.ClientError):
            return WebAnswer(failure=WebFailure.CERTIFICATE, detail=sanitise(link.verify_message))
        if link is None:
            break
        link = link.__cause__ or link.__context__
    if isinstance(error, aiohttp.ClientSSLError):
        return WebAnswer(failure=WebFailure.CERTIFICATE, detail=sanitise(str(error)))
    if isinstance(error, aiohttp.ClientConnectorError):
        is_ours = error.os_error.errno in _OURS
        failure = WebFailure.OURS if is_ours else WebFailure.UNREACHABLE
        return WebAnswer(failure=failure, detail=sanitise(str(error.os_error.strerror or error)))
    return WebAnswer(failure=WebFailure.PROTOCOL, detail=sanitise(str(error) or type(error).__name__))

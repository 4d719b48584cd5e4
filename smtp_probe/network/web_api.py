"""A mailbox behind a web interface (JMAP, Microsoft Graph): requests and answers, each within a deadline and a size.

In: one `config.settings.Mailbox`, the way to its secret, an address. Out: what the server answers, or `errors.MailboxError` with the
step as its stage. The login goes with every request, to https addresses only, unless the settings say otherwise in words; no
redirect is followed, no cookie kept, no proxy used. What a server says of an error is shown without our secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from smtp_probe.config.settings import Mailbox, Mechanism, TlsMode
from smtp_probe.errors import ConfigError, MailboxError, ProbeError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, TlsFacts, WebFailure
from smtp_probe.network.concealment import Concealment
from smtp_probe.network.http import OurNames, explain, read_at_most
from smtp_probe.network.tls import failed_tls_facts, server_name, shared_context, tls_facts
from smtp_probe.ports import Resolver, Secret

_LARGEST_BYTES = 32 * 2**20
_LINE_BYTES = 65_536
_SHOWN_CHARACTERS = 200
_REMEMBERED_SECRETS = 8
_CAUSES = {
    WebFailure.CERTIFICATE: Cause.TLS_FAILED,
    WebFailure.NO_SUCH_HOST: Cause.NO_SUCH_HOST,
    WebFailure.OURS: Cause.RESOLVER_FAILED,
    WebFailure.TIMEOUT: Cause.TIMEOUT,
    WebFailure.UNREACHABLE: Cause.CONNECT_REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebReply:
    """What came back, with any status."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self, stage: str) -> dict[str, Any]:
        """The body as an object. Raises `errors.MailboxError` for anything else."""
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="the answer is no JSON object")
        return data


class _Response(aiohttp.ClientResponse):
    """An answer that remembers the TLS of its connection, which may be gone before anybody asks."""

    secured: ssl.SSLObject | None = None

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        if connection.transport is not None:
            self.secured = connection.transport.get_extra_info("ssl_object")
        return await super().start(connection)


class WebApi:
    """One account on one server. `tls` is what the last connection showed of the server's certificate."""

    def __init__(
        self,
        settings: Mailbox,
        resolver: Resolver,
        secret: Secret | None,
        told: dict[str, Concealment] | None = None,
    ) -> None:
        """`told` are the secrets that this server has been told, also by earlier sessions."""
        self.settings = settings
        self.tls: TlsFacts | None = None
        self._secret = secret
        self._told = {} if told is None else told
        self._names = OurNames(resolver, settings.address_family)
        self._contexts = shared_context(settings.tls_options)
        self._session: aiohttp.ClientSession | None = None
        scheme, port = ("https", 443) if settings.tls is TlsMode.IMPLICIT else ("http", 80)
        host = f"[{settings.host}]" if ":" in settings.host.strip("[]") else settings.host
        number = settings.effective_port
        self.base = f"{scheme}://{host}" + ("" if number == port else f":{number}")

    async def close(self) -> None:
        """Close the connections. Never raises."""
        if self._session is not None:
            session, self._session = self._session, None
            with contextlib.suppress(Exception):
                await session.close()

    async def ask(  # noqa: PLR0913 - a request has so many parts
        self,
        stage: str,
        method: str,
        url: str,
        *,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        limit_bytes: int = _LARGEST_BYTES,
        cuts: bool = False,
    ) -> WebReply:
        """Make one request. Raises `errors.MailboxError` where no whole answer comes in time, or a login is refused.

        An answer above the limit is an error, or with `cuts` cut.
        """
        async with (
            self._translated(stage),
            asyncio.timeout(self.settings.timeouts.command),
            self._request(stage, method, url, json_body, headers) as response,
        ):
            body = await read_at_most(response.content, limit_bytes + 1)
            reply = WebReply(status=response.status, body=body[:limit_bytes], headers=response.headers)
            if len(body) > limit_bytes:
                response.close()
                if not cuts:
                    raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="an answer without end")
        return reply

    async def demand(self, stage: str, method: str, url: str, **options: Any) -> WebReply:
        """Ask, and raise `errors.MailboxError` for every status but success."""
        reply = await self.ask(stage, method, url, **options)
        if not 200 <= reply.status < 300:
            raise self.refusal(stage, reply)
        return reply

    @contextlib.asynccontextmanager
    async def stream(self, stage: str, url: str) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """The lines of an answer that goes on (text/event-stream); None where the server has no such thing there."""
        async with self._translated(stage):
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
            async with self._request(stage, "GET", url, None, headers) as response:
                is_stream = response.status == 200 and response.content_type == "text/event-stream"
                yield _lines(response.content) if is_stream else None
                response.close()

    @contextlib.asynccontextmanager
    async def _request(
        self, stage: str, method: str, url: str, json_body: object, headers: Mapping[str, str] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = await self._open(stage)
        self._require_safe(stage, url)
        login = {"Authorization": await self._authorization(stage)}
        name = server_name(self.settings.tls_options, self.settings.host)
        is_own = urlsplit(url).hostname == urlsplit(self.base).hostname
        async with self._session.request(
            method,
            url,
            json=json_body,
            headers={**(headers or {}), **login},
            allow_redirects=False,
            server_hostname=name if is_own and url.startswith("https:") else None,
        ) as response:
            secured = response.secured if isinstance(response, _Response) else None
            if secured is not None:
                self.tls = tls_facts(secured)
            yield response

    async def _open(self, stage: str) -> aiohttp.ClientSession:
        try:
            context = await self._contexts.context()
        except OSError as error:
            detail = sanitise(f"the file of authorities cannot be used: {error.strerror or error}")
            raise MailboxError(stage, Cause.TLS_FAILED, detail=detail) from None
        source = self.settings.source_address
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._names,
                ssl=context,
                use_dns_cache=False,
                local_addr=None if source is None else (source, 0),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.settings.timeouts.connect),
            headers={"User-Agent": "smtp-probe"},
            read_bufsize=_LINE_BYTES,
            response_class=_Response,
        )

    def _require_safe(self, stage: str, url: str) -> None:
        """The login goes to no other place than the server's own words over TLS name, and never there in the clear."""
        own, there = urlsplit(self.base), urlsplit(url)
        is_own = (there.scheme, there.netloc) == (own.scheme, own.netloc)
        if not is_own and (there.scheme != "https" or own.scheme != "https"):
            where = self.mask(f"{there.scheme}://{there.netloc}")
            detail = f"the server sends us to {where}, which is not safe for a login"
            raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail=detail)

    async def _read_secret(self, stage: str) -> str:
        auth = self.settings.auth
        if auth is None or self._secret is None:
            detail = "the server wants a login, and no credentials are configured"
            raise MailboxError(stage, Cause.CREDENTIAL, detail=detail)
        try:
            secret = self._secret()
            secret = secret if isinstance(secret, str) else await secret
        except (ConfigError, OSError) as error:
            raise MailboxError(stage, Cause.CREDENTIAL, detail=sanitise(str(error))) from None
        except ProbeError as error:
            raise MailboxError(stage, Cause.CREDENTIAL, detail=error.detail) from None
        if secret and secret not in self._told:
            self._told[secret] = Concealment(auth, secret)
            while len(self._told) > _REMEMBERED_SECRETS:
                del self._told[next(iter(self._told))]
        return secret

    def mask(self, words: str) -> str:
        """What a server says, without the secrets that it has been told, fit to be shown."""
        words = words[:_LINE_BYTES]
        for concealment in self._told.values():
            words = concealment.mask(words)
        return sanitise(words, _SHOWN_CHARACTERS)

    async def _authorization(self, stage: str) -> str:
        """Basic (RFC 7617), or Bearer (RFC 6750) for the mechanisms of tokens."""
        secret, auth = await self._read_secret(stage), self.settings.auth
        assert auth is not None
        if auth.mechanism in (Mechanism.XOAUTH2, Mechanism.OAUTHBEARER):
            return f"Bearer {secret}"
        return "Basic " + b64encode(f"{auth.username}:{secret}".encode()).decode()

    def refusal(self, stage: str, reply: WebReply) -> MailboxError:
        """Say what a status means, and what the server says of it."""
        words = self.mask(_find_words(reply.body))
        detail = f"HTTP status {reply.status}" + (f": {words}" if words else "")
        status = reply.status
        cause = Cause.REPLY_PERMANENT
        if status == 401:
            cause = Cause.AUTH_REFUSED
        elif status == 429 or status >= 500:
            cause = Cause.REPLY_TEMPORARY
            seconds = reply.headers.get("Retry-After", "")
            if seconds.isascii() and seconds.isdigit():
                detail += f" (suggested backoff time: {min(int(seconds), 86_400) * 1000} milliseconds)"
            elif status == 429:
                detail += " (request is throttled)"
        elif 300 <= status < 400:
            cause = Cause.PROTOCOL_ERROR
            detail += " (a redirect, which is not followed)"
        return MailboxError(stage, cause, detail=detail)

    @contextlib.asynccontextmanager
    async def _translated(self, stage: str) -> AsyncIterator[None]:
        try:
            yield
        except TimeoutError:
            detail = f"no answer within {self.settings.timeouts.command:g} s"
            raise MailboxError(stage, Cause.TIMEOUT, detail=detail) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._to_mailbox_error(stage, error) from None

    def _to_mailbox_error(self, stage: str, error: BaseException) -> MailboxError:
        known = explain(error)
        failure = known.failure or WebFailure.PROTOCOL
        if failure is WebFailure.CERTIFICATE:
            self.tls = facts = failed_tls_facts(_ssl_error(error))
            return MailboxError(stage, Cause.TLS_FAILED, tls_failure=facts.failure, detail=known.detail)
        is_lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | OSError)
        cause = _CAUSES.get(failure, Cause.CONNECTION_LOST if is_lost else Cause.PROTOCOL_ERROR)
        return MailboxError(stage, cause, detail=known.detail)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    while line := await content.readline():
        yield line.rstrip(b"\r\n")


def _ssl_error(error: BaseException) -> BaseException:
    link: BaseException | None = error
    while link is not None and (not isinstance(link, ssl.SSLError) or isinstance(link, aiohttp.ClientError)):
        link = link.__cause__ or link.__context__
    return link or error


def _find_words(body: bytes) -> str:
    """What a server says of an error: a problem (RFC 7807), Microsoft's form, or nothing."""
    try:
        data = json.loads(body[:_LINE_BYTES])
    except (ValueError, RecursionError):
        return ""
    inner = data.get("error") if isinstance(data, dict) else None
    told = inner if isinstance(inner, dict) else data
    if not isinstance(told, dict):
        return ""
    keys = ("code", "type", "message", "detail", "description")
    return " ".join(told[key] for key in keys if isinstance(told.get(key), str))

"""Asking an authorization server for access tokens: RFC 6749, 7636 (PKCE), 8628 (device flow), 7523 (assertions), over HTTPS.

In: one `config.credentials.Credential`, a resolver, a clock. Out: a `TokenAnswer`, or `CredentialError` with one of the
bounded results. Each request has a deadline, the certificate is verified, no redirect is followed, no proxy used. Keeps
no token, and lets no secret into an error: what a server says of itself is struck of all that it was sent.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from smtp_probe.config.credentials import Credential, Grant
from smtp_probe.config.files import UnreadableFile, read_bounded
from smtp_probe.config.secrets import read_secret
from smtp_probe.config.settings import SecretSource, TlsOptions
from smtp_probe.errors import ConfigError, CredentialError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import TokenResult
from smtp_probe.network.http import OurNames, explain, read_at_most
from smtp_probe.network.jwt_assertion import read_key
from smtp_probe.network.tls import ContextSource
from smtp_probe.ports import Clock, Resolver

_LARGEST_BYTES = 65_536
_ASSERTION_SECONDS = 300
_REMEMBERED_SECRETS = 64
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_CLIENT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HEADERS = {"Accept": "application/json", "User-Agent": "smtp-probe"}
_TOKEN = re.compile(r"[!-~]{1,16384}")
_ERROR_WORD = re.compile(r"[A-Za-z0-9_.:/-]{1,60}")
_RESULTS = {
    "invalid_grant": TokenResult.INVALID_GRANT,
    "expired_token": TokenResult.INVALID_GRANT,
    "access_denied": TokenResult.INVALID_GRANT,
    "invalid_client": TokenResult.INVALID_CLIENT,
    "unauthorized_client": TokenResult.INVALID_CLIENT,
    "temporarily_unavailable": TokenResult.NETWORK,
    "server_error": TokenResult.NETWORK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """What a token endpoint gave (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    lifetime_seconds: float | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person is shown, and with what is asked meanwhile (RFC 8628 section 3.2)."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    lifetime_seconds: float
    interval_seconds: float


class OAuthClient:
    """One client of one authorization server. `on_secret` is told every secret that is sent or received."""

    def __init__(
        self, settings: Credential, resolver: Resolver, clock: Clock, on_secret: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._names = OurNames(resolver)
        self._clock = clock
        self._on_secret = on_secret
        self._told: deque[str] = deque(maxlen=_REMEMBERED_SECRETS)
        self._contexts = ContextSource(TlsOptions(ca_file=settings.ca_file))

    def on_secret(self, secret: str) -> None:
        """Hear of a secret: no answer of the server can have it written down, now or later."""
        if secret and secret not in self._told:
            self._told.append(secret)
        self._on_secret(secret)

    async def request_token(self, refresh_token: str | None = None) -> TokenAnswer:
        """Ask for an access token by the grant of the settings. Raises CredentialError."""
        return await self._ask_token(self._grant_form(refresh_token))

    async def redeem(self, code: str, redirect_uri: str, verifier: str) -> TokenAnswer:
        """Give a code of a person's consent for tokens (RFC 6749 section 4.1.3, RFC 7636). Raises CredentialError."""
        for secret in (code, verifier):
            self.on_secret(secret)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._ask_token({**form, "code_verifier": verifier})

    async def request_device_code(self) -> DeviceCode:
        """Begin a device flow. Raises CredentialError."""
        assert self._settings.device_authorization_url is not None
        answer = await self._post(str(self._settings.device_authorization_url), self._scope())
        try:
            code = DeviceCode(
                device_code=_text(answer, "device_code"),
                user_code=sanitise(_text(answer, "user_code"), 80),
                verification_uri=sanitise(_text(answer, "verification_uri", "verification_url"), 200),
                lifetime_seconds=_seconds(answer, "expires_in") or 600.0,
                interval_seconds=_seconds(answer, "interval") or 5.0,
            )
        except ValueError as error:
            raise CredentialError(TokenResult.PROTOCOL, str(error)) from None
        self.on_secret(code.device_code)
        return code

    async def await_device_token(self, code: DeviceCode) -> TokenAnswer:
        """Ask until the person has agreed or refused, or the code has expired. Raises CredentialError."""
        interval = code.interval_seconds
        ends_ns = self._clock.now_ns() + round(code.lifetime_seconds * 1e9)
        form = {"grant_type": _DEVICE_GRANT, "device_code": code.device_code}
        while self._clock.now_ns() < ends_ns:
            await self._clock.sleep(interval)
            try:
                return await self._ask_token(form)
            except CredentialError as error:
                if error.word == "slow_down":
                    interval += 5.0  # RFC 8628 section 3.5
                elif error.result is TokenResult.NETWORK:
                    interval = min(interval * 2, 60.0)
                elif error.word != "authorization_pending":
                    raise
        raise CredentialError(TokenResult.INVALID_GRANT, "the code has expired, and nobody has agreed")

    # The forms.

    def _grant_form(self, refresh_token: str | None) -> dict[str, str]:
        settings = self._settings
        if settings.grant is Grant.CLIENT_CREDENTIALS:
            return {"grant_type": "client_credentials", **self._scope()}
        if settings.grant is Grant.JWT_BEARER:
            claims: dict[str, object] = {
                "aud": settings.token_url,
                "iss": settings.client_id,
                **self._scope(),
            }
            claims["sub"] = settings.subject or settings.client_id
            return {"grant_type": _JWT_GRANT, "assertion": self._assert(claims), **self._scope()}
        if refresh_token is None:
            raise CredentialError(
                TokenResult.LOCAL, "nobody has logged in yet: run smtp-probe login with its name"
            )
        return {"grant_type": "refresh_token", "refresh_token": refresh_token, **self._scope()}

    def _scope(self) -> dict[str, str]:
        return {} if self._settings.scope is None else {"scope": self._settings.scope}

    def _assert(self, claims: Mapping[str, object]) -> str:
        """Sign claims, for a few minutes from now. Raises CredentialError where the key cannot be used."""
        now = self._clock.now_ns() // 1_000_000_000
        times = {"iat": now, "nbf": now, "exp": now + _ASSERTION_SECONDS, "jti": secrets.token_urlsafe(16)}
        path, certificate = self._settings.private_key_file, self._settings.certificate_file
        assert path is not None
        try:
            content = read_bounded(path, _LARGEST_BYTES)
            shown = None if certificate is None else read_bounded(certificate, _LARGEST_BYTES)
            return read_key(content, shown, self._settings.key_id).sign({**claims, **times})
        except UnreadableFile as error:
            raise CredentialError(TokenResult.LOCAL, str(error)) from None
        except ValueError as error:
            raise CredentialError(TokenResult.LOCAL, f"{path}: {error}") from None

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """How the client says who it is (RFC 6749 section 2.3, RFC 7523 section 2.2): headers and form."""
        settings = self._settings
        if settings.grant is Grant.JWT_BEARER:
            return {}, {}
        if settings.private_key_file is not None:
            name, audience = settings.client_id, settings.token_url
            signed = self._assert({"iss": name, "sub": name, "aud": audience})
            return {}, {"client_id": name, "client_assertion_type": _JWT_CLIENT, "client_assertion": signed}
        if settings.client_secret is None:
            return {}, {"client_id": settings.client_id}
        secret = self._read(settings.client_secret, "client_secret")
        if settings.client_authentication == "post":
            return {}, {"client_id": settings.client_id, "client_secret": secret}
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        words = b64encode(pair.encode()).decode()
        self.on_secret(words)
        return {"Authorization": f"Basic {words}"}, {}

    def _read(self, source: SecretSource, key: str) -> str:
        try:
            secret = read_secret(source, path=key)
        except (ConfigError, OSError) as error:
            raise CredentialError(TokenResult.LOCAL, sanitise(str(error))) from None
        self.on_secret(secret)
        return secret

    # The exchange.

    async def _ask_token(self, form: dict[str, str]) -> TokenAnswer:
        return self.read_token(await self._post(str(self._settings.token_url), form))

    def read_token(self, answer: Mapping[str, Any]) -> TokenAnswer:
        """Understand the answer of a token endpoint. Raises CredentialError."""
        try:
            token = _text(answer, "access_token")
            if str(answer.get("token_type", "bearer")).lower() != "bearer":
                raise ValueError("the token is no bearer token")  # noqa: TRY301 - one place tells of what is no token
            again = _text(answer, "refresh_token") if answer.get("refresh_token") is not None else None
            lifetime = _seconds(answer, "expires_in")
        except ValueError as error:
            raise CredentialError(TokenResult.PROTOCOL, str(error)) from None
        for secret in (token, again):
            if secret is not None:
                self.on_secret(secret)
        return TokenAnswer(access_token=token, lifetime_seconds=lifetime, refresh_token=again)

    async def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        """Send a form, and read the answer's JSON. Raises CredentialError for everything but success."""
        headers, proof = self._proof()
        return await self.exchange("POST", url, headers, {**form, **proof})

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> dict[str, Any]:
        """Ask one question over HTTPS, and read the answer's JSON. Raises CredentialError for everything but success."""
        try:
            context = await self._contexts.context()
        except OSError as error:
            detail = sanitise(f"ca_file cannot be read: {error.strerror or error}")
            raise CredentialError(TokenResult.LOCAL, detail) from None
        connector = aiohttp.TCPConnector(resolver=self._names, ssl=context, use_dns_cache=False)
        try:
            async with (
                asyncio.timeout(self._settings.timeout),
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers={**headers, **_HEADERS}
                ) as session,
                session.request(method, url, data=form or None, allow_redirects=False) as response,
            ):
                status, body = response.status, await read_at_most(response.content, _LARGEST_BYTES + 1)
        except TimeoutError:
            detail = f"no answer within {self._settings.timeout:g} s"
            raise CredentialError(TokenResult.NETWORK, detail) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CredentialError(TokenResult.NETWORK, explain(error).detail) from None
        return _judge(status, body, [*form.values(), *self._told])


def _judge(status: int, body: bytes, sent: list[str]) -> dict[str, Any]:
    """Give the answer of a success; raise what a failure tells (RFC 6749 section 5.2)."""
    try:
        data = json.loads(body) if len(body) <= _LARGEST_BYTES else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        data = {}
    if status == 200 and "error" not in data:
        if not data:
            raise CredentialError(TokenResult.PROTOCOL, "the answer is no JSON object")
        return data
    word = data.get("error")
    if not isinstance(word, str) or _ERROR_WORD.fullmatch(word) is None:
        is_passing = status >= 500 or status == 429
        result = TokenResult.NETWORK if is_passing else TokenResult.PROTOCOL
        more = "; a redirect is not followed" if 300 <= status < 400 else ""
        raise CredentialError(result, f"the server answered with status {status}{more}")
    told = data.get("error_description")
    words = sanitise(told, 200) if isinstance(told, str) else ""
    for secret in sent:
        words = words.replace(secret, "***") if len(secret) >= 8 else words
    result = _RESULTS.get(word, TokenResult.NETWORK if status >= 500 else TokenResult.REFUSED)
    quoted = f'the server says "{word}"'
    raise CredentialError(result, f"{quoted}: {words}" if words else quoted, word=word)


def _text(answer: Mapping[str, Any], *keys: str) -> str:
    """Give a text of printable ASCII. Raises ValueError."""
    value = next((answer[key] for key in keys if key in answer), None)
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        message = f"the answer has no usable {keys[0]}"
        raise ValueError(message)
    return value


def _seconds(answer: Mapping[str, Any], key: str) -> float | None:
    """Give a duration; some servers write it as text. None where there is none that makes sense."""
    try:
        seconds = float(answer[key])
    except (KeyError, ValueError, TypeError):
        return None
    return min(seconds, 366 * 86_400.0) if seconds > 0 else None

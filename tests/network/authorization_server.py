"""A small authorization server by the standards, for tests: RFC 6749, 7523, 7636, 7662 and 8628 over HTTPS, without a page to log in.

It refuses what the standards let it refuse, and notes every request. Refresh tokens are used once each: whoever comes with
an old one loses the whole family, as RFC 9700 section 4.14.2 wants it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from smtp_probe.network.clock import ReferenceClock

CLIENT, CLIENT_SECRET, USER = "smtp-probe", "client-secret: of 100 %", "probe1"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Request:
    path: str
    form: dict[str, str]
    authorization: str


@dataclass
class AuthorizationServer:
    """State that a test reads and changes at will."""

    lifetime: float | None = 3600.0
    rotates: bool = True
    port: int = 0
    answer: Callable[[], web.Response] | None = None
    """Instead of any answer to a request for a token."""
    delay: float = 0.0
    device_answers: list[str] = field(default_factory=list)
    """Errors that a device is told before it is given a token."""
    consents: bool = True
    """Whether the person in front of the browser agrees."""
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code -> where it was sent, and the challenge that came before it."""
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None = None
    requests: list[Request] = field(default_factory=list)
    active: dict[str, float] = field(default_factory=dict)
    """Access tokens and when they end."""
    client_user: str = USER
    """Whose mailbox is opened by what a client is given for itself, without a person."""
    owners: dict[str, str] = field(default_factory=dict)
    """Access tokens -> whose they are."""
    issued: list[str] = field(default_factory=list)
    """Every access and refresh token that was ever given out."""
    refresh_tokens: dict[str, bool] = field(default_factory=dict)
    """Those known, and whether each may still be used."""

    def issue_refresh_token(self) -> str:
        token = f"refresh-{secrets.token_urlsafe(12)}"
        self.refresh_tokens[token] = True
        self.issued.append(token)
        return token

    def revoke_all(self) -> None:
        """What an administrator does who takes the consent back."""
        self.refresh_tokens = dict.fromkeys(self.refresh_tokens, False)
        self.active.clear()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}{path}"

    # Serving.

    async def _start(self, host: str, port: int, tls: ssl.SSLContext) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_post("/tenant/oauth2/v2.0/token", self._token)
        app.router.add_get("/tenant/v2.0/.well-known/openid-configuration", self._configuration)
        app.router.add_post("/device", self._device)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/introspect", self._introspect)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        self.port = runner.addresses[0][1]
        return runner

    @contextlib.asynccontextmanager
    async def running(self, tls: ssl.SSLContext) -> AsyncIterator[AuthorizationServer]:
        runner = await self._start("127.0.0.1", 0, tls)
        try:
            yield self
        finally:
            await runner.cleanup()

    @contextlib.contextmanager
    def in_thread(self, host: str, port: int, tls: ssl.SSLContext) -> Iterator[AuthorizationServer]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            runner = asyncio.run_coroutine_threadsafe(self._start(host, port, tls), loop).result(10)
            yield self
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    # The endpoints.

    async def _note(self, request: web.Request) -> dict[str, str]:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.requests.append(Request(request.path, form, request.headers.get("Authorization", "")))
        return form

    async def _introspect(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token"))
        if self.active.get(token, 0.0) <= time.monotonic():
            return web.json_response({"active": False})
        owner = self.owners[token]
        return web.json_response({"active": True, "username": owner, "scope": "mail", "token_type": "Bearer"})

    async def _configuration(self, request: web.Request) -> web.Response:
        """Where everything is, as Microsoft tells it (OpenID Connect Discovery 1.0)."""
        tenant = f"https://{request.host}/tenant"
        facts = {"issuer": f"{tenant}/v2.0", "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize"}
        return web.json_response({**facts, "token_endpoint": f"{tenant}/oauth2/v2.0/token"})

    async def _device(self, request: web.Request) -> web.Response:
        form = await self._note(request)
        if not self._knows(request, form):
            return _error("invalid_client", 401)
        return web.json_response(
            {
                "device_code": "device-code-1",
                "user_code": "WDJB-MJHT",
                "verification_uri": "https://login.test/device",
                "expires_in": 60,
                "interval": 0.05,
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        """What a browser sees once a person has agreed: a way back with a code (RFC 6749 section 4.1.2)."""
        asked = request.query
        is_sound = (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == (
            "code",
            CLIENT,
            "S256",
        )
        if not is_sound or not asked["redirect_uri"].startswith("http://127.0.0.1:"):
            return web.Response(status=400)
        answer = {"state": asked["state"]}
        if self.consents:
            code = f"code-{secrets.token_urlsafe(12)}"
            self.issued.append(code)
            self.codes[code] = (asked["redirect_uri"], asked["code_challenge"])
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(answer)}")

    def _redeem(self, form: dict[str, str]) -> web.Response:
        """A code is good once, for who began (RFC 7636 section 4.6)."""
        redirect_uri, challenge = self.codes.pop(form["code"], ("", ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not challenge or proof != challenge or form["redirect_uri"] != redirect_uri:
            return _error("invalid_grant", 400)
        return self._give(self.issue_refresh_token())

    async def _token(self, request: web.Request) -> web.Response:
        form = await self._note(request)
        await asyncio.sleep(self.delay)
        if self.answer is not None:
            return self.answer()
        grant = form.get("grant_type")
        if grant != JWT_GRANT and not self._knows(request, form):
            return _error("invalid_client", 401, f"the secret is not {form.get('client_secret')}")
        if grant == "client_credentials":
            return self._give(None, self.client_user)
        if grant == JWT_GRANT:
            good = self._verify(form["assertion"])
            return self._give(None) if good else _error("invalid_grant", 400)
        if grant == DEVICE_GRANT and form["device_code"] == "device-code-1":
            if self.device_answers:
                return _error(self.device_answers.pop(0), 400)
            return self._give(self.issue_refresh_token())
        if grant == "authorization_code":
            return self._redeem(form)
        if grant == "refresh_token":
            return self._refresh(form["refresh_token"])
        return _error("unsupported_grant_type", 400)

    def _refresh(self, token: str) -> web.Response:
        if not self.refresh_tokens.get(token):
            if token in self.refresh_tokens:
                self.revoke_all()
            return _error("invalid_grant", 400, f"Token {token} has been expired or revoked.")
        if not self.rotates:
            return self._give(None)
        self.refresh_tokens[token] = False
        return self._give(self.issue_refresh_token())

    def _give(self, refresh_token: str | None, owner: str = USER) -> web.Response:
        token = f"access-{secrets.token_urlsafe(12)}"
        self.issued.append(token)
        self.owners[token] = owner
        self.active[token] = time.monotonic() + (self.lifetime or 3600.0)
        data: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        if self.lifetime is not None:
            data["expires_in"] = self.lifetime
        if refresh_token is not None:
            data["refresh_token"] = refresh_token
        return web.json_response(data)

    def _knows(self, request: web.Request, form: dict[str, str]) -> bool:
        if "client_assertion" in form:
            return self._verify(form["client_assertion"]) is not None
        header = request.headers.get("Authorization", "")
        pair = "smtp-probe:client-secret%3A+of+100+%25"  # RFC 6749 section 2.3.1: form-encoded, then base64
        if header:
            return header == "Basic " + base64.b64encode(pair.encode()).decode()
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, CLIENT_SECRET)

    def _verify(self, assertion: str) -> dict[str, Any] | None:
        """The claims of an assertion that is signed, in time and meant for us."""
        words, _, signature = assertion.rpartition(".")
        header, claims = (json.loads(decode(part)) for part in words.split("."))
        octets = decode(signature)
        if isinstance(self.public_key, ec.EllipticCurvePublicKey):
            assert header["alg"] == "ES256"
            numbers = int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big")
            self.public_key.verify(encode_dss_signature(*numbers), words.encode(), ec.ECDSA(SHA256()))
        else:
            assert self.public_key is not None
            way = padding.PSS(padding.MGF1(SHA256()), 32) if header["alg"] == "PS256" else padding.PKCS1v15()
            self.public_key.verify(octets, words.encode(), way, SHA256())
        now = ReferenceClock().now_ns() / 1e9
        is_ours = claims["aud"].endswith("/token") and claims["iat"] - 60 < now < claims["exp"] < now + 3600
        return claims if is_ours else None


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _error(word: str, status: int, description: str = "") -> web.Response:
    return web.json_response({"error": word, "error_description": description}, status=status)

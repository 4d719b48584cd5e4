"""One credential's access token: had when it is wanted, renewed before it expires, and never asked for twice at once.

In: an `OAuthClient`, a `TokenFile`, a clock. Out: the token for a login, or `CredentialError` at once while the server
refuses or cannot be reached: it is then asked again with growing waits, or as soon as somebody has logged in anew. What
became of each request is told to `tell`. A request under way is finished even when nobody waits for it any more: its
answer may hold the one refresh token that is good from now on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from smtp_probe.config.credentials import Credential
from smtp_probe.config.files import UnreadableFile
from smtp_probe.config.secrets import read_secret
from smtp_probe.config.token_files import KeptTokens, TokenFile
from smtp_probe.errors import ConfigError, CredentialError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import TokenResult
from smtp_probe.network.oauth import OAuthClient, TokenAnswer
from smtp_probe.ports import Clock

_EARLIEST_SECONDS = 300.0
"""How long before its end a token is renewed, at most; one of a short life, when a quarter of it is left."""
_UNTOLD_SECONDS = 1800.0
"""How long a token is used whose server does not tell its lifetime."""
_FIRST_WAIT_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 300.0
_REST_SECONDS = 60.0
_LOOK_SECONDS = 5.0
_NEW_SECONDS = 30.0
"""So long after a token was had, a refused login says nothing against it."""
_LOCK_SECONDS = 30.0
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialState:
    """What one request came to: `detail` is fit to be shown. `expires_ns` is the end of the token that is held."""

    result: TokenResult
    detail: str = ""
    expires_ns: int | None = None


class TokenKeeper:
    """Keeps the token of one credential. `run` is its life in a daemon; without it `token` asks when it must."""

    def __init__(
        self,
        settings: Credential,
        client: OAuthClient,
        file: TokenFile,
        clock: Clock,
        tell: Callable[[CredentialState], None],
    ) -> None:
        self._settings = settings
        self._client = client
        self._file = file
        self._clock = clock
        self._tell = tell
        self._access_token = ""
        self._expires_ns: int | None = None
        self._renew_ns = 0
        self._usable_ns = 0
        self._tried: str | None = None
        self._spurned = ""
        self._suspect_ns = 0
        self._unwritten: KeptTokens | None = None
        self._error: CredentialError | None = None
        self._wait_seconds = _FIRST_WAIT_SECONDS
        self._asking: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """Give a token that is good now. Raises CredentialError."""
        if not self._is_usable():
            if self._error is not None and self._clock.now_ns() < self._renew_ns and not self._is_new_login():
                raise self._error.again()
            await self._renew()
        if self._is_usable():
            return self._access_token
        error = self._error or CredentialError(TokenResult.PROTOCOL, "the token has expired at once")
        raise error.again()

    def refused(self) -> bool:
        """Hear that a mail server refused the login: a token that is not quite new may be revoked, and is had anew.

        True where it is: one that has just been had is not the cause.
        """
        is_suspect = bool(self._access_token) and self._clock.now_ns() >= self._suspect_ns
        if is_suspect:
            self._spurned, self._access_token, self._renew_ns = self._access_token, "", 0
            self._expires_ns = None  # nothing is held that could expire
            detail = "a mail server refused the access token before its end"
            self._tell(CredentialState(result=TokenResult.REVOKED, detail=detail, expires_ns=None))
        return is_suspect

    async def run(self) -> None:
        """Renew the token for ever, each time before it expires."""
        while True:
            if self._clock.now_ns() >= self._renew_ns or (self._error is not None and self._is_new_login()):
                await self._renew()
            left_seconds = (self._renew_ns - self._clock.now_ns()) / _NS
            longest = _REST_SECONDS if self._error is None else _LOOK_SECONDS
            await self._clock.sleep(min(max(left_seconds, 0.1), longest))

    async def close(self) -> None:
        """Let a request under way end: it has a deadline."""
        if self._asking is not None:
            await asyncio.wait({self._asking})

    def _is_usable(self) -> bool:
        return bool(self._access_token) and self._clock.now_ns() < self._usable_ns

    async def _renew(self) -> None:
        """Ask once, however many want it."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="token")
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            if self._settings.grant.is_refreshed:
                await self._ask_with_file()
            else:
                self._take(await self._client.request_token())
        except CredentialError as error:
            self._fail(error)

    async def _ask_with_file(self) -> None:
        """Refresh, with the file locked: the command `probe` beside the daemon must not use up its refresh token."""
        give_up_ns = self._clock.now_ns() + round(_LOCK_SECONDS * _NS)
        while self._clock.now_ns() < give_up_ns:
            try:
                with self._file.try_lock() as is_ours:
                    if is_ours:
                        await self._refresh()
                        return
            except UnreadableFile as error:
                raise CredentialError(TokenResult.LOCAL, sanitise(str(error))) from None
            await self._clock.sleep(0.1)
        raise CredentialError(TokenResult.LOCAL, "another process holds the token file")

    async def _refresh(self) -> None:
        kept = self._kept()
        self._tried = kept.refresh_token
        if self._take_kept(kept):
            return
        answer = await self._client.request_token(kept.refresh_token or None)
        self._take(answer)
        self._unwritten = KeptTokens(
            refresh_token=answer.refresh_token or kept.refresh_token,
            origin=kept.origin,
            access_token=answer.access_token,
            expires_ns=self._expires_ns,
        )
        self._file.write(self._unwritten)
        self._unwritten = None

    def _kept(self) -> KeptTokens:
        """The newest refresh token: that of the file, unless the settings name another first one by now."""
        kept = self._unwritten or self._file.read()
        source = self._settings.refresh_token
        if source is None:
            kept = kept or KeptTokens(refresh_token="")
        else:
            try:
                first = read_secret(source, path="refresh_token")
            except (ConfigError, OSError) as error:
                raise CredentialError(TokenResult.LOCAL, sanitise(str(error))) from None
            origin = hashlib.sha256(first.encode("utf-8", "surrogateescape")).hexdigest()
            if kept is None or kept.origin != origin:
                kept = KeptTokens(refresh_token=first, origin=origin)
        for secret in (kept.refresh_token, kept.access_token):
            self._client.on_secret(secret)
        return kept

    def _take_kept(self, kept: KeptTokens) -> bool:
        """Use the access token of the file, where another process has had one that is good for longer than ours."""
        if kept.expires_ns is None or kept.access_token in ("", self._access_token, self._spurned):
            return False
        left_seconds = (kept.expires_ns - self._clock.now_ns()) / _NS
        if left_seconds < _EARLIEST_SECONDS or kept.expires_ns <= (self._expires_ns or 0):
            return False
        self._hold(kept.access_token, left_seconds)
        return True

    def _take(self, answer: TokenAnswer) -> None:
        self._hold(answer.access_token, answer.lifetime_seconds)

    def _hold(self, token: str, lifetime_seconds: float | None) -> None:
        now_ns = self._clock.now_ns()
        lifetime = _UNTOLD_SECONDS if lifetime_seconds is None else lifetime_seconds
        self._access_token = token
        self._suspect_ns = now_ns + round(min(_NEW_SECONDS, lifetime / 10) * _NS)
        self._expires_ns = None if lifetime_seconds is None else now_ns + round(lifetime * _NS)
        self._renew_ns = now_ns + round((lifetime - min(_EARLIEST_SECONDS, lifetime / 4)) * _NS)
        self._usable_ns = now_ns + round((lifetime - min(10.0, lifetime / 10)) * _NS)
        self._error, self._wait_seconds = None, _FIRST_WAIT_SECONDS
        self._tell(CredentialState(result=TokenResult.RENEWED, expires_ns=self._expires_ns))

    def _fail(self, error: CredentialError) -> None:
        """Keep what is held for as long as it is good, and ask again later."""
        self._error = error
        self._renew_ns = self._clock.now_ns() + round(self._wait_seconds * _NS)
        self._wait_seconds = min(self._wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        self._tell(CredentialState(result=error.result, detail=error.detail, expires_ns=self._expires_ns))

    def _is_new_login(self) -> bool:
        """Whether there is another refresh token now than the one that was refused."""
        if not self._settings.grant.is_refreshed:
            return False
        try:
            return self._kept().refresh_token != (self._tried or "")
        except (UnreadableFile, CredentialError):
            return False

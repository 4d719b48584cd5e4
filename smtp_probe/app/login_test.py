"""Trying the accounts of a configuration: each sender and each mailbox, at once, without a message.

In: a configuration. Out: a `LoginResult` for each account, senders first, in the order of their names. Needs no key and no journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from smtp_probe.app.accounts import Accounts
from smtp_probe.config.settings import Config, Endpoint
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Failure, LoginTrial, MailboxSurvey
from smtp_probe.network.submission import SmtpSubmitter

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginResult:
    """How far one account came. A sender has a `trial`, a mailbox that could be opened a `survey`."""

    kind: str
    name: str
    server: str
    after_judgement: str = "keep"
    trial: LoginTrial | None = None
    survey: MailboxSurvey | None = None
    failure: Failure | None = None


class LoginTest:
    """Tries every account of a configuration, each for so long at most."""

    def __init__(self, config: Config, seconds: float) -> None:
        self._config = config
        self._seconds = seconds
        self._accounts = Accounts(config)
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> list[LoginResult]:
        """All of them."""
        self._accounts.open()
        tries = [self._try_sender(name) for name in sorted(self._config.senders)]
        tries += [self._try_mailbox(name) for name in sorted(self._config.mailboxes)]
        try:
            return await asyncio.gather(*map(self._in_turn, tries))
        finally:
            await self._accounts.close()

    async def _in_turn(self, work: Coroutine[Any, Any, LoginResult]) -> LoginResult:
        async with self._room:
            return await work

    async def _try_sender(self, name: str) -> LoginResult:
        settings = self._config.senders[name]
        accounts = self._accounts
        secret = accounts.credentials.secret(settings.auth, f"senders.{name}.auth")
        submitter = SmtpSubmitter(name, settings, accounts.resolver, accounts.clock, secret)
        server = _server(settings, settings.effective_port)
        try:
            async with asyncio.timeout(self._seconds):
                trial = await submitter.try_login()
        except TimeoutError:
            return LoginResult(kind="sender", name=name, server=server, failure=self._too_long())
        return LoginResult(kind="sender", name=name, server=server, trial=trial, failure=trial.failure)

    async def _try_mailbox(self, name: str) -> LoginResult:
        settings = self._config.mailboxes[name]
        connector = self._accounts.mailbox(name)
        survey, failure = None, None
        try:
            async with asyncio.timeout(self._seconds):
                survey = await connector.survey()
        except TimeoutError:
            failure = self._too_long()
        except MailboxError as error:
            failure = Failure(
                stage=error.stage,
                cause=error.cause.value,
                reply=error.reply,
                tls_failure=error.tls_failure,
                detail=error.detail,
            )
        return LoginResult(
            kind="mailbox",
            name=name,
            server=settings.place,
            after_judgement=settings.after_judgement,
            survey=survey,
            failure=failure,
        )

    def _too_long(self) -> Failure:
        detail = f"it was not done within {self._seconds:g} s"
        return Failure(stage="login-test", cause=Cause.TIMEOUT.value, detail=detail)


def _server(settings: Endpoint, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{port}"

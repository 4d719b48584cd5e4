"""The OAuth2 credentials of a configuration, each kept by one keeper, and the secrets of all logins.

In: configurations. Out: the way to each login's secret, for the adapters. While `start` has been called, tokens are renewed
before they expire; without that (one probe of the command line) they are asked for when they are wanted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_probe.config.secrets import read_secret
from smtp_probe.config.settings import Auth, Config, Credential
from smtp_probe.config.token_files import TokenFile
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.ports import Clock, Resolver, Secret
from smtp_probe.report.known_series import credentials_in_use
from smtp_probe.report.redaction import SECRETS, register_secret

if TYPE_CHECKING:
    from smtp_probe.network.token_keeper import CredentialState, TokenKeeper

Show = Callable[[str, TokenResult, str, int | None], None]
_STRUCK_TOKENS = 200


class Credentials:
    """All credentials in use. `show` is told what became of each request for a token."""

    def __init__(self, clock: Clock, show: Show) -> None:
        self._clock = clock
        self._show = show
        self._keepers: dict[str, tuple[str, TokenKeeper]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_started = False

    def configure(self, config: Config, resolver: Resolver) -> None:
        """Take over a configuration: keepers whose settings have not changed go on, with the token that they hold."""
        wanted = credentials_in_use(config)
        prints = {name: _fingerprint(config, name) for name in wanted}
        for name in [name for name, (known, _) in self._keepers.items() if prints.get(name) != known]:
            self._drop(name)
        for name in wanted:
            if name not in self._keepers:
                self._keepers[name] = prints[name], self._keeper(config, name, resolver)
            if self._is_started and name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._keepers[name][1].run(), name="credential")

    def start(self) -> None:
        """Renew tokens by themselves from now on."""
        self._is_started = True
        for name, (_, keeper) in self._keepers.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(keeper.run(), name="credential")

    async def close(self) -> None:
        """Stop renewing."""
        tasks = list(self._tasks.values())
        for name in list(self._keepers):
            self._drop(name)
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def secret(self, auth: Auth | None, path: str) -> Secret | None:
        """The way to the secret of one login; `path` is that of its section."""
        if auth is None:
            return None
        return partial(_password, auth, path) if auth.oauth is None else partial(self._token, auth.oauth)

    def refused(self, auth: Auth | None) -> bool:
        """Hear that a mail server refused a login. True where another token is to be had, with which to try again."""
        if auth is None or auth.oauth not in self._keepers:
            return False
        return self._keepers[auth.oauth][1].refused()

    async def _token(self, name: str) -> str:
        if name not in self._keepers:  # a login that outlived its configuration
            raise CredentialError(TokenResult.LOCAL, f"the credential {name} is not in use any more")
        try:
            return await self._keepers[name][1].token()
        except CredentialError as error:
            raise error.of(name) from None

    def _keeper(self, config: Config, name: str, resolver: Resolver) -> TokenKeeper:
        from smtp_probe.network.provider_libraries import make_client
        from smtp_probe.network.token_keeper import TokenKeeper

        settings = config.credentials[name]
        client = make_client(settings, resolver, self._clock, strike)
        file = TokenFile(token_path(settings, name, config.state_directory))
        return TokenKeeper(settings, client, file, self._clock, partial(self._tell, name))

    def _tell(self, name: str, state: CredentialState) -> None:
        self._show(name, state.result, state.detail, state.expires_ns)

    def _drop(self, name: str) -> None:
        del self._keepers[name]
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()


def token_path(settings: Credential, name: str, state_directory: Path) -> Path:
    """Where the tokens of a credential are kept."""
    return settings.token_file or state_directory / "credentials" / f"{name}.json"


_struck: OrderedDict[str, None] = OrderedDict()


def strike(secret: str) -> None:
    """Have a token struck out of everything that is logged; of many, those that were seen last."""
    if secret in _struck:
        _struck.move_to_end(secret)
        return
    _struck[secret] = None
    register_secret(secret)
    if len(_struck) > _STRUCK_TOKENS:
        SECRETS.forget(_struck.popitem(last=False)[0])


def _password(auth: Auth, path: str) -> str:
    """Read a secret for a login, and have it struck out of everything that is logged from now on."""
    secret = read_secret(auth, path=path)
    register_secret(secret)
    return secret


def _fingerprint(config: Config, name: str) -> str:
    settings = config.credentials[name].model_dump_json() + config.resolver.model_dump_json()
    return settings + str(config.state_directory)

"""Logging in to an authorization server once, for the command line: by a code for another device, by a browser on this
machine, or to see that it works.

In: a configuration and the name of one of its credentials. Out: when the token expires; what has to be kept is in the
token file, where a running daemon finds it within seconds. Raises `CredentialError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smtp_probe.app.credentials import strike, token_path
from smtp_probe.config.credentials import Grant
from smtp_probe.config.files import UnreadableFile
from smtp_probe.config.settings import Config
from smtp_probe.config.token_files import KeptTokens, TokenFile
from smtp_probe.errors import CredentialError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import TokenResult
from smtp_probe.network.authorization_code import Consent, RedirectReceiver, ask_for_consent
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.oauth import DeviceCode, TokenAnswer
from smtp_probe.network.provider_libraries import make_client
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.network.token_keeper import CredentialState, TokenKeeper

CONSENT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a login came to. `kept_in` is None where nothing has to be kept."""

    lifetime_seconds: float | None
    kept_in: Path | None


async def log_in(
    config: Config,
    name: str,
    show: Callable[[DeviceCode], None],
    show_address: Callable[[Consent], None],
    seconds: float = CONSENT_SECONDS,
) -> Login:
    """Log in with one credential. Raises CredentialError.

    `show` is given the code of a device flow, `show_address` the address for a browser on this machine, each for a person;
    in the browser he has so many seconds.
    """
    settings = config.credentials[name]
    clock, resolver = ReferenceClock(), DnsResolver(config.resolver)
    file = TokenFile(token_path(settings, name, config.state_directory))
    client = make_client(settings, resolver, clock, strike)
    try:
        if settings.grant is Grant.DEVICE_CODE:
            _make_sure(file)
            code = await client.request_device_code()
            show(code)
            answer = await client.await_device_token(code)
            return _keep(file, answer, clock.now_ns())
        if settings.grant is Grant.AUTHORIZATION_CODE:
            _make_sure(file)
            async with RedirectReceiver(settings.redirect_port or 0) as receiver:
                consent = ask_for_consent(settings, receiver.redirect_uri)
                show_address(consent)
                given = await receiver.code(consent, seconds)
                answer = await client.redeem(given, consent.redirect_uri, consent.verifier)
            return _keep(file, answer, clock.now_ns())
        states: list[CredentialState] = []
        keeper = TokenKeeper(settings, client, file, clock, states.append)
        await keeper.token()
        if states[-1].result is not TokenResult.RENEWED:  # a token is had, and could not be kept
            raise CredentialError(states[-1].result, states[-1].detail)
        ends_ns = states[-1].expires_ns
        lifetime = None if ends_ns is None else (ends_ns - clock.now_ns()) / 1e9
        return Login(
            lifetime_seconds=lifetime, kept_in=file.path if settings.grant is Grant.REFRESH_TOKEN else None
        )
    finally:
        await resolver.close()


def _make_sure(file: TokenFile) -> None:
    """Find out whether the file can be written before a person is troubled. Raises CredentialError."""
    try:
        with file.try_lock():
            pass
    except UnreadableFile as error:
        raise CredentialError(TokenResult.LOCAL, sanitise(str(error))) from None


def _keep(file: TokenFile, answer: TokenAnswer, now_ns: int) -> Login:
    if answer.refresh_token is None:
        detail = "the server gave no refresh token: ask for it by the scope (offline_access at Microsoft)"
        raise CredentialError(TokenResult.REFUSED, detail)
    lifetime = answer.lifetime_seconds
    tokens = KeptTokens(
        refresh_token=answer.refresh_token,
        access_token=answer.access_token,
        expires_ns=None if lifetime is None else now_ns + round(lifetime * 1e9),
    )
    try:
        file.write(tokens)
    except UnreadableFile as error:
        raise CredentialError(TokenResult.LOCAL, sanitise(str(error))) from None
    return Login(lifetime_seconds=lifetime, kept_in=file.path)

"""Tokens by the libraries of providers, for who prefers them: google-auth for service accounts, msal for certificates.

In: a credential with `library`. Out: what `OAuthClient` gives. The library makes the request and signs it, in a thread; every
byte goes over the HTTPS of `OAuthClient` all the same: our resolver, authorities and deadlines, no redirect, no proxy, and
the same bounded results. Each has its extra; without it the error says how to install it. Keeps no token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from smtp_probe.config.credentials import MICROSOFT_TOKEN_PATH, Credential
from smtp_probe.config.files import UnreadableFile, read_bounded
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.network.oauth import OAuthClient, TokenAnswer
from smtp_probe.ports import Clock, Resolver

_LARGEST_BYTES = 65_536
_EXTRAS = {"google-auth": "google", "msal": "microsoft"}


@dataclass(frozen=True, slots=True)
class _Response:
    """A success, as both libraries want to see it."""

    data: bytes
    status: int = 200
    status_code: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    @property
    def text(self) -> str:
        return self.data.decode()

    def raise_for_status(self) -> None:
        """Nothing: what is no success has been raised before."""


class _Transport:
    """What the libraries take for their HTTP client, called from their thread. Keeps the last answer."""

    def __init__(self, client: OAuthClient, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._client = client
        self._loop = loop
        self._seconds = seconds
        self.answer: dict[str, Any] = {}

    def __call__(self, url: str, method: str = "GET", body: bytes | None = None, **_: Any) -> _Response:
        """As google-auth asks."""
        return self._ask(method, url, dict(parse_qsl((body or b"").decode())))

    def post(self, url: str, data: Mapping[str, object] | None = None, **_: Any) -> _Response:
        """As msal asks, which gives its assertion as bytes, and numbers as such."""
        form = {
            key: text.decode() if isinstance(text, bytes) else str(text) for key, text in (data or {}).items()
        }
        return self._ask("POST", url, form)

    def get(self, url: str, **_: Any) -> _Response:
        """As msal asks where its endpoints are."""
        return self._ask("GET", url, {})

    def _ask(self, method: str, url: str, form: dict[str, str]) -> _Response:
        asking = asyncio.run_coroutine_threadsafe(self._client.exchange(method, url, {}, form), self._loop)
        self.answer = asking.result(self._seconds)
        return _Response(json.dumps(self.answer).encode())


class LibraryClient(OAuthClient):
    """A client whose tokens are asked for by a provider's library."""

    async def request_token(self, refresh_token: str | None = None) -> TokenAnswer:  # noqa: ARG002 - there is none
        """Ask for an access token. Raises CredentialError."""
        settings = self._settings
        library = settings.library
        assert library is not None
        transport = _Transport(self, asyncio.get_running_loop(), settings.timeout)
        try:
            async with asyncio.timeout(2 * settings.timeout):  # msal asks where the endpoints are before
                await asyncio.to_thread(_ASK[library], settings, transport)
        except TimeoutError:
            raise CredentialError(TokenResult.NETWORK, f"{library}: no answer in time") from None
        except ImportError:
            detail = f"{library} is not installed: pip install 'smtp-probe[{_EXTRAS[library]}]'"
            raise CredentialError(TokenResult.LOCAL, detail) from None
        except UnreadableFile as error:
            raise CredentialError(TokenResult.LOCAL, str(error)) from None
        except CredentialError:
            raise
        except Exception as error:  # noqa: BLE001 - each library has families of its own, and their texts may quote a key
            detail = f"{library} cannot use {settings.private_key_file}: {type(error).__name__}"
            raise CredentialError(TokenResult.LOCAL, detail) from None
        return self.read_token(transport.answer)


def _ask_google(settings: Credential, transport: _Transport) -> None:
    from google.oauth2 import service_account

    assert settings.private_key_file is not None
    account = json.loads(read_bounded(settings.private_key_file, _LARGEST_BYTES))
    account |= {"client_email": settings.client_id, "token_uri": str(settings.token_url)}
    read: Any = service_account.Credentials.from_service_account_info  # untyped
    credentials = read(account, scopes=(settings.scope or "").split(), subject=settings.subject)
    credentials.refresh(transport)


def _ask_microsoft(settings: Credential, transport: _Transport) -> None:
    import msal

    assert settings.private_key_file is not None
    assert settings.certificate_file is not None
    application = msal.ConfidentialClientApplication(
        settings.client_id,
        client_credential={
            "private_key": read_bounded(settings.private_key_file, _LARGEST_BYTES).decode(),
            "public_certificate": read_bounded(settings.certificate_file, _LARGEST_BYTES).decode(),
        },
        authority=str(settings.token_url).removesuffix(MICROSOFT_TOKEN_PATH),
        http_client=transport,
        instance_discovery=False,
    )
    application.acquire_token_for_client(scopes=(settings.scope or "").split())


_ASK: Mapping[str, Callable[[Credential, _Transport], None]] = {
    "google-auth": _ask_google,
    "msal": _ask_microsoft,
}


def make_client(
    settings: Credential, resolver: Resolver, clock: Clock, on_secret: Callable[[str], None]
) -> OAuthClient:
    """The client of a credential: by the standards, or by the library that it names."""
    kind = OAuthClient if settings.library is None else LibraryClient
    return kind(settings, resolver, clock, on_secret)

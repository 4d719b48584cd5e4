"""google-auth and msal as they are, against an authorization server that verifies what they have signed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.oauth import OAuthClient
from smtp_probe.network.provider_libraries import LibraryClient, make_client
from smtp_probe.network.resolver import DnsResolver
from tests.network.authorization_server import AuthorizationServer
from tests.network.test_jwt_assertion import RSA, pem
from tests.network.test_oauth import Asked

ACCOUNT = "probe@project.iam.gserviceaccount.com"


@pytest.fixture
async def asked(certificates, tmp_path):
    server = AuthorizationServer(public_key=RSA.public_key())
    async with server.running(certificates.good):
        yield Asked(server, certificates, tmp_path)


def google(asked: Asked, **changes: Any) -> dict[str, Any]:
    key = asked.folder / "key.json"
    key.write_text(
        json.dumps({"type": "service_account", "private_key": pem(RSA).decode(), "private_key_id": "abc"})
    )
    settings = {
        "library": "google-auth", "grant": "jwt_bearer", "client_secret": None, "client_id": ACCOUNT,
        "private_key_file": key, "subject": "probe@example.org", "scope": "https://mail.google.com/",
    }  # fmt: skip
    return {**settings, **changes}


def microsoft(asked: Asked, **changes: Any) -> dict[str, Any]:
    (asked.folder / "certificate.pem").write_bytes(certificate())
    settings = {
        "library": "msal", "client_secret": None, "token_url": asked.server.url("/tenant/oauth2/v2.0/token"),
        "private_key_file": asked.folder / "key.pem", "certificate_file": asked.folder / "certificate.pem",
        "scope": "https://outlook.office365.com/.default",
    }  # fmt: skip
    return {**settings, **changes}


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp-probe")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA.public_key())
    begins = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = built.serial_number(x509.random_serial_number()).not_valid_before(begins)
    ends = begins + dt.timedelta(days=3650)
    return built.not_valid_after(ends).sign(RSA, SHA256()).public_bytes(Encoding.PEM)


def client(asked: Asked, **settings: Any) -> OAuthClient:
    return make_client(
        asked.settings(**settings), DnsResolver(ResolverSettings()), ReferenceClock(), asked.secrets.append
    )


async def fails(asked: Asked, **settings: Any) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        await client(asked, **settings).request_token()
    return caught.value


async def test_google_auth_signs_for_a_service_account(asked):
    answer = await client(asked, **google(asked)).request_token()
    claims = asked.server._verify(asked.last["assertion"])

    assert answer.access_token in asked.server.active
    assert answer.access_token in asked.secrets
    assert answer.lifetime_seconds == 3600
    assert (claims["iss"], claims["sub"]) == (ACCOUNT, "probe@example.org")
    assert claims["scope"] == "https://mail.google.com/"
    assert len(asked.server.requests) == 1


async def test_msal_signs_with_the_key_of_a_certificate(asked):
    answer = await client(asked, **microsoft(asked)).request_token()

    assert answer.access_token in asked.server.active
    assert asked.last["scope"] == "https://outlook.office365.com/.default"
    assert asked.server._verify(asked.last["client_assertion"])["iss"] == "smtp-probe"
    assert len(asked.server.requests) == 1


@pytest.mark.parametrize("settings", [google, microsoft])
async def test_a_refusal_has_its_cause_and_is_heard_once(asked, settings):
    asked.server.answer = lambda: web.json_response({"error": "invalid_grant"}, status=400)
    assert (await fails(asked, **settings(asked))).result is TokenResult.INVALID_GRANT
    assert len(asked.server.requests) == 1
    asked.server.answer = lambda: web.Response(status=503)
    assert (await fails(asked, **settings(asked))).result is TokenResult.NETWORK
    asked.server.answer = lambda: web.Response(status=307, headers={"Location": "https://elsewhere.example/"})
    assert "not followed" in (await fails(asked, **settings(asked))).detail
    asked.server.answer = lambda: web.json_response({"access_token": "a b"})
    assert (await fails(asked, **settings(asked))).result in (TokenResult.PROTOCOL, TokenResult.LOCAL)


@pytest.mark.parametrize("settings", [google, microsoft])
async def test_a_certificate_that_does_not_verify_is_not_spoken_to(asked, settings):
    error = await fails(asked, **settings(asked, ca_file=None))
    assert error.result is TokenResult.NETWORK
    assert asked.server.requests == []


@pytest.mark.parametrize("settings", [google, microsoft])
async def test_a_key_that_cannot_be_used_is_our_own_mistake_and_is_not_quoted(asked, settings):
    changes = settings(asked)
    changes["private_key_file"].write_text('{"private_key": "no key at all"}')
    error = await fails(asked, **changes)
    assert error.result is TokenResult.LOCAL
    assert "no key at all" not in str(error)
    changes["private_key_file"].unlink()
    assert (await fails(asked, **changes)).result is TokenResult.LOCAL


@pytest.mark.parametrize(
    ("settings", "module", "extra"), [(google, "google.oauth2", "google"), (microsoft, "msal", "microsoft")]
)
async def test_a_missing_extra_is_told_with_the_way_to_install_it(
    asked, settings, module, extra, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    error = await fails(asked, **settings(asked))
    assert error.result is TokenResult.LOCAL
    assert f"pip install 'smtp-probe[{extra}]'" in error.detail


async def test_the_standards_path_is_taken_where_no_library_is_named(asked):
    assert type(client(asked)) is OAuthClient
    assert type(client(asked, **google(asked))) is LibraryClient


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"library": "google-auth"}, "needs grant: jwt_bearer"),
        ({"library": "msal"}, "needs private_key_file"),
        ({"library": "msal", "grant": "jwt_bearer", "client_secret": None, "private_key_file": "k"}, "needs grant: client_credentials"),
    ],
)  # fmt: skip
async def test_what_a_library_cannot_is_a_mistake_of_the_configuration(asked, changes, said):
    with pytest.raises(ValidationError, match=said):
        asked.settings(**changes)
    with pytest.raises(ValidationError, match="token_url that ends with"):
        asked.settings(**microsoft(asked, token_url="https://login.example/token"))

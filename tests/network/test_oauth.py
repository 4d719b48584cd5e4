"""Every grant against a server that checks it, and every way in which a server can fail."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from smtp_probe.config.credentials import Credential
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.oauth import OAuthClient
from smtp_probe.network.resolver import DnsResolver
from tests.network.authorization_server import CLIENT, CLIENT_SECRET, AuthorizationServer
from tests.network.certificates import Certificates
from tests.network.test_jwt_assertion import RSA, pem


class Asked:
    """A client of a running server, and the secrets that it told of."""

    def __init__(self, server: AuthorizationServer, certificates: Certificates, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.ca_file = certificates.ca_file
        self.secrets: list[str] = []
        (folder / "client.secret").write_text(CLIENT_SECRET)
        (folder / "key.pem").write_bytes(pem(RSA))

    def settings(self, **changes: Any) -> Credential:
        secret = {"password_file": str(self.folder / "client.secret")}
        values = {
            "grant": "client_credentials",
            "token_url": self.server.url("/token"),
            "client_id": CLIENT,
            "client_secret": secret,
            "ca_file": self.ca_file,
            "timeout": 5,
            **changes,
        }
        return Credential.model_validate(values)

    def client(self, **changes: Any) -> OAuthClient:
        resolver = DnsResolver(ResolverSettings())
        return OAuthClient(self.settings(**changes), resolver, ReferenceClock(), self.secrets.append)

    @property
    def last(self) -> dict[str, str]:
        return self.server.requests[-1].form


@pytest.fixture
async def asked(certificates: Certificates, tmp_path: Path):
    server = AuthorizationServer()
    async with server.running(certificates.good):
        yield Asked(server, certificates, tmp_path)


async def fails(asked: Asked, token: str | None = None, **changes: Any) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        await asked.client(**changes).request_token(token)
    assert CLIENT_SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("way", ["basic", "post"])
async def test_client_credentials(asked, way):
    answer = await asked.client(client_authentication=way, scope="mail").request_token()

    assert answer.access_token in asked.server.active
    assert answer.lifetime_seconds == 3600
    assert asked.last["scope"] == "mail"
    assert ("client_secret" in asked.last) == (way == "post")
    assert answer.access_token not in repr(answer)
    assert {CLIENT_SECRET, answer.access_token} <= set(asked.secrets)


async def test_a_signed_assertion_is_proof_of_the_client(asked):
    asked.server.public_key = RSA.public_key()
    key = {"client_secret": None, "private_key_file": asked.folder / "key.pem"}

    assert (await asked.client(**key).request_token()).access_token in asked.server.active
    assert asked.last["client_assertion_type"].endswith("client-assertion-type:jwt-bearer")


async def test_a_service_account_asks_by_an_assertion(asked):
    asked.server.public_key = RSA.public_key()
    content = {"private_key": pem(RSA).decode(), "private_key_id": "abc"}
    (asked.folder / "key.json").write_text(json.dumps(content))
    changes = {
        "grant": "jwt_bearer", "client_secret": None, "private_key_file": asked.folder / "key.json",
        "subject": "probe@example.org", "scope": "https://mail.google.com/",
    }  # fmt: skip
    answer = await asked.client(**changes).request_token()
    claims = asked.server._verify(asked.last["assertion"])

    assert answer.access_token in asked.server.active
    assert (claims["iss"], claims["sub"]) == (CLIENT, "probe@example.org")
    assert claims["scope"] == "https://mail.google.com/"


async def test_a_key_that_is_not_the_known_one_is_refused(asked):
    asked.server.public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = {"client_secret": None, "private_key_file": asked.folder / "key.pem"}

    assert (await fails(asked, **key)).result is TokenResult.NETWORK  # the server stumbles: 500


REFRESH = {"grant": "refresh_token", "refresh_token": {"password_env": "UNUSED"}}


async def test_a_refresh_token_is_rotated(asked):
    first = asked.server.issue_refresh_token()
    answer = await asked.client(**REFRESH).request_token(first)

    assert answer.refresh_token not in (None, first)
    assert answer.refresh_token in asked.secrets


async def test_a_revoked_refresh_token_is_said_and_not_repeated(asked):
    token = asked.server.issue_refresh_token()
    asked.server.revoke_all()
    error = await fails(asked, token, **REFRESH)

    assert (error.result, error.detail) == (
        TokenResult.INVALID_GRANT,
        'the server says "invalid_grant": Token *** has been expired or revoked.',
    )


async def test_a_wrong_secret_is_said_and_not_repeated(asked):
    (asked.folder / "client.secret").write_text("not the secret")
    error = await fails(asked, client_authentication="post")

    assert (error.result, error.detail) == (
        TokenResult.INVALID_CLIENT,
        'the server says "invalid_client": the secret is not ***',
    )


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (
            {"status": 302, "headers": {"Location": "https://other.test/"}},
            "protocol",
            "redirect is not followed",
        ),
        ({"status": 503, "text": "busy"}, "network", "status 503"),
        ({"status": 429, "text": "slower"}, "network", "status 429"),
        ({"status": 404, "text": "?"}, "protocol", "status 404"),
        ({"text": "<html>"}, "protocol", "no JSON object"),
        ({"text": "[]"}, "protocol", "no JSON object"),
        ({"text": "{}"}, "protocol", "no JSON object"),
        ({"text": '{"a": "' + "x" * 70_000 + '"}'}, "protocol", "no JSON object"),
        ({"text": '{"token_type": "bearer"}'}, "protocol", "access_token"),
        ({"text": '{"access_token": "a b", "token_type": "bearer"}'}, "protocol", "access_token"),
        ({"text": '{"access_token": "a\\u0001", "token_type": "bearer"}'}, "protocol", "access_token"),
        ({"text": '{"access_token": "a", "token_type": "mac"}'}, "protocol", "bearer"),
        ({"text": '{"access_token": "a", "refresh_token": 7}'}, "protocol", "refresh_token"),
        ({"status": 400, "text": '{"error": "invalid_scope"}'}, "refused", "invalid_scope"),
        ({"status": 400, "text": '{"error": "\\u001b[2J"}'}, "protocol", "status 400"),
        ({"text": '{"error": "invalid_grant"}'}, "invalid_grant", "invalid_grant"),
    ],
)
async def test_an_answer_that_is_no_token_is_told_by_its_cause(asked, answer, result, words):
    asked.server.answer = lambda: web.Response(**answer)
    error = await fails(asked)

    assert error.result == result
    assert words in error.detail
    assert error.detail.isprintable()
    assert len(asked.server.requests) == 1


async def test_a_lifetime_in_text_is_read_and_one_without_sense_is_unknown(asked):
    for written, wanted in (
        ('"60"', 60.0),
        ("-1", None),
        ('"soon"', None),
        ("null", None),
        ("1e99", 366 * 86400.0),
    ):
        text = f'{{"access_token": "abcd", "expires_in": {written}}}'
        asked.server.answer = partial(web.Response, text=text)
        assert (await asked.client().request_token()).lifetime_seconds == wanted


async def test_a_server_that_is_silent_is_given_up(asked):
    asked.server.delay = 30
    error = await fails(asked, timeout=0.2)

    assert (error.result, error.detail) == (TokenResult.NETWORK, "no answer within 0.2 s")


@pytest.mark.parametrize("kind", ["expired", "wrong_name", "unknown_issuer", "self_signed"])
async def test_nothing_is_sent_to_a_server_whose_certificate_does_not_verify(certificates, tmp_path, kind):
    server = AuthorizationServer()
    tls: ssl.SSLContext = getattr(certificates, kind)
    async with server.running(tls):
        error = await fails(Asked(server, certificates, tmp_path))

    assert error.result is TokenResult.NETWORK
    assert server.requests == []


async def test_nobody_listening(asked):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]

    assert (await fails(asked, token_url=f"https://127.0.0.1:{port}/token")).result is TokenResult.NETWORK


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": {"password_file": "/nowhere/secret"}},
        {"client_secret": {"password_env": "NOT_THERE"}},
        {"client_secret": None, "private_key_file": "/nowhere/key"},
        {"ca_file": "/nowhere/ca.pem"},
    ],
)
async def test_what_is_missing_here_is_ours(asked, changes):
    assert (await fails(asked, **changes)).result is TokenResult.LOCAL
    assert asked.server.requests == []


# The device flow.


def device(asked, **changes):
    url = asked.server.url("/device")
    return asked.client(grant="device_code", device_authorization_url=url, **changes)


async def test_the_device_flow_waits_for_the_person(asked):
    asked.server.device_answers = ["authorization_pending", "authorization_pending"]
    client = device(asked)
    code = await client.request_device_code()
    answer = await client.await_device_token(code)

    assert (code.user_code, code.verification_uri) == ("WDJB-MJHT", "https://login.test/device")
    assert answer.refresh_token in asked.server.refresh_tokens
    assert "device-code-1" not in repr(code)
    assert len(asked.server.requests) == 4


@pytest.mark.parametrize("word", ["access_denied", "expired_token"])
async def test_the_device_flow_ends_with_a_refusal(asked, word):
    asked.server.device_answers = ["authorization_pending", word]
    client = device(asked)
    with pytest.raises(CredentialError) as caught:
        await client.await_device_token(await client.request_device_code())

    assert (caught.value.result, caught.value.word) == (TokenResult.INVALID_GRANT, word)


async def test_a_server_cannot_have_a_secret_of_an_earlier_request_written_down(asked: Asked) -> None:
    client = asked.client(grant="refresh_token", refresh_token={"password_env": "X"})
    first = await client.request_token(asked.server.issue_refresh_token())
    said = f"you are {first.access_token}, and had {first.refresh_token}"
    asked.server.answer = lambda: web.json_response(
        {"error": "invalid_grant", "error_description": said}, status=400
    )
    with pytest.raises(CredentialError) as caught:
        await client.request_token("another-token")

    assert caught.value.detail == 'the server says "invalid_grant": you are ***, and had ***'

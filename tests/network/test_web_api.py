"""Requests to a web interface: where a login goes, and what is made of answers."""

from __future__ import annotations

import ssl

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import ConfigError, CredentialError, MailboxError
from smtp_probe.model import Cause, TlsFailure, TokenResult
from smtp_probe.network.web_api import WebApi, WebReply
from tests.network.submitting import FixedResolver

SECRET = "hunter2secret"
AUTH = {"username": "probe", "password_env": "UNUSED"}


def api(port, secret=lambda: SECRET, **changes):
    settings = {
        "protocol": "jmap", "host": "127.0.0.1", "port": port, "tls": "none", "auth": AUTH,
        "allow_credentials_without_tls": True, "timeouts": {"command": 1}, **changes,
    }  # fmt: skip
    return WebApi(Mailbox.model_validate(settings), FixedResolver("127.0.0.1"), secret)


@pytest.fixture
async def server():
    async def echo(request):
        if request.path == "/large":
            return web.Response(body=b"x" * 100_000)
        if request.path == "/cut":
            request.transport.abort()
        spaced = "\u200b".join(SECRET)
        words = {
            "error": {"code": "bad", "message": f"no: {request.headers['Authorization']} {spaced}\x1b[0m"}
        }
        return web.json_response(words, status=int(request.path.strip("/") or 200))

    made = web.Application()
    made.router.add_route("*", "/{path:.*}", echo)
    async with TestServer(made) as running:
        yield running


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.REPLY_PERMANENT), (401, Cause.AUTH_REFUSED), (403, Cause.REPLY_PERMANENT),
        (404, Cause.REPLY_PERMANENT), (429, Cause.REPLY_TEMPORARY), (500, Cause.REPLY_TEMPORARY),
        (503, Cause.REPLY_TEMPORARY), (302, Cause.PROTOCOL_ERROR),
    ],
)  # fmt: skip
async def test_a_status_is_told_without_our_secret(server, status, cause):
    made = api(server.port)
    with pytest.raises(MailboxError) as caught:
        await made.demand("list", "GET", f"{made.base}/{status}")
    assert (caught.value.stage, caught.value.cause) == ("list", cause)
    told = caught.value.detail
    assert told.startswith(f"HTTP status {status}: bad no: Basic cHJvYmU6*** ***")  # the name of the user
    assert SECRET not in told
    assert "\x1b" not in told
    await made.close()


async def test_answers_are_bounded_and_cut_only_where_that_is_wanted(server):
    made = api(server.port)
    with pytest.raises(MailboxError, match="without end"):
        await made.ask("list", "GET", f"{made.base}/large", limit_bytes=1000)
    cut = await made.ask("list", "GET", f"{made.base}/large", limit_bytes=1000, cuts=True)
    assert cut.body == b"x" * 1000
    await made.close()


async def test_a_connection_that_is_lost_is_told(server):
    made = api(server.port)
    with pytest.raises(MailboxError) as caught:
        await made.ask("list", "GET", f"{made.base}/cut")
    assert caught.value.cause is Cause.CONNECTION_LOST
    await made.close()


@pytest.mark.parametrize(
    "url", ["http://other.test/", "https://127.0.0.1/", "http://127.0.0.1:1/", "file:///etc/passwd"]
)
async def test_a_login_goes_nowhere_else_in_the_clear(server, url):
    made = api(server.port)
    with pytest.raises(MailboxError, match="not safe for a login"):
        await made.ask("list", "GET", url)
    await made.close()


async def test_a_secret_that_cannot_be_had_is_our_own_fault(server):
    def no_file():
        raise ConfigError(())

    def no_token():
        raise CredentialError(TokenResult.NETWORK, "no answer")

    for secret in (no_file, no_token, None):
        made = api(server.port, secret)
        with pytest.raises(MailboxError) as caught:
            await made.ask("list", "GET", f"{made.base}/")
        assert caught.value.cause is Cause.CREDENTIAL
        await made.close()


async def test_a_certificate_is_verified_and_shown(tmp_path):
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mail.example.test").configure_cert(context)
    for name, made in (("good", authority), ("other", other)):
        made.cert_pem.write_to_path(tmp_path / name)

    async def well(_):
        return web.json_response({})

    application = web.Application()
    application.router.add_get("/", well)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        port = runner.addresses[0][1]
        for authorities, name, failure in (
            ("good", "mail.example.test", None),
            ("other", "mail.example.test", TlsFailure.UNKNOWN_ISSUER),
            ("good", "other.example.test", TlsFailure.NAME_MISMATCH),
        ):
            options = {"ca_file": tmp_path / authorities, "server_name": name}
            made = api(port, tls="implicit", tls_options=options)
            if failure is None:
                assert (await made.demand("list", "GET", f"{made.base}/")).json("list") == {}
            else:
                with pytest.raises(MailboxError) as caught:
                    await made.ask("list", "GET", f"{made.base}/")
                assert (caught.value.cause, caught.value.tls_failure) == (Cause.TLS_FAILED, failure)
            assert made.tls is not None
            assert made.tls.not_after_ns is not None
            await made.close()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"\xff", b"{" * 100_000])
def test_what_is_no_object_is_refused(body):
    with pytest.raises(MailboxError):
        WebReply(status=200, body=body).json("list")

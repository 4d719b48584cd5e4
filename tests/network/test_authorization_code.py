"""The authorization code flow: what is asked for, and whom the port on the loopback interface believes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from smtp_probe.config.credentials import Credential
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.network.authorization_code import RedirectReceiver, ask_for_consent

SETTINGS = Credential(
    grant="authorization_code",
    token_url="https://login.test/token",
    authorization_url="https://login.test/authorize",
    client_id="smtp probe",
    scope="mail offline",
)


async def visit(receiver, target, method="GET"):
    port = urlsplit(receiver.redirect_uri).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer.decode()


def test_the_address_has_all_that_the_standards_ask_for():
    consent = ask_for_consent(SETTINGS, "http://127.0.0.1:1/")
    query = {name: values[0] for name, values in parse_qs(urlsplit(consent.address).query).items()}
    digest = hashlib.sha256(consent.verifier.encode()).digest()

    assert query == {
        "response_type": "code",
        "client_id": "smtp probe",
        "redirect_uri": "http://127.0.0.1:1/",
        "state": consent.state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "scope": "mail offline",
    }
    assert 43 <= len(consent.verifier) <= 128, "RFC 7636 section 4.1"
    assert consent.verifier not in repr(consent)
    assert consent.state != ask_for_consent(SETTINGS, "http://127.0.0.1:1/").state


async def test_only_the_answer_to_our_question_is_taken():
    async with RedirectReceiver() as receiver:
        consent = ask_for_consent(SETTINGS, receiver.redirect_uri)
        waiting = asyncio.create_task(receiver.code(consent, 10))
        await asyncio.sleep(0)
        good = urlencode({"state": consent.state, "code": "right"})
        for target in (
            "/",
            "/favicon.ico",
            f"/elsewhere?{good}",
            "/?" + urlencode({"code": "wrong"}),
            "/?" + urlencode({"code": "wrong", "state": "wrong"}),
            "/?" + urlencode({"error": "access_denied", "state": "wrong"}),
            "/?" + urlencode({"code": "a b", "state": consent.state}),
            "/?" + "&".join(f"a{n}=1" for n in range(20)),
        ):
            assert (await visit(receiver, target)).startswith("HTTP/1.1 400 ")
        assert (await visit(receiver, f"/?{good}", method="POST")).startswith("HTTP/1.1 400 ")
        assert not waiting.done()
        answer = await visit(receiver, f"/?{good}")

        assert answer.startswith("HTTP/1.1 200 ")
        assert "right" not in answer
        assert await waiting == "right"
        assert (await visit(receiver, "/?" + good)).startswith("HTTP/1.1 400 "), "it is good once"


async def test_visitors_who_speak_no_http_do_not_end_it():
    async with RedirectReceiver() as receiver:
        consent = ask_for_consent(SETTINGS, receiver.redirect_uri)
        waiting = asyncio.create_task(receiver.code(consent, 10))
        port = urlsplit(receiver.redirect_uri).port
        for said in (b"", b"\x16\x03\x01" * 10, b"GET " + b"a" * 40_000, b"\xff\r\n\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.close()
        await visit(receiver, "/?" + urlencode({"state": consent.state, "code": "right"}))
        assert await waiting == "right"


async def test_a_refusal_is_told_in_the_server_s_words_made_harmless():
    async with RedirectReceiver() as receiver:
        consent = ask_for_consent(SETTINGS, receiver.redirect_uri)
        waiting = asyncio.create_task(receiver.code(consent, 10))
        await asyncio.sleep(0)
        said = {"state": consent.state, "error": "access_denied", "error_description": "no\x1b[31m\u202e!"}
        await visit(receiver, "/?" + urlencode(said))
        with pytest.raises(CredentialError) as caught:
            await waiting

    assert caught.value.result is TokenResult.INVALID_GRANT
    assert caught.value.detail == 'the server says "access_denied": no[31m!'


async def test_nobody_is_waited_for_without_end_and_a_port_that_is_taken_is_told():
    async with RedirectReceiver() as receiver:
        with pytest.raises(CredentialError, match="nobody has agreed"):
            await receiver.code(ask_for_consent(SETTINGS, receiver.redirect_uri), 0.05)
        port = urlsplit(receiver.redirect_uri).port or 0
        with pytest.raises(CredentialError, match=f"port {port}") as caught:
            async with RedirectReceiver(port):
                pass
    assert caught.value.result is TokenResult.LOCAL

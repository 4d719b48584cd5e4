"""The authorization code flow of a program on a person's machine (RFC 8252), with PKCE (RFC 7636).

In: where the server asks people, and our name there. Out: the address to open in a browser, and the code with which it comes
back to a port of the loopback interface that is open only meanwhile. Nobody else's code is taken: the state must be the one
that was sent (RFC 6749 section 10.12), and the code is of no use without the verifier, which stays here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from smtp_probe.config.credentials import Credential
from smtp_probe.errors import CredentialError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import TokenResult

LOOPBACK = "127.0.0.1"
_READ_SECONDS = 10.0
_LARGEST_HEAD_BYTES = 16_384
_CODE = re.compile(r"[!-~]{1,4096}")
_REQUEST = re.compile(rb"GET (/[!-~]*) HTTP/1\.[01]")
_PAGE = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What is sent with a person, and what stays here. `address` is for the browser."""

    address: str
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def ask_for_consent(settings: Credential, redirect_uri: str) -> Consent:
    """Make the address that a person opens (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({} if settings.scope is None else {"scope": settings.scope}),
    }
    url = str(settings.authorization_url)
    joint = "&" if urlsplit(url).query else "?"
    return Consent(
        address=url + joint + urlencode(query), redirect_uri=redirect_uri, state=state, verifier=verifier
    )


class RedirectReceiver:
    """`async with RedirectReceiver(port) as receiver:` listens on the loopback interface; port 0 takes any."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._state = ""
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._serve, LOOPBACK, self._port, limit=_LARGEST_HEAD_BYTES
            )
        except OSError as error:
            detail = f"port {self._port} of {LOOPBACK} cannot be listened on: {error.strerror or error}"
            raise CredentialError(TokenResult.LOCAL, detail) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        if self._answer.done() and not self._answer.cancelled():
            self._answer.exception()  # seen, also where nobody waited for it

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to be sent back to."""
        assert self._server is not None
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}/"

    async def code(self, consent: Consent, seconds: float) -> str:
        """Wait until the browser comes back. Raises CredentialError for a refusal, and when nobody came."""
        self._state = consent.state
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            detail = f"nobody has agreed within {seconds / 60:.0f} min"
            raise CredentialError(TokenResult.INVALID_GRANT, detail) from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status, text = "400 Bad Request", "This is not an answer that smtp-probe waits for.\n"
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                match = _REQUEST.match(head)
                told = self._take(match[1].decode("ascii")) if match is not None else ""
                if told:
                    status, text = "200 OK", told + " This window can be closed.\n"
                page = _PAGE.format(status=status, length=len(text.encode()), text=text)
                writer.write(page.encode())
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a visitor who does not speak HTTP: whoever is waited for may still come
        finally:
            writer.close()

    def _take(self, target: str) -> str:
        """Read where the browser was sent. Gives what is said to the person; nothing for what is not our answer."""
        parts = urlsplit(target)
        values = {key: found[0] for key, found in parse_qs(parts.query, max_num_fields=20).items()}
        is_ours = bool(self._state) and secrets.compare_digest(
            values.get("state", "").encode(), self._state.encode()
        )
        if parts.path != "/" or not is_ours or self._answer.done():
            return ""
        if "error" in values:
            said = f'the server says "{sanitise(values["error"], 60)}"'
            more = sanitise(values.get("error_description", ""), 200)
            detail = f"{said}: {more}" if more else said
            self._answer.set_exception(CredentialError(TokenResult.INVALID_GRANT, detail))
            return "The consent was not given."
        code = values.get("code", "")
        if _CODE.fullmatch(code) is None:
            return ""
        self._answer.set_result(code)
        return "smtp-probe has the consent."

"""How to log in to an IMAP server: which command, and what to answer when the server asks for more.

Pure: the mechanism, the credentials and the server's capabilities in, a dialogue out. RFC 3501 section 6.2 (LOGIN,
AUTHENTICATE), RFC 4616 (PLAIN), RFC 4959 (SASL-IR), RFC 7628 (OAUTHBEARER), and XOAUTH2 as Google and Microsoft describe
it. Sends nothing, and keeps every secret out of the `repr` of what it returns.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field

from smtp_probe.config.settings import Mechanism
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.mechanisms import say_not_offered
from smtp_probe.network.oauth_bearer import ACKNOWLEDGEMENT, initial_response

_STAGE = "login"
_SHORTEST_FORM = 4


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One command of several lines, as a login is: its first line's end, and what answers the server's `+` in turn.

    A `+` after the last of `replies` is a refusal that wants to be acknowledged: the answer is an empty line.
    `secrets` are the texts that must never be shown, in every form in which they are sent.
    """

    command: str
    ending: bytes = field(repr=False)
    replies: tuple[bytes, ...] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def mask(self, words: str) -> str:
        """Replace every secret in a text: a server may echo what it was sent."""
        for secret in self.secrets:
            words = re.sub(re.escape(secret), "***", words, flags=re.IGNORECASE)
        return words


def plan_login(mechanism: Mechanism, username: str, secret: str, capabilities: frozenset[str]) -> Dialogue:
    """Give the dialogue for one mechanism. `capabilities` are those announced on this connection, upper case.

    Raises `errors.MailboxError`: `auth_not_offered` where the server does not have the mechanism, `credential`
    where the credentials cannot be written in it.
    """
    if not secret or "\0" in secret + username:
        raise MailboxError(_STAGE, Cause.CREDENTIAL, detail="the secret is empty, or holds a NUL character")
    if mechanism is Mechanism.LOGIN:
        return _plan_login_command(username, secret, capabilities)
    if f"AUTH={mechanism.upper()}" not in capabilities:
        raise _not_offered(mechanism, capabilities)
    if mechanism is Mechanism.XOAUTH2:
        message = f"user={username}\1auth=Bearer {secret}\1\1"
    elif mechanism is Mechanism.OAUTHBEARER:
        message = initial_response(username, secret)
    else:
        message = f"\0{username}\0{secret}"
    response = b64encode(_octets(message))
    ending = f"AUTHENTICATE {mechanism.upper()}".encode()
    secrets = (secret, *forms_in_base64(secret))
    refused = (ACKNOWLEDGEMENT,) if mechanism is Mechanism.OAUTHBEARER else ()
    if "SASL-IR" in capabilities:
        return Dialogue("AUTHENTICATE", ending + b" " + response, refused, secrets)
    return Dialogue("AUTHENTICATE", ending, (response, *refused), secrets)


def _plan_login_command(username: str, secret: str, capabilities: frozenset[str]) -> Dialogue:
    """LOGIN: quoted strings where they can hold the text, otherwise literals, each sent when the server asks."""
    if "LOGINDISABLED" in capabilities:
        raise _not_offered(Mechanism.LOGIN, capabilities)
    lines = [b"LOGIN"]
    for text in (username, secret):
        argument = _quote(text)
        if argument is not None:
            lines[-1] += b" " + argument
        else:
            octets = _octets(text)
            lines[-1] += b" {%d}" % len(octets)
            lines.append(octets)
    quoted = _quote(secret) or b""
    secrets = (secret, quoted[1:-1].decode() or secret, *forms_in_base64(secret))
    return Dialogue("LOGIN", lines[0], tuple(lines[1:]), secrets)


def forms_in_base64(secret: str) -> list[str]:
    """What every base64 text that has the secret in it contains: one of three runs, by where its bytes fall."""
    forms = []
    for shift in range(3):
        octets = b"\0" * shift + _octets(secret)
        run = b64encode(octets)[(shift * 8 + 5) // 6 : len(octets) * 8 // 6]
        if len(run) >= _SHORTEST_FORM:  # a shorter one would mask half of every text
            forms.append(run.decode())
    return forms


def _octets(text: str) -> bytes:
    """The bytes of a text as it was read from a file or the environment."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # its text holds the secret: it must not be chained
        raise MailboxError(_STAGE, Cause.CREDENTIAL, detail="the credentials are not text") from None


def _quote(text: str) -> bytes | None:
    """A quoted string (RFC 3501 section 9), or None where only a literal can hold the text."""
    if not (text.isascii() and text.isprintable()) or len(text) > 500:
        return None
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _not_offered(mechanism: Mechanism, capabilities: frozenset[str]) -> MailboxError:
    """Say which mechanisms the server has: the names after `AUTH=`, and LOGIN unless it is switched off."""
    offered = sorted(word[5:] for word in capabilities if word.startswith("AUTH="))
    if "LOGINDISABLED" not in capabilities:
        offered.append("LOGIN")
    detail = say_not_offered(mechanism, offered, none="none on this connection (LOGINDISABLED)")
    return MailboxError(_STAGE, Cause.AUTH_NOT_OFFERED, detail=detail)

"""Opening a connection: greetings, TLS in both ways and each way it fails, STARTTLS attacks, logins."""

import asyncio
import re
from base64 import b64encode

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, TlsFailure
from tests.network.certificates import EXPIRED_AT
from tests.network.hostile_imap import CAPABILITIES, LOGIN, SECRET, connector_to, hostile_imap, session_to

LOGGED_IN = "S: {tag} OK [CAPABILITY IMAP4rev1] logged in"


async def fail_to_open(server, **changes):
    connector = connector_to(server.port, **changes)
    with pytest.raises(MailboxError) as caught:
        await connector.open()
    return caught.value, connector


def trust(certificates, **options):
    return {"tls_options": {"ca_file": str(certificates.ca_file), **options}}


# Greetings.


@pytest.mark.parametrize(
    "script",
    [
        "S: 220 mail.test ESMTP Postfix",
        "S: +OK POP3 ready",
        "S: HTTP/1.1 400 Bad Request",
        "S: * NO go away",
        "S: * hello",
        [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
        [b"garbage without an end"],
        [b"\0" * 100],
    ],
)
async def test_a_garbage_greeting_is_known_at_once(script):
    async with hostile_imap(script) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server), 1.5)

    assert (error.stage, error.cause) == ("greeting", Cause.PROTOCOL_ERROR)


async def test_a_greeting_that_never_ends_is_refused():
    async with hostile_imap([b"* OK " + b"x" * 9_000_000]) as server:
        error, _ = await fail_to_open(server, timeouts={"connect": 5.0, "command": 5.0})

    assert (error.stage, error.cause) == ("greeting", Cause.PROTOCOL_ERROR)


async def test_no_greeting_is_a_timeout():
    async with hostile_imap("wait 30") as server:
        error, _ = await fail_to_open(server, timeouts={"connect": 0.2, "command": 5.0})

    assert (error.stage, error.cause) == ("greeting", Cause.TIMEOUT)


async def test_a_server_that_says_bye_is_quoted():
    async with hostile_imap("S: * BYE too many connections from you\nwait 30") as server:
        error, _ = await asyncio.wait_for(fail_to_open(server), 1.5)

    assert (error.stage, error.cause) == ("greeting", Cause.CONNECTION_LOST)
    assert "too many connections" in error.detail


@pytest.mark.parametrize("greeting", ["* BYE you are {}", "* NO you are {}", "220 you are {}"])
@pytest.mark.parametrize(
    "form",
    [SECRET, SECRET.upper(), "hun\u200bter2secret", b64encode(f"\0watcher\0{SECRET}".encode()).decode()],
)
async def test_a_greeting_that_quotes_the_secret_of_an_earlier_connection_is_masked(greeting, form):
    async with hostile_imap(f"S: {greeting.format(form)}\nwait 30") as server:
        error, _ = await asyncio.wait_for(fail_to_open(server), 1.5)

    assert "you are ***" in error.detail
    assert SECRET not in str(error).lower()


@pytest.mark.parametrize("end", ["cut", "end"])
async def test_a_connection_that_ends_before_the_greeting(end):
    async with hostile_imap(end) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server), 1.5)

    assert (error.stage, error.cause) == ("greeting", Cause.CONNECTION_LOST)


async def test_capabilities_are_asked_for_where_the_greeting_has_none():
    script = """
    S: * OK ready
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
    S: {tag} OK done
    C: AUTHENTICATE PLAIN$
    S: +
    R: AHdhdGNoZXIAaHVudGVyMnNlY3JldA==
    S: {tag} OK welcome
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1 IDLE
    S: {tag} OK done
    """
    async with hostile_imap(trim(script)) as server, session_to(server.port) as session:
        assert session.is_open


async def test_preauth_needs_no_login():
    script = "S: * PREAUTH [CAPABILITY IMAP4rev1] hello"
    async with hostile_imap(script) as server, session_to(server.port) as session:
        assert session.is_open


# TLS.


async def test_implicit_tls(certificates):
    async with (
        hostile_imap(LOGIN, tls=certificates.good) as server,
        session_to(server.port, tls="implicit", **trust(certificates)) as session,
    ):
        facts = session.tls_facts

    assert facts.version == "TLSv1.3"
    assert facts.cipher
    assert facts.not_after_ns is not None
    assert facts.failure is None


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("expired", TlsFailure.EXPIRED),
        ("not_yet_valid", TlsFailure.NOT_YET_VALID),
        ("wrong_name", TlsFailure.NAME_MISMATCH),
        ("unknown_issuer", TlsFailure.UNKNOWN_ISSUER),
        ("self_signed", TlsFailure.SELF_SIGNED),
    ],
)
async def test_a_bad_certificate_is_refused_and_named(certificates, mode, kind, failure):
    context = getattr(certificates, kind)
    served = {"tls": context} if mode == "implicit" else {"starttls": context}
    script = LOGIN if mode == "implicit" else STARTTLS
    async with hostile_imap(script, **served) as server:
        error, connector = await fail_to_open(server, tls=mode, **trust(certificates))

    assert error.stage == ("tls" if mode == "implicit" else "starttls")
    assert error.cause is Cause.TLS_FAILED
    assert error.tls_failure is failure
    assert not any("AUTHENTICATE" in line for line in server.received)
    assert connector.tls_facts.failure is failure
    if kind == "expired":
        assert connector.tls_facts.not_after_ns == int(EXPIRED_AT.timestamp()) * 10**9


async def test_an_old_protocol_is_refused(certificates):
    alert = b"\x15\x03\x03\x00\x02\x02\x46"  # fatal, protocol_version (RFC 8446 section 6.2)
    async with hostile_imap([alert]) as server:
        error, _ = await fail_to_open(server, tls="implicit", **trust(certificates, minimum_version="1.3"))

    assert error.tls_failure is TlsFailure.PROTOCOL_VERSION


async def test_a_plain_server_where_tls_is_expected(certificates):
    async with hostile_imap("S: * OK not TLS at all") as server:
        error, _ = await fail_to_open(server, tls="implicit", **trust(certificates))

    assert (error.stage, error.cause) == ("tls", Cause.TLS_FAILED)
    assert error.tls_failure is TlsFailure.HANDSHAKE


@pytest.mark.parametrize("end", ["cut", "end"])
async def test_a_handshake_that_is_cut_off(certificates, end):
    async with hostile_imap(["wait 0.05", end]) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server, tls="implicit", **trust(certificates)), 1.5)

    assert (error.stage, error.cause) == ("tls", Cause.CONNECTION_LOST)


async def test_a_handshake_that_stands_still(certificates):
    timeouts = {"connect": 0.3, "command": 9.0}
    async with hostile_imap("wait 30") as server:
        error, _ = await fail_to_open(server, tls="implicit", timeouts=timeouts, **trust(certificates))

    assert (error.stage, error.cause) == ("tls", Cause.TIMEOUT)


async def test_authorities_that_cannot_be_read(certificates, tmp_path):
    options = {"tls_options": {"ca_file": str(tmp_path / "missing.pem")}}
    async with hostile_imap(LOGIN, tls=certificates.good) as server:
        error, _ = await fail_to_open(server, tls="implicit", **options)

    assert (error.stage, error.cause) == ("tls", Cause.TLS_FAILED)
    assert server.connections == 0


# STARTTLS.

STARTTLS = f"""
S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
C: STARTTLS
S: {{tag}} OK go
starttls
C: CAPABILITY
S: * CAPABILITY {CAPABILITIES}
S: {{tag}} OK done
C: AUTHENTICATE PLAIN
S: {{tag}} OK [CAPABILITY {CAPABILITIES}] in
"""


async def test_starttls(certificates):
    async with (
        hostile_imap(STARTTLS, starttls=certificates.good) as server,
        session_to(server.port, tls="starttls", **trust(certificates)) as session,
    ):
        assert session.tls_facts.version == "TLSv1.3"


async def test_capabilities_from_before_tls_are_forgotten(certificates):
    script = """
    S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] ready
    C: STARTTLS
    S: {tag} OK go
    starttls
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1 AUTH=XOAUTH2
    S: {tag} OK done
    """
    async with hostile_imap(trim(script), starttls=certificates.good) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert error.cause is Cause.AUTH_NOT_OFFERED
    assert "XOAUTH2" in error.detail


async def test_capabilities_from_before_tls_do_not_stand_in_for_none(certificates):
    script = """
    S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] ready
    C: STARTTLS
    S: {tag} OK go
    starttls
    C: CAPABILITY
    S: {tag} OK nothing to tell
    """
    async with hostile_imap(trim(script), starttls=certificates.good) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert error.cause is Cause.AUTH_NOT_OFFERED
    assert len(server.received) == 2


async def test_a_handshake_that_asyncio_takes_for_done_is_not_believed(certificates, monkeypatch):
    async def start_tls(*_, **__):
        return None  # what it returns when the connection is aborted during the handshake

    monkeypatch.setattr(asyncio.get_running_loop(), "start_tls", start_tls)
    async with hostile_imap(STARTTLS) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert (error.stage, error.cause) == ("starttls", Cause.CONNECTION_LOST)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "injected",
    [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n", b"* PRE", b"X1 OK injected\r\n", b"\r\n"],
)
async def test_words_slipped_in_before_tls_end_the_connection(certificates, injected):
    async def answer(session):
        await session.send_bytes(session.tag.encode() + b" OK go\r\n" + injected)

    script = ["S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: STARTTLS", answer]
    async with hostile_imap(script, starttls=certificates.good) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server, tls="starttls", **trust(certificates)), 1.5)

    assert (error.stage, error.cause) == ("starttls", Cause.PROTOCOL_ERROR)


async def test_starttls_that_is_not_offered_sends_no_password(certificates):
    async with hostile_imap(LOGIN.splitlines()[1]) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert (error.stage, error.cause) == ("starttls", Cause.STARTTLS_NOT_OFFERED)
    assert server.received == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("NO [UNAVAILABLE] later", Cause.REPLY_TEMPORARY),
        ("NO never", Cause.REPLY_PERMANENT),
        ("BAD what", Cause.PROTOCOL_ERROR),
    ],
)
async def test_starttls_that_is_refused_sends_no_password(certificates, answer, cause):
    script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\nC: STARTTLS\nS: {tag} " + answer
    async with hostile_imap(script) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert (error.stage, error.cause) == ("starttls", cause)
    assert len(server.received) == 1


async def test_preauth_where_tls_is_required_is_refused(certificates):
    script = "S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] trust me"
    async with hostile_imap(script) as server:
        error, _ = await fail_to_open(server, tls="starttls", **trust(certificates))

    assert error.cause is Cause.STARTTLS_NOT_OFFERED
    assert "PREAUTH" in error.detail
    assert server.received == []


# Logins.


async def log_in_with(script, mechanism, **changes):
    auth = {"auth": {"mechanism": mechanism, "username": "watcher", "password_env": "UNUSED"}}
    async with (
        hostile_imap(trim(script)) as server,
        session_to(server.port, **auth, **changes) as session,
    ):
        assert session.is_open
    return server


async def test_login_command():
    await log_in_with(
        f'S: * OK [CAPABILITY IMAP4rev1] ready\nC: LOGIN "watcher" "{SECRET}"$\n{LOGGED_IN}', "login"
    )


async def test_login_with_literals():
    script = f"""
    S: * OK [CAPABILITY IMAP4rev1] ready
    C: LOGIN "watcher" .8.$
    S: + go on
    R: pässwo
    {LOGGED_IN}
    """
    await log_in_with(script, "login", secret="pässwor")


async def test_xoauth2():
    token = b64encode(f"user=watcher\1auth=Bearer {SECRET}\1\1".encode()).decode()
    script = f"""
    S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
    C: AUTHENTICATE XOAUTH2 {re.escape(token)}$
    {LOGGED_IN}
    """
    await log_in_with(script, "xoauth2")


async def test_a_refused_xoauth2_is_acknowledged_by_an_empty_line():
    script = """
    S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
    C: AUTHENTICATE XOAUTH2
    S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=
    R: $
    S: {tag} NO [AUTHENTICATIONFAILED] Invalid credentials
    """
    auth = {"auth": {"mechanism": "xoauth2", "username": "watcher", "password_env": "UNUSED"}}
    async with hostile_imap(trim(script)) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server, **auth), 1.5)

    assert error.cause is Cause.AUTH_REFUSED
    assert "Invalid credentials" in error.detail


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("NO [AUTHENTICATIONFAILED] no", Cause.AUTH_REFUSED),
        ("NO [ALERT] Too many simultaneous connections", Cause.AUTH_REFUSED),
        ("BAD no such thing", Cause.AUTH_REFUSED),
        ("NO [UNAVAILABLE] back end is down", Cause.REPLY_TEMPORARY),
    ],
)
async def test_a_refused_login_is_tried_once(answer, cause):
    script = LOGIN.splitlines()[1] + "\nC: AUTHENTICATE\nS: {tag} " + answer
    async with hostile_imap(script) as server:
        error, _ = await fail_to_open(server)

    assert (error.stage, error.cause) == ("login", cause)
    assert len(server.received) == 1


async def test_a_refusal_before_bye_says_more_than_bye():
    async def refuse(session):
        await session.send_bytes(
            session.tag.encode() + b" NO [AUTHENTICATIONFAILED] wrong\r\n* BYE too many tries\r\n"
        )

    async with hostile_imap([LOGIN.splitlines()[1] + "\nC: AUTHENTICATE", refuse]) as server:
        error, _ = await fail_to_open(server)

    assert error.cause is Cause.AUTH_REFUSED


@pytest.mark.parametrize("capabilities", ["LOGINDISABLED", "LOGINDISABLED STARTTLS"])
async def test_logindisabled_is_respected(capabilities):
    auth = {"auth": {"mechanism": "login", "username": "watcher", "password_env": "UNUSED"}}
    async with hostile_imap(f"S: * OK [CAPABILITY IMAP4rev1 {capabilities}] ready") as server:
        error, _ = await fail_to_open(server, **auth)

    assert (error.stage, error.cause) == ("login", Cause.AUTH_NOT_OFFERED)
    assert "LOGINDISABLED" in error.detail
    assert server.received == []


async def test_a_server_that_asks_for_ever_is_left():
    script = """
    S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
    C: AUTHENTICATE PLAIN
    S: +
    R: AHdhdGNoZXIAaHVudGVyMnNlY3JldA==
    S: +
    R: $
    S: +
    """
    async with hostile_imap(trim(script)) as server:
        error, _ = await asyncio.wait_for(fail_to_open(server), 1.5)

    assert (error.stage, error.cause) == ("login", Cause.PROTOCOL_ERROR)


async def test_capabilities_are_learnt_anew_after_the_login():
    script = f"{LOGIN.splitlines()[1]}\nC: AUTHENTICATE\nS: {{tag}} OK in\nC: CAPABILITY\nS: * CAPABILITY X\nS: {{tag}} OK"
    async with hostile_imap(script) as server, session_to(server.port) as session:
        assert session._commands.can("X")
        assert not session._commands.can("UIDPLUS")


def trim(script):
    return "\n".join(line.strip() for line in script.splitlines())

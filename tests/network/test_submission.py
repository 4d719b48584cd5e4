"""What a submission sends, and what it measures of a server that behaves."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP as AiosmtpdServer

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.errors import ConfigError, ConfigProblem
from smtp_probe.model import Disposition, Phase
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.ports import Submitter
from tests.network.certificates import GOOD_UNTIL, Certificates
from tests.network.hostile_smtp import Behaviour, HostileSmtp
from tests.network.submitting import ENVELOPE, PATIENT, SECRET, FixedResolver, auth, sender, submit, timing

OFFERS = ("SIZE 1000000", "8BITMIME", "DSN", "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER")


def _line(server: HostileSmtp, verb: bytes) -> bytes:
    found = [line for line in server.commands if line.startswith(verb)]
    assert len(found) == 1
    return found[0]


async def test_it_has_the_shape_of_a_submitter() -> None:
    submitter: Submitter = SmtpSubmitter("name", sender(1), FixedResolver(), ReferenceClock())
    assert submitter.submit.__name__ == "submit"


async def test_starttls_dialogue_is_timed_phase_by_phase(certificates: Certificates) -> None:
    told: list[str] = []
    server = HostileSmtp(tls=certificates.good, offers=OFFERS)
    async with server.running():
        settings = sender(server.port, certificates=certificates, tls="starttls", **auth())
        submission = await submit(settings, on_phase=told.append)
    expected = [
        "resolve", "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "accept", "quit",
    ]  # fmt: skip
    assert submission.disposition is Disposition.ACCEPTED
    assert told == expected == [timing.phase for timing in submission.phases]
    assert server.verbs == [b"EHLO", b"STARTTLS", b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA", b"QUIT"]
    assert all(timing.duration_seconds > 0 for timing in submission.phases if timing.phase != "resolve")
    starts = [timing.started_ns for timing in submission.phases]
    assert starts == sorted(starts)
    assert starts[0] >= submission.started_ns
    assert str(timing(submission, Phase.GREETING).reply) == "220 hostile.test ESMTP"
    assert str(timing(submission, Phase.AUTH).reply) == "235 2.7.0 Welcome"


async def test_implicit_tls_times_the_handshake_apart_from_the_greeting(certificates: Certificates) -> None:
    server = HostileSmtp({"GREETING": (0.1, b"220 late\r\n")}, tls=certificates.good, implicit=True)
    async with server.running():
        submission = await submit(sender(server.port, certificates=certificates, tls="implicit"))
    assert submission.disposition is Disposition.ACCEPTED
    assert [t.phase for t in submission.phases][1:4] == ["connect", "tls", "greeting"]
    assert 0 < timing(submission, Phase.TLS).duration_seconds < 0.09
    assert timing(submission, Phase.GREETING).duration_seconds > 0.09


async def test_both_ehlos_are_one_phase(certificates: Certificates) -> None:
    server = HostileSmtp({"EHLO": (0.1, b"250 hostile.test\r\n")}, tls=certificates.good)
    async with server.running():
        submission = await submit(sender(server.port, certificates=certificates, tls="starttls"))
    ehlo = timing(submission, Phase.EHLO)
    assert ehlo.duration_seconds > 0.1
    assert ehlo.started_ns < timing(submission, Phase.STARTTLS).started_ns


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("verify", [True, False])
async def test_tls_facts_tell_the_certificates_end(
    certificates: Certificates, tls: str, verify: bool
) -> None:
    context = certificates.good if verify else certificates.self_signed
    server = HostileSmtp(tls=context, implicit=tls == "implicit")
    async with server.running():
        settings = sender(server.port, certificates=certificates, tls=tls, tls_options={"verify": verify})
        submission = await submit(settings)
    assert submission.disposition is Disposition.ACCEPTED
    assert submission.tls is not None
    assert submission.tls.version == "TLSv1.3"
    assert submission.tls.cipher
    assert submission.tls.cipher.startswith("TLS_")
    assert submission.tls.not_after_ns == int(GOOD_UNTIL.timestamp()) * 10**9
    assert submission.tls.failure is None


async def test_the_wait_after_the_dot_is_accept() -> None:
    server = HostileSmtp({"DOT": (0.15, b"250 2.0.0 Ok: queued as 4bVw2Q1yT8z1234\r\n")})
    async with server.running():
        submission = await submit(sender(server.port))
    assert submission.final_dot_ns is not None
    assert submission.accepted_ns is not None
    accept = timing(submission, Phase.ACCEPT)
    assert accept.duration_seconds == pytest.approx(0.15, abs=0.06)
    assert accept.started_ns == submission.final_dot_ns
    assert (submission.accepted_ns - submission.final_dot_ns) / 1e9 == pytest.approx(accept.duration_seconds)
    assert timing(submission, Phase.DATA).duration_seconds < 0.1
    assert submission.queue_id == "4bVw2Q1yT8z1234"
    assert (submission.peer_address, submission.local_address) == ("127.0.0.1", "127.0.0.1")


async def test_source_address_is_used() -> None:
    server = HostileSmtp()
    async with server.running():
        submission = await submit(sender(server.port, source_address="127.0.0.5"))
    assert submission.disposition is Disposition.ACCEPTED
    assert submission.local_address == "127.0.0.5"


async def test_no_delayed_acknowledgement_is_read_as_the_servers_time() -> None:
    """A server with Nagle on writes a reply in two pieces: the second waits for our acknowledgement."""
    halves: Behaviour = (b"250-2.1.5 first half\r\n", 0.001, b"250 2.1.5 second half\r\n")
    server = HostileSmtp({"MAIL": halves, "RCPT": halves}, nagle=True)
    waits = []
    async with server.running():
        for _ in range(10):
            submission = await submit(sender(server.port))
            waits += [timing(submission, phase).duration_seconds for phase in (Phase.MAIL, Phase.RCPT)]
    assert sorted(waits)[-3] < 0.03, waits  # a delayed acknowledgement takes 40 ms, each time


# What is sent.


async def test_parameters_are_sent_where_offered() -> None:
    server = HostileSmtp(offers=OFFERS)
    message = "Subject: pröbe\r\n\r\n.\r\n".encode()
    async with server.running():
        submission = await submit(sender(server.port), replace(ENVELOPE, message=message))
    size = len(message)
    mail = f"MAIL FROM:<probe@sender.test> SIZE={size} BODY=8BITMIME ENVID=abc+2Bdef"
    rcpt = (
        "RCPT TO:<user+tag=1@recipient.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;user+2Btag+3D1@recipient.test"
    )
    assert _line(server, b"MAIL") == mail.encode()
    assert _line(server, b"RCPT") == rcpt.encode()
    assert submission.dsn_requested


async def test_no_parameter_is_sent_that_is_not_offered() -> None:
    server = HostileSmtp()
    async with server.running():
        submission = await submit(sender(server.port))
    assert _line(server, b"EHLO") == b"EHLO probe.test"
    assert _line(server, b"MAIL") == b"MAIL FROM:<probe@sender.test>"
    assert _line(server, b"RCPT") == b"RCPT TO:<user+tag=1@recipient.test>"
    assert not submission.dsn_requested


async def test_what_was_offered_before_tls_does_not_count_after_it(certificates: Certificates) -> None:
    server = HostileSmtp(tls=certificates.good, offers=OFFERS, offers_in_tls=())
    async with server.running():
        submission = await submit(sender(server.port, certificates=certificates, tls="starttls"))
    assert submission.disposition is Disposition.ACCEPTED
    assert _line(server, b"MAIL") == b"MAIL FROM:<probe@sender.test>"


async def test_dots_are_doubled_and_no_bare_line_end_is_sent() -> None:
    server = HostileSmtp()
    message = b".first\r\n..second\n\n.\n.\r.\r\nMAIL FROM:<smuggled@sender.test>\r\nlast"
    async with server.running():
        submission = await submit(sender(server.port), replace(ENVELOPE, message=message))
    assert submission.disposition is Disposition.ACCEPTED
    assert server.messages == [
        b"..first\r\n...second\r\n\r\n..\r\n..\r\n..\r\nMAIL FROM:<smuggled@sender.test>\r\nlast\r\n.\r\n"
    ]
    assert server.verbs.count(b"MAIL") == 1


async def test_address_beyond_ascii_needs_smtputf8() -> None:
    envelope = replace(ENVELOPE, recipient="jürgen@recipient.test")
    able, unable = HostileSmtp(offers=("SMTPUTF8", "DSN")), HostileSmtp()
    async with able.running(), unable.running():
        accepted = await submit(sender(able.port), envelope)
        refused = await submit(sender(unable.port), envelope)
    assert accepted.disposition is Disposition.ACCEPTED
    assert _line(able, b"MAIL").endswith(b" SMTPUTF8 ENVID=abc+2Bdef")
    assert _line(able, b"RCPT") == "RCPT TO:<jürgen@recipient.test> NOTIFY=FAILURE,DELAY".encode()
    assert refused.disposition is Disposition.REFUSED
    assert unable.verbs == [b"EHLO", b"QUIT"]


# Authentication.


def _encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("mechanism", "lines"),
    [
        ("plain", [b"AUTH PLAIN " + _encoded(f"\0probe\0{SECRET}")]),
        ("login", [b"AUTH LOGIN " + _encoded("probe"), _encoded(SECRET)]),
        ("xoauth2", [b"AUTH XOAUTH2 " + _encoded(f"user=probe\1auth=Bearer {SECRET}\1\1")]),
        ("oauthbearer", [b"AUTH OAUTHBEARER " + _encoded(f"n,a=probe,\1auth=Bearer {SECRET}\1\1")]),
    ],
)
async def test_the_chosen_mechanism_is_used(mechanism: str, lines: list[bytes]) -> None:
    answers = {"AUTH": b"334 UGFzc3dvcmQ6\r\n"} if mechanism == "login" else {}
    server = HostileSmtp(answers, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth(mechanism)))
    assert submission.disposition is Disposition.ACCEPTED
    assert server.commands[1 : 1 + len(lines)] == lines


@pytest.mark.parametrize("mechanism", ["plain", "login", "xoauth2", "oauthbearer"])
async def test_a_refused_mechanism_is_not_followed_by_another(mechanism: str) -> None:
    answers: dict[str, Behaviour] = {"AUTH": b"535 5.7.8 Wrong\r\n"}
    server = HostileSmtp(answers, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth(mechanism)))
    assert submission.disposition is Disposition.REFUSED
    assert submission.failure is not None
    assert (submission.failure.stage, submission.failure.cause) == ("auth", "auth_refused")
    assert server.verbs == [b"EHLO", b"AUTH", b"QUIT"]


@pytest.mark.parametrize(("mechanism", "acknowledged"), [("xoauth2", b""), ("oauthbearer", b"AQ==")])
async def test_a_refusal_with_an_explanation_is_acknowledged(mechanism: str, acknowledged: bytes) -> None:
    answers: dict[str, Behaviour] = {
        "AUTH": b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
        "CREDENTIALS": b"535 5.7.8 Token expired\r\n",
    }
    server = HostileSmtp(answers, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth(mechanism)))
    assert submission.failure is not None
    assert str(submission.failure.reply) == "535 5.7.8 Token expired"
    assert server.verbs == [b"EHLO", b"AUTH", acknowledged, b"QUIT"]


async def test_a_mechanism_that_is_not_offered_is_not_tried() -> None:
    server = HostileSmtp(offers=("AUTH CRAM-MD5 LOGIN",))
    async with server.running():
        submission = await submit(sender(server.port, **auth("plain")))
    assert submission.disposition is Disposition.REFUSED
    assert submission.failure is not None
    assert (submission.failure.stage, submission.failure.cause) == ("auth", "auth_not_offered")
    assert server.verbs == [b"EHLO", b"QUIT"]


@pytest.mark.parametrize("mechanism", ["plain", "login", "xoauth2", "oauthbearer"])
async def test_credentials_quoted_by_the_server_are_not_kept(mechanism: str) -> None:
    encoded = [
        _encoded(f"\0probe\0{SECRET}"),
        _encoded(SECRET),
        _encoded(f"user=probe\1auth=Bearer {SECRET}\1\1"),
        _encoded(f"n,a=probe,\1auth=Bearer {SECRET}\1\1"),
    ]
    reply = b"535 what is " + b" and ".join([*encoded, SECRET.encode()]) + b"?\r\n"
    server = HostileSmtp({"AUTH": reply}, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth(mechanism)))
    shown = repr(submission)
    assert "what is *** and *** and *** and *** and ***?" in shown
    assert SECRET not in shown
    assert not any(form.decode() in shown for form in encoded)


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("code", [b"451", b"550"])
async def test_a_server_that_knows_the_secret_cannot_have_it_written_down(step: str, code: bytes) -> None:
    split = SECRET.encode()[:3] + b"\x00\x1b" + SECRET.encode()[3:]
    zero_width = SECRET[:2] + "\u200b" + SECRET[2:]
    said = b" ".join((SECRET.encode(), SECRET.upper().encode(), split, zero_width.encode()))
    server = HostileSmtp({step: code + b" you are " + said + b"\r\n"}, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth("plain")))

    assert "you are *** *** *** ***" in repr(submission)
    assert SECRET.lower() not in repr(submission).lower()


async def test_a_greeting_that_is_none_cannot_have_the_secret_written_down() -> None:
    server = HostileSmtp({"GREETING": b"HTTP/1.1 " + SECRET.encode() + b"\r\n"}, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth("plain")))

    assert submission.failure is not None
    assert "***" in submission.failure.detail
    assert SECRET not in repr(submission)


async def test_a_login_is_tried_without_a_message() -> None:
    server = HostileSmtp(offers=OFFERS)
    async with server.running():
        trial = await submitter_of(sender(server.port, **auth("plain"))).try_login()

    assert trial.failure is None
    assert server.verbs == [b"EHLO", b"AUTH", b"QUIT"]
    assert [timing.phase for timing in trial.phases][-2:] == [Phase.AUTH, Phase.QUIT]


async def test_a_login_that_is_refused_says_so() -> None:
    server = HostileSmtp({"AUTH": b"535 5.7.8 Wrong\r\n"}, offers=OFFERS)
    async with server.running():
        trial = await submitter_of(sender(server.port, **auth("plain"))).try_login()

    assert trial.failure is not None
    assert (trial.failure.stage, trial.failure.cause) == ("auth", "auth_refused")
    assert trial.peer_address == "127.0.0.1"


def submitter_of(settings: Any) -> SmtpSubmitter:
    return SmtpSubmitter("x", settings, FixedResolver("127.0.0.1"), ReferenceClock(), lambda: SECRET)


def _unreadable() -> str:
    raise PermissionError(13, "Permission denied", "/etc/secret")


def _unconfigured() -> str:
    raise ConfigError((ConfigProblem("the variable is not set"),))


@pytest.mark.parametrize("secret", [_unreadable, _unconfigured, lambda: "", None])
async def test_a_secret_that_cannot_be_had_is_our_failure_and_the_server_is_not_bothered(secret: Any) -> None:
    server = HostileSmtp(offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, **auth()), secret=secret)
    assert submission.disposition is Disposition.UNOBSERVED
    assert submission.failure is not None
    assert (submission.failure.stage, submission.failure.cause) == ("auth", "credential")
    assert server.sessions == 0


async def test_the_secret_is_read_afresh_each_time() -> None:
    secrets = iter(["first", "second"])
    server = HostileSmtp(offers=OFFERS)
    async with server.running():
        submitter = SmtpSubmitter(
            "x",
            sender(server.port, **auth()),
            FixedResolver("127.0.0.1"),
            ReferenceClock(),
            lambda: next(secrets),
        )
        for _ in range(2):
            assert (await submitter.submit(ENVELOPE)).disposition is Disposition.ACCEPTED
    sent = [line.split()[2] for line in server.commands if line.startswith(b"AUTH")]
    assert sent == [_encoded("\0probe\0first"), _encoded("\0probe\0second")]


async def test_a_refused_login_is_tried_once_more_where_there_is_another_token() -> None:
    server = HostileSmtp({"AUTH": b"535 5.7.8 Revoked\r\n"}, offers=OFFERS)

    def renew() -> bool:
        server.answers["AUTH"] = b"235 2.7.0 Welcome\r\n"
        return True

    async with server.running():
        submitter = submitter_of(sender(server.port, **auth("xoauth2")))
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.REFUSED
        assert server.sessions == 1
        submitter.on_refused = lambda: True
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.REFUSED
        assert server.sessions == 3
        submitter.on_refused = renew
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.ACCEPTED
    assert server.sessions == 5


# Certificate authorities.


async def test_unreadable_authorities_are_our_failure(certificates: Certificates) -> None:
    server = HostileSmtp(tls=certificates.good)
    async with server.running():
        options = {"ca_file": "/nonexistent/ca.pem"}
        submission = await submit(sender(server.port, tls="starttls", tls_options=options))
    assert submission.disposition is Disposition.UNOBSERVED
    assert submission.failure is not None
    assert (submission.failure.stage, submission.failure.cause) == ("starttls", "credential")
    assert server.sessions == 0


async def test_changed_authorities_are_taken_up(certificates: Certificates, tmp_path: Any) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes((certificates.folder / "self-signed.pem").read_bytes())
    server = HostileSmtp(tls=certificates.good)
    async with server.running():
        settings = sender(server.port, tls="starttls", tls_options={"ca_file": str(ca_file)})
        submitter = SmtpSubmitter("x", settings, FixedResolver("127.0.0.1"), ReferenceClock())
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.REFUSED
        ca_file.write_bytes(certificates.ca_file.read_bytes())
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.ACCEPTED
        ca_file.unlink()
        assert (await submitter.submit(ENVELOPE)).disposition is Disposition.ACCEPTED


# An ordinary server.


class _Keeper:
    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok: queued as ABC123DEF456"


@asynccontextmanager
async def _ordinary_server(context: ssl.SSLContext) -> AsyncIterator[tuple[int, _Keeper]]:
    keeper = _Keeper()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: AiosmtpdServer(
            keeper, hostname="mx.test", tls_context=context, require_starttls=True, loop=loop
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1], keeper
    finally:
        server.close()
        await asyncio.sleep(0.01)


async def test_ordinary_server_gets_the_very_message(certificates: Certificates) -> None:
    message = b"Subject: probe\r\n\r\n.dot\r\n" + b"line\r\n" * 500
    async with _ordinary_server(certificates.good) as (port, keeper):
        settings = sender(port, certificates=certificates, host="localhost", tls="starttls", timeouts=PATIENT)
        resolver = DnsResolver(ResolverSettings())
        submissions = await asyncio.gather(
            *(submit(settings, replace(ENVELOPE, message=message), resolver=resolver) for _ in range(5))
        )
    assert {submission.disposition for submission in submissions} == {Disposition.ACCEPTED}
    assert {submission.queue_id for submission in submissions} == {"ABC123DEF456"}
    assert len(keeper.envelopes) == 5
    for envelope in keeper.envelopes:
        assert envelope.original_content == message
        assert (envelope.mail_from, envelope.rcpt_tos) == (ENVELOPE.sender, [ENVELOPE.recipient])

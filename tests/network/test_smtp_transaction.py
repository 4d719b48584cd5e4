"""What a submission says of a server that misbehaves, at each step and in each way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from smtp_probe.errors import ResolverError
from smtp_probe.model import Cause, Disposition, Phase, Reply, Submission, TlsFailure
from tests.network.certificates import EXPIRED_AT, GOOD_UNTIL, Certificates
from tests.network.hostile_smtp import Behaviour, Deed, HostileSmtp
from tests.network.submitting import ENVELOPE, PATIENT, SHORT, FixedResolver, auth, sender, submit, timing

STAGES = {
    "GREETING": "greeting",
    "EHLO": "ehlo",
    "AUTH": "auth",
    "MAIL": "mail",
    "RCPT": "rcpt",
    "DATA": "data",
    "DOT": "accept",
}
OFFERS = ("AUTH PLAIN LOGIN XOAUTH2",)


async def _provoke(
    step: str, behaviour: Behaviour, **timeouts: float
) -> tuple[Submission, HostileSmtp, list[str]]:
    """Submit, with credentials, to a server that does `behaviour` at one step."""
    phases: list[str] = []
    server = HostileSmtp({step: behaviour}, offers=OFFERS)
    async with server.running():
        settings = sender(server.port, timeouts=timeouts, **auth())
        submission = await submit(settings, on_phase=phases.append)
    return submission, server, phases


def _tls_seconds(behaviour: Behaviour) -> dict[str, float]:
    """Little time for a server that will never answer, plenty for the others."""
    return {"tls": 0.25, "ehlo": 5.0} if behaviour is Deed.HANG else PATIENT


def _said(submission: Submission) -> tuple[Disposition, str, str]:
    assert submission.failure is not None
    return submission.disposition, submission.failure.stage, submission.failure.cause


@pytest.mark.parametrize("step", STAGES)
async def test_temporary_reply_defers(step: str) -> None:
    submission, server, _ = await _provoke(step, b"451-4.7.1 Not now,\r\n451 4.7.1 come again\r\n")
    assert _said(submission) == (Disposition.DEFERRED, STAGES[step], "reply_temporary")
    assert submission.failure is not None
    assert str(submission.failure.reply) == "451 4.7.1 Not now, come again"
    assert server.verbs[-1] == b"QUIT"
    assert submission.accepted_ns is None


@pytest.mark.parametrize("step", STAGES)
async def test_permanent_reply_refuses(step: str) -> None:
    submission, server, _ = await _provoke(step, b"550 5.7.1 Never\x1b[31m\r\n")
    cause = "auth_refused" if step == "AUTH" else "reply_permanent"
    assert _said(submission) == (Disposition.REFUSED, STAGES[step], cause)
    assert submission.failure is not None
    assert str(submission.failure.reply) == "550 5.7.1 Never[31m"
    assert timing(submission, Phase(STAGES[step])).reply == submission.failure.reply
    assert server.verbs[-1] == b"QUIT"


@pytest.mark.parametrize("step", STAGES)
@pytest.mark.parametrize("deed", [Deed.CUT, Deed.RESET])
async def test_cut_connection_is_unreachable_and_uncertain_after_the_dot(step: str, deed: Deed) -> None:
    submission, _, phases = await _provoke(step, deed)
    expected = Disposition.UNCERTAIN if step == "DOT" else Disposition.UNREACHABLE
    assert _said(submission) == (expected, STAGES[step], "connection_lost")
    assert submission.may_arrive == (step == "DOT") == ("accept" in phases)
    assert (submission.final_dot_ns is not None) == (step == "DOT")


@pytest.mark.parametrize("step", STAGES)
async def test_silence_is_a_timeout_and_uncertain_after_the_dot(step: str) -> None:
    submission, server, _ = await _provoke(step, Deed.HANG, **SHORT)
    expected = Disposition.UNCERTAIN if step == "DOT" else Disposition.UNREACHABLE
    assert _said(submission) == (expected, STAGES[step], "timeout")
    assert 0.2 < timing(submission, Phase(STAGES[step])).duration_seconds < 1.0
    assert b"QUIT" not in server.verbs
    assert len(submission.phases) == submission.phases.index(timing(submission, Phase(STAGES[step]))) + 1


@pytest.mark.parametrize("step", STAGES)
@pytest.mark.parametrize(
    "behaviour",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff\xfe\r\n",
        b"25 too short\r\n",
        b"999 what\r\n",
        b"-50 negative\r\n",
        b"\r\n",
        Deed.ENDLESS_LINES,
        Deed.ENDLESS_LINE,
        Deed.MANY_PIECES,
    ],
    ids=lambda each: repr(each).replace(" ", "_"),
)
async def test_what_is_no_smtp_is_a_protocol_error(step: str, behaviour: Behaviour) -> None:
    submission, server, _ = await _provoke(step, behaviour)
    expected = Disposition.UNCERTAIN if step == "DOT" else Disposition.UNREACHABLE
    assert _said(submission) == (expected, STAGES[step], "protocol_error")
    assert submission.failure is not None
    assert submission.failure.reply is None
    assert submission.failure.detail.isprintable()
    assert 0 < len(submission.failure.detail) <= 300
    assert server.sessions == 1


@pytest.mark.parametrize(("step", "reply"), [("MAIL", b"354 go on\r\n"), ("DATA", b"250 done already\r\n")])
async def test_reply_out_of_turn_is_a_protocol_error(step: str, reply: bytes) -> None:
    submission, server, _ = await _provoke(step, reply)
    assert _said(submission) == (Disposition.UNREACHABLE, STAGES[step], "protocol_error")
    assert b"QUIT" not in server.verbs
    assert server.messages == []


async def test_intermediate_reply_after_the_dot_leaves_it_uncertain() -> None:
    submission, _, _ = await _provoke("DOT", b"354 more please\r\n")
    assert _said(submission) == (Disposition.UNCERTAIN, "accept", "protocol_error")


@pytest.mark.parametrize("reply", [b"251 will forward\r\n", b"252 who knows\r\n"])
async def test_any_positive_completion_counts_by_its_first_digit(reply: bytes) -> None:
    submission, _, _ = await _provoke("RCPT", reply)
    assert submission.disposition is Disposition.ACCEPTED


async def test_a_reply_in_another_character_set_shows_where_it_cannot_be_read() -> None:
    submission, _, _ = await _provoke("RCPT", "550 5.1.1 Unbekannter Empfänger\r\n".encode("latin-1"))
    assert submission.failure is not None
    assert submission.failure.reply == Reply(code=550, enhanced="5.1.1", text="Unbekannter Empf\ufffdnger")


async def test_greeting_421_defers_and_is_not_talked_to() -> None:
    submission, server, _ = await _provoke("GREETING", b"421 4.3.2 Service shutting down\r\n")
    assert _said(submission) == (Disposition.DEFERRED, "greeting", "reply_temporary")
    assert server.commands == []


@pytest.mark.parametrize(
    "behaviour",
    [Deed.HANG, Deed.CUT, Deed.RESET, b"500 what?\r\n", b"garbage\r\n", Deed.ENDLESS_LINES],
    ids=repr,
)
async def test_failing_quit_changes_nothing(behaviour: Behaviour) -> None:
    submission, server, phases = await _provoke("QUIT", behaviour, quit=0.25)
    assert submission.disposition is Disposition.ACCEPTED
    assert submission.failure is None
    assert len(server.messages) == 1
    assert phases[-1] == "quit"


async def test_slowly_dripped_reply_meets_the_deadline_of_its_phase() -> None:
    drip: tuple[bytes | float, ...] = tuple(part for _ in range(100) for part in (b"250-x\r\n", 0.02))
    submission, _, _ = await _provoke("MAIL", drip, mail=0.25)
    assert _said(submission) == (Disposition.UNREACHABLE, "mail", "timeout")
    assert timing(submission, Phase.MAIL).duration_seconds < 1.0


# The deadline over all, and cancellation.


async def test_deadline_over_all_ends_a_slow_dialogue() -> None:
    slow = HostileSmtp({step: (0.15, b"250 ok\r\n") for step in ("MAIL", "RCPT")}, offers=OFFERS)
    async with slow.running():
        submission = await submit(sender(slow.port, timeouts={**PATIENT, "total": 0.22}))
    assert _said(submission) == (Disposition.UNREACHABLE, "rcpt", "timeout")


async def test_deadline_over_all_after_the_dot_leaves_it_uncertain() -> None:
    server = HostileSmtp({"DOT": Deed.HANG})
    async with server.running():
        submission = await submit(sender(server.port, timeouts={**PATIENT, "total": 0.3}))
    assert _said(submission) == (Disposition.UNCERTAIN, "accept", "timeout")
    assert len(server.messages) == 1


@pytest.mark.parametrize(("step", "may_arrive"), [("RCPT", False), ("DATA", False), ("DOT", True)])
async def test_cancellation_carries_on_and_the_phase_told_says_whether_the_dot_was_sent(
    step: str, may_arrive: bool
) -> None:
    phases: list[str] = []
    waiting = asyncio.Event()

    def note(phase: str) -> None:
        phases.append(phase)
        if phase == STAGES[step]:
            waiting.set()

    server = HostileSmtp({step: Deed.HANG})
    async with server.running():
        task = asyncio.create_task(submit(sender(server.port, timeouts=PATIENT), on_phase=note))
        await waiting.wait()
        if may_arrive:
            await server.got_message.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ("accept" in phases) == may_arrive


# Large messages: the kernel does not take them at once.

LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 400_000
LARGE_ENVELOPE = replace(ENVELOPE, message=LARGE)


@pytest.mark.slow
async def test_handing_over_a_large_message_belongs_to_data_and_not_to_accept() -> None:
    server = HostileSmtp({"BODY": 0.3}, stop_reading_after=10_000, receive_buffer=8192)
    async with server.running():
        submission = await submit(sender(server.port, timeouts=PATIENT), LARGE_ENVELOPE)
    assert submission.disposition is Disposition.ACCEPTED
    assert timing(submission, Phase.DATA).duration_seconds > 0.3
    assert submission.final_dot_ns is not None
    assert submission.accepted_ns is not None
    assert timing(submission, Phase.ACCEPT).started_ns == submission.final_dot_ns < submission.accepted_ns
    assert server.messages[0].endswith(LARGE[-1000:] + b".\r\n")


async def test_message_that_is_not_taken_is_no_uncertain_one() -> None:
    phases: list[str] = []
    server = HostileSmtp({"BODY": Deed.HANG}, stop_reading_after=10_000, receive_buffer=8192)
    async with server.running():
        submission = await submit(sender(server.port, timeouts=SHORT), LARGE_ENVELOPE, on_phase=phases.append)
    assert _said(submission) == (Disposition.UNREACHABLE, "data", "timeout")
    assert submission.final_dot_ns is None
    assert "accept" not in phases


async def test_refusal_amid_the_message_is_read() -> None:
    answers: dict[str, Behaviour] = {"BODY": (b"552 5.3.4 Too big\r\n", Deed.HANG)}
    server = HostileSmtp(answers, stop_reading_after=10_000, receive_buffer=8192)
    async with server.running():
        submission = await submit(sender(server.port, timeouts=PATIENT), LARGE_ENVELOPE)
    assert _said(submission) == (Disposition.REFUSED, "data", "reply_permanent")
    assert submission.final_dot_ns is None


async def test_connection_cut_amid_the_message_is_no_uncertain_one() -> None:
    server = HostileSmtp({"BODY": Deed.RESET}, stop_reading_after=10_000, receive_buffer=8192)
    async with server.running():
        submission = await submit(sender(server.port, timeouts=PATIENT), LARGE_ENVELOPE)
    assert _said(submission) == (Disposition.UNREACHABLE, "data", "connection_lost")


# TLS.


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("flaw", "failure", "end"),
    [
        ("expired", TlsFailure.EXPIRED, EXPIRED_AT),
        ("not_yet_valid", TlsFailure.NOT_YET_VALID, GOOD_UNTIL),
        ("wrong_name", TlsFailure.NAME_MISMATCH, GOOD_UNTIL),
        ("unknown_issuer", TlsFailure.UNKNOWN_ISSUER, GOOD_UNTIL),
        ("self_signed", TlsFailure.SELF_SIGNED, GOOD_UNTIL),
    ],
)
async def test_bad_certificate_refuses_and_its_end_is_told(
    certificates: Certificates, tls: str, flaw: str, failure: TlsFailure, end: object
) -> None:
    context = getattr(certificates, flaw)
    server = HostileSmtp(tls=context, implicit=tls == "implicit", offers=OFFERS)
    async with server.running():
        settings = sender(server.port, certificates=certificates, tls=tls, **auth())
        submission = await submit(settings)
    stage = "tls" if tls == "implicit" else "starttls"
    assert _said(submission) == (Disposition.REFUSED, stage, "tls_failed")
    assert submission.failure is not None
    assert submission.failure.tls_failure is failure
    assert submission.tls is not None
    assert submission.tls.failure is failure
    assert submission.tls.not_after_ns == int(end.timestamp()) * 10**9  # type: ignore[attr-defined]
    assert server.sessions <= 1  # no second connection only to look at the certificate
    assert not {b"AUTH", b"MAIL"} & set(server.verbs)


PROTOCOL_VERSION_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"
"""What a server sends that speaks no version that we accept (RFC 8446 section 6.2)."""


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_version_that_does_not_fit_is_told(certificates: Certificates, tls: str) -> None:
    alert = (0.02, PROTOCOL_VERSION_ALERT, Deed.HANG)
    step, context = ("GREETING", None) if tls == "implicit" else ("HANDSHAKE", certificates.good)
    server = HostileSmtp({step: alert}, tls=context)
    async with server.running():
        submission = await submit(sender(server.port, certificates=certificates, tls=tls))
    assert submission.disposition is Disposition.REFUSED
    assert submission.tls is not None
    assert submission.tls.failure is TlsFailure.PROTOCOL_VERSION
    assert submission.tls.not_after_ns is None


async def test_starttls_stripped_is_refused_and_nothing_is_sent_in_the_clear() -> None:
    server = HostileSmtp(offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port, tls="starttls", **auth()))
    assert _said(submission) == (Disposition.REFUSED, "starttls", "starttls_not_offered")
    assert server.verbs == [b"EHLO", b"QUIT"]


async def test_offered_starttls_is_not_used_when_it_is_off(certificates: Certificates) -> None:
    server = HostileSmtp(tls=certificates.unknown_issuer, offers=OFFERS)
    async with server.running():
        submission = await submit(sender(server.port))
    assert submission.disposition is Disposition.ACCEPTED
    assert b"STARTTLS" not in server.verbs
    assert submission.tls is None


@pytest.mark.parametrize(
    ("step", "behaviour", "disposition", "cause"),
    [
        ("STARTTLS", b"454 4.7.0 TLS not available\r\n", Disposition.DEFERRED, "reply_temporary"),
        ("STARTTLS", b"554 5.7.3 No TLS for you\r\n", Disposition.REFUSED, "reply_permanent"),
        ("STARTTLS", Deed.HANG, Disposition.UNREACHABLE, "timeout"),
        ("STARTTLS", Deed.CUT, Disposition.UNREACHABLE, "connection_lost"),
        ("STARTTLS", b"nonsense\r\n", Disposition.UNREACHABLE, "protocol_error"),
        ("HANDSHAKE", Deed.HANG, Disposition.UNREACHABLE, "timeout"),
        ("HANDSHAKE", Deed.CUT, Disposition.UNREACHABLE, "connection_lost"),
        ("HANDSHAKE", Deed.RESET, Disposition.UNREACHABLE, "connection_lost"),
        ("HANDSHAKE", (0.05, b"250 this is no TLS\r\n", Deed.HANG), Disposition.REFUSED, "tls_failed"),
    ],
    ids=repr,
)
async def test_starttls_that_fails(
    certificates: Certificates, step: str, behaviour: Behaviour, disposition: Disposition, cause: str
) -> None:
    server = HostileSmtp({step: behaviour}, tls=certificates.good, offers=OFFERS)
    async with server.running():
        timeouts = _tls_seconds(behaviour)
        settings = sender(server.port, certificates=certificates, tls="starttls", timeouts=timeouts, **auth())
        submission = await submit(settings)
    assert _said(submission) == (disposition, "starttls", cause)
    assert not {b"AUTH", b"MAIL"} & set(server.verbs)


async def test_replies_injected_before_tls_are_not_heard_after_it(certificates: Certificates) -> None:
    injected = b"220 Go\r\n250-evil.test\r\n250 AUTH PLAIN\r\n"
    server = HostileSmtp({"STARTTLS": injected}, tls=certificates.good)
    async with server.running():
        settings = sender(server.port, certificates=certificates, tls="starttls", **auth())
        submission = await submit(settings)
    assert submission.failure is not None
    assert submission.failure.cause == "auth_not_offered"
    assert b"AUTH" not in server.verbs


@pytest.mark.parametrize(
    ("behaviour", "disposition", "cause"),
    [
        (Deed.HANG, Disposition.UNREACHABLE, "timeout"),
        (Deed.CUT, Disposition.UNREACHABLE, "connection_lost"),
        (b"220 plain.test ESMTP\r\n", Disposition.REFUSED, "tls_failed"),
    ],
    ids=repr,
)
async def test_implicit_tls_with_a_server_that_speaks_none(
    certificates: Certificates, behaviour: Behaviour, disposition: Disposition, cause: str
) -> None:
    server = HostileSmtp({"GREETING": behaviour})
    async with server.running():
        timeouts = _tls_seconds(behaviour)
        submission = await submit(
            sender(server.port, certificates=certificates, tls="implicit", timeouts=timeouts)
        )
    assert _said(submission) == (disposition, "tls", cause)


# Before the dialogue.


@contextmanager
def _blackhole() -> Iterator[int]:
    """A loopback port whose queue is full: the kernel drops every further SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def test_blackholed_address_is_a_connect_timeout() -> None:
    with _blackhole() as port:
        submission = await submit(sender(port, timeouts=SHORT))
    assert _said(submission) == (Disposition.UNREACHABLE, "connect", "connect_timeout")
    assert 0.2 < timing(submission, Phase.CONNECT).duration_seconds < 1.0


async def test_blackholed_address_leaves_time_for_the_next_one() -> None:
    server = HostileSmtp()
    async with server.running():
        with ExitStack() as stack:
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.2", server.port))
            listener.listen(0)
            for _ in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            submission = await submit(
                sender(server.port, timeouts={"connect": 0.5}),
                resolver=FixedResolver("127.0.0.2", "127.0.0.1"),
            )
    assert submission.disposition is Disposition.ACCEPTED
    assert submission.peer_address == "127.0.0.1"
    assert timing(submission, Phase.CONNECT).duration_seconds > 0.1


async def test_closed_port_is_refused_and_the_next_address_is_tried() -> None:
    server = HostileSmtp()
    async with server.running():
        submission = await submit(sender(server.port), resolver=FixedResolver("127.0.0.3", "127.0.0.1"))
        assert submission.disposition is Disposition.ACCEPTED
        submission = await submit(sender(server.port), resolver=FixedResolver("127.0.0.3"))
    assert _said(submission) == (Disposition.UNREACHABLE, "connect", "connect_refused")


async def test_no_such_host_is_the_paths_failure() -> None:
    error = ResolverError("resolve", Cause.NO_SUCH_HOST)
    submission = await submit(sender(1), resolver=FixedResolver(error=error))
    assert _said(submission) == (Disposition.UNREACHABLE, "resolve", "no_such_host")


async def test_dead_resolver_is_our_failure() -> None:
    error = ResolverError("resolve", Cause.RESOLVER_FAILED)
    submission = await submit(sender(1), resolver=FixedResolver(error=error))
    assert _said(submission) == (Disposition.UNOBSERVED, "resolve", "resolver_failed")


async def test_resolver_that_never_answers_is_our_failure() -> None:
    class Silent:
        async def addresses(self, host: str, family: str) -> list[str]:
            await asyncio.Event().wait()
            return []

    submission = await submit(sender(1, timeouts=SHORT), resolver=Silent())
    assert _said(submission) == (Disposition.UNOBSERVED, "resolve", "resolver_failed")


@pytest.mark.parametrize("source", ["192.0.2.77", "2001:db8::77"])
async def test_unusable_source_address_is_our_failure(source: str) -> None:
    submission = await submit(sender(1, source_address=source))
    assert _said(submission) == (Disposition.UNOBSERVED, "connect", "local_address")

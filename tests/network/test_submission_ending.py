"""What each way to fail means for the message."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from smtp_probe.errors import ProbeError
from smtp_probe.model import Cause, Disposition, Failure, Phase, Reply, TlsFailure
from smtp_probe.network.submission_ending import dispose, is_in_step, refusal, to_failure, translate
from tests.network.certificates import Certificates
from tests.network.submitting import sender, submit

BEFORE = {
    Cause.NO_SUCH_HOST: Disposition.UNREACHABLE,
    Cause.RESOLVER_FAILED: Disposition.UNOBSERVED,
    Cause.CONNECT_REFUSED: Disposition.UNREACHABLE,
    Cause.CONNECT_TIMEOUT: Disposition.UNREACHABLE,
    Cause.NETWORK_UNREACHABLE: Disposition.UNREACHABLE,
    Cause.NO_ROUTE: Disposition.UNOBSERVED,
    Cause.LOCAL_ADDRESS: Disposition.UNOBSERVED,
    Cause.TLS_FAILED: Disposition.REFUSED,
    Cause.STARTTLS_NOT_OFFERED: Disposition.REFUSED,
    Cause.AUTH_NOT_OFFERED: Disposition.REFUSED,
    Cause.AUTH_REFUSED: Disposition.REFUSED,
    Cause.REPLY_PERMANENT: Disposition.REFUSED,
    Cause.REPLY_TEMPORARY: Disposition.DEFERRED,
    Cause.PROTOCOL_ERROR: Disposition.UNREACHABLE,
    Cause.CONNECTION_LOST: Disposition.UNREACHABLE,
    Cause.TIMEOUT: Disposition.UNREACHABLE,
    Cause.CREDENTIAL: Disposition.UNOBSERVED,
    Cause.INTERNAL: Disposition.UNOBSERVED,
    Cause.SHUTDOWN: Disposition.UNOBSERVED,
}


@pytest.mark.parametrize(("cause", "disposition"), BEFORE.items())
def test_before_the_dot(cause: Cause, disposition: Disposition) -> None:
    assert dispose(ProbeError("x", cause), dot_sent=False) is disposition


@pytest.mark.parametrize("cause", BEFORE)
def test_after_the_dot_only_the_servers_refusal_is_certain(cause: Cause) -> None:
    certain = {
        Cause.REPLY_PERMANENT: Disposition.REFUSED,
        Cause.REPLY_TEMPORARY: Disposition.DEFERRED,
    }
    expected = certain.get(cause, Disposition.UNCERTAIN)
    assert dispose(ProbeError("x", cause), dot_sent=True) is expected


@pytest.mark.parametrize(
    ("phase", "code", "cause"),
    [
        (Phase.MAIL, 451, Cause.REPLY_TEMPORARY),
        (Phase.AUTH, 454, Cause.REPLY_TEMPORARY),
        (Phase.RCPT, 550, Cause.REPLY_PERMANENT),
        (Phase.AUTH, 535, Cause.AUTH_REFUSED),
        (Phase.DATA, 250, Cause.PROTOCOL_ERROR),
        (Phase.MAIL, 354, Cause.PROTOCOL_ERROR),
        (Phase.MAIL, -1, Cause.PROTOCOL_ERROR),
        (Phase.MAIL, 600, Cause.PROTOCOL_ERROR),
    ],
)
def test_a_reply_is_judged_by_its_first_digit(phase: Phase, code: int, cause: Cause) -> None:
    error = refusal(phase, Reply(code=code, text="words"))
    assert (error.stage, error.cause) == (phase, cause)
    assert (error.reply is not None) == (200 <= code < 600)


@pytest.mark.parametrize(
    ("phase", "error", "cause"),
    [
        (Phase.RESOLVE, TimeoutError(), Cause.RESOLVER_FAILED),
        (Phase.CONNECT, TimeoutError(), Cause.CONNECT_TIMEOUT),
        (Phase.MAIL, TimeoutError(), Cause.TIMEOUT),
        (Phase.MAIL, ConnectionResetError("reset"), Cause.CONNECTION_LOST),
        (Phase.MAIL, OSError("gone"), Cause.CONNECTION_LOST),
        (Phase.TLS, ssl.SSLError(1, "handshake"), Cause.TLS_FAILED),
    ],
)
def test_foreign_errors_get_a_cause(phase: Phase, error: Exception, cause: Cause) -> None:
    assert translate(phase, error).cause is cause


def test_the_dialogue_is_over_after_421() -> None:
    assert is_in_step(refusal(Phase.MAIL, Reply(code=451)))
    assert not is_in_step(refusal(Phase.MAIL, Reply(code=421)))
    assert not is_in_step(ProbeError("mail", Cause.TIMEOUT))
    assert is_in_step(ProbeError("starttls", Cause.STARTTLS_NOT_OFFERED))


def test_a_failure_carries_plain_words() -> None:
    error = ProbeError(Phase.TLS, Cause.TLS_FAILED, tls_failure=TlsFailure.EXPIRED, detail="old")
    failure = to_failure(error)
    assert failure == Failure(stage="tls", cause="tls_failed", tls_failure=TlsFailure.EXPIRED, detail="old")
    assert type(failure.stage) is type(failure.cause) is str


async def test_a_server_that_misses_our_certificate_is_heard_behind_the_handshake(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificates.good
    monkeypatch.setattr(context, "verify_mode", ssl.CERT_REQUIRED)

    def shake_hands(listener: socket.socket) -> None:  # asyncio's server hangs up without the alert
        accepted, _ = listener.accept()
        with pytest.raises(ssl.SSLError), accepted:
            context.wrap_socket(accepted, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        shaking = asyncio.to_thread(shake_hands, listener)
        settings = sender(port, certificates=certificates, tls="implicit")
        _, submission = await asyncio.gather(shaking, submit(settings))

    assert submission.disposition is Disposition.REFUSED
    assert submission.failure is not None
    assert (submission.failure.stage, submission.failure.cause) == ("greeting", Cause.TLS_FAILED)
    assert "certificate required" in submission.failure.detail

"""How a submission ended badly: the foreign exception as a `ProbeError`, and that as a disposition.

In: an exception or a reply and the phase in which it came; whether the final dot had left us. Out: bounded causes,
and the one word that says what it means for the message. Imports no SMTP library: its connection and time-out errors
derive from the standard library's, which are told apart here.
"""

from __future__ import annotations

import ssl

from smtp_probe.errors import ProbeError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, Disposition, Failure, Phase, Reply
from smtp_probe.network.tls import classify_tls_failure, say_tls_error

_DISPOSITIONS = {
    Cause.REPLY_PERMANENT: Disposition.REFUSED,
    Cause.AUTH_REFUSED: Disposition.REFUSED,
    Cause.AUTH_NOT_OFFERED: Disposition.REFUSED,
    Cause.STARTTLS_NOT_OFFERED: Disposition.REFUSED,
    Cause.TLS_FAILED: Disposition.REFUSED,
    Cause.REPLY_TEMPORARY: Disposition.DEFERRED,
    Cause.RESOLVER_FAILED: Disposition.UNOBSERVED,
    Cause.NO_ROUTE: Disposition.UNOBSERVED,
    Cause.LOCAL_ADDRESS: Disposition.UNOBSERVED,
    Cause.CREDENTIAL: Disposition.UNOBSERVED,
    Cause.INTERNAL: Disposition.UNOBSERVED,
    Cause.SHUTDOWN: Disposition.UNOBSERVED,
}
"""The other causes leave no reply to act on: unreachable."""

_ANSWERS = frozenset({Cause.REPLY_PERMANENT, Cause.REPLY_TEMPORARY})

_IN_STEP = _ANSWERS | {Cause.AUTH_REFUSED, Cause.AUTH_NOT_OFFERED, Cause.STARTTLS_NOT_OFFERED}


def dispose(failure: ProbeError, *, dot_sent: bool) -> Disposition:
    """Say what a failure means. After the final dot only the server's own refusal is certain (RFC 5321 section 6.1)."""
    if dot_sent and failure.cause not in _ANSWERS:
        return Disposition.UNCERTAIN
    return _DISPOSITIONS.get(failure.cause, Disposition.UNREACHABLE)


def is_in_step(failure: ProbeError) -> bool:
    """Whether both sides still know whose turn it is. After 421 the server hangs up (RFC 5321 section 3.8)."""
    return failure.cause in _IN_STEP and (failure.reply is None or failure.reply.code != 421)


def refusal(phase: Phase, reply: Reply) -> ProbeError:
    """Say that a reply is not the one that goes on: judged by its first digit (RFC 5321 section 4.2.1)."""
    if reply.is_temporary:
        return ProbeError(phase, Cause.REPLY_TEMPORARY, reply=reply)
    if reply.is_permanent:
        cause = Cause.AUTH_REFUSED if phase is Phase.AUTH else Cause.REPLY_PERMANENT
        return ProbeError(phase, cause, reply=reply)
    if 200 <= reply.code < 400:
        return ProbeError(phase, Cause.PROTOCOL_ERROR, reply=reply, detail="a reply out of turn")
    return ProbeError(phase, Cause.PROTOCOL_ERROR, detail=reply.text or "not an SMTP reply")


def to_failure(error: ProbeError) -> Failure:
    """Give the exception as the value that a submission carries."""
    return Failure(
        stage=str(error.stage),
        cause=error.cause.value,
        reply=error.reply,
        tls_failure=error.tls_failure,
        detail=error.detail,
    )


def translate(phase: Phase, error: Exception) -> ProbeError:
    """Say what a standard library error means in a phase."""
    alert = error.__cause__
    if isinstance(alert, ssl.SSLError) and "_ALERT_" in (getattr(alert, "reason", None) or ""):
        error = alert  # with TLS 1.3 a server that misses our certificate says so behind the handshake, and hangs up
    if isinstance(error, ssl.SSLError):
        failure = classify_tls_failure(error)
        return ProbeError(phase, Cause.TLS_FAILED, tls_failure=failure, detail=say_tls_error(error))
    if isinstance(error, TimeoutError):
        causes = {Phase.RESOLVE: Cause.RESOLVER_FAILED, Phase.CONNECT: Cause.CONNECT_TIMEOUT}
        return ProbeError(phase, causes.get(phase, Cause.TIMEOUT), detail="no answer in time")
    return ProbeError(phase, Cause.CONNECTION_LOST, detail=sanitise(str(error)))

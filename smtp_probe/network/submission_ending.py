"""How a submission ended badly: the foreign exception as a `ProbeError`, and that as a disposition.

In: an exception and the phase in which it came; whether the final dot had left us. Out: bounded causes, and the one
word that says what it means for the message. Imports no SMTP library: a refusal carries `code` and `message`, and
the rest are the standard library's connection, TLS and time-out errors, which the library's own derive from.
"""

from __future__ import annotations

import ssl

from smtp_probe.errors import ProbeError
from smtp_probe.mail.text import sanitise
from smtp_probe.model import Cause, Disposition, Phase, Reply
from smtp_probe.network.tls import classify_tls_failure

_DISPOSITIONS = {
    Cause.REPLY_PERMANENT: Disposition.REFUSED,
    Cause.AUTH_REFUSED: Disposition.REFUSED,
    Cause.AUTH_NOT_OFFERED: Disposition.REFUSED,
    Cause.STARTTLS_NOT_OFFERED: Disposition.REFUSED,
    Cause.TLS_FAILED: Disposition.REFUSED,
    Cause.REPLY_TEMPORARY: Disposition.DEFERRED,
    Cause.RESOLVER_FAILED: Disposition.UNOBSERVED,
    Cause.LOCAL_ADDRESS: Disposition.UNOBSERVED,
    Cause.CREDENTIAL: Disposition.UNOBSERVED,
    Cause.INTERNAL: Disposition.UNOBSERVED,
    Cause.SHUTDOWN: Disposition.UNOBSERVED,
}
"""The other causes leave no reply to act on: unreachable."""

_ANSWERS = frozenset({Cause.REPLY_PERMANENT, Cause.REPLY_TEMPORARY})


def dispose(failure: ProbeError, *, dot_sent: bool) -> Disposition:
    """Say what a failure means. After the final dot only the server's own refusal is certain (RFC 5321 6.1)."""
    if dot_sent and failure.cause not in _ANSWERS:
        return Disposition.UNCERTAIN
    return _DISPOSITIONS.get(failure.cause, Disposition.UNREACHABLE)


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


def translate(phase: Phase, error: Exception) -> ProbeError:
    """Say what a standard library error means in a phase."""
    detail = sanitise(str(error))
    if isinstance(error, ssl.SSLError):
        failure = classify_tls_failure(error)
        return ProbeError(phase, Cause.TLS_FAILED, tls_failure=failure, detail=detail)
    if isinstance(error, TimeoutError):
        causes = {Phase.RESOLVE: Cause.RESOLVER_FAILED, Phase.CONNECT: Cause.CONNECT_TIMEOUT}
        return ProbeError(phase, causes.get(phase, Cause.TIMEOUT), detail="no answer in time")
    return ProbeError(phase, Cause.CONNECTION_LOST, detail=detail)

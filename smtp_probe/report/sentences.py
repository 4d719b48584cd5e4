"""An outcome, said in one sentence, for a log line, a page or a terminal.

In: an outcome. Out: one bounded line of visible characters, in English, without addresses of people. What servers
wrote is quoted, sanitised; whoever renders it escapes it for the medium.
"""

from __future__ import annotations

from datetime import UTC, datetime

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Bounce, Cause, Disposition, Failure, Outcome, OutcomeKind, PathChange, Submission
from smtp_probe.model.words import cause_in_words, in_words, spaced

_QUOTE_CHARACTERS = 160
_NAME_CHARACTERS = 80
_MOST_HOSTS = 5

_PLACES = {
    "resolve": "while looking up the host",
    "connect": "while connecting",
    "tls": "in the TLS handshake",
    "greeting": "at the greeting",
    "ehlo": "at EHLO",
    "starttls": "at STARTTLS",
    "auth": "at AUTH",
    "mail": "at MAIL",
    "rcpt": "at RCPT",
    "data": "at DATA",
    "accept": "after the final dot",
    "quit": "at QUIT",
}
"""Where in the SMTP dialogue something happened, by `Failure.stage`."""


def describe(outcome: Outcome) -> str:
    """Say how a probe ended, such as `550 5.7.1 at RCPT by mx1.example.net: blocked by policy`.

    Where a server had told before that it could not get rid of the message, that is said as well.
    """
    said = _describe_end(outcome) + _describe_attempts(outcome.submission)
    return said if outcome.delay is None else f"{said}; {describe_notice(outcome.delay, outcome.bounce)}"


def _describe_attempts(submission: Submission | None) -> str:
    """Say how often the server was asked, where it put the message off before."""
    if submission is None or submission.attempts < 2:
        return ""
    return (
        f" (at attempt {submission.attempts})"
        if submission.may_arrive
        else f" ({submission.attempts} attempts)"
    )


def describe_notice(delay: Bounce, end: Bounce | None = None) -> str:
    """Say what a notice of a delay told, such as `put off on its way, told at 2026-11-28 12:00:05 UTC by mx.example.net: 4.4.1 timed out`."""
    until = f", to be tried until {_moment(delay.retry_until_ns)}" if delay.retry_until_ns else ""
    why = _describe_server_and_reason(delay)
    if end is not None and why == _describe_server_and_reason(end):
        why = " for the same reason"  # which stands before it in the sentence of the end
    return f"put off on its way, told at {_moment(delay.seen_ns)}{why}{until}"


def _moment(at_ns: int) -> str:
    """Give an instant of our clock, or of a stranger's who may say anything."""
    try:
        return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "a time that is none"


def _describe_end(outcome: Outcome) -> str:
    after = describe_duration(outcome.delivery_seconds)
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return f"delivered in {after}" if after else "delivered"
        case OutcomeKind.JUNKED:
            return f"found in the junk folder after {after}" if after else "found in the junk folder"
        case OutcomeKind.LATE:
            return f"arrived too late, after {after}" if after else "arrived too late"
        case OutcomeKind.LOST:
            given_up = (
                f"not arrived within {describe_duration(outcome.probe.give_up_after_seconds)}, given up"
            )
            detail = "" if outcome.failure is None else outcome.failure.detail
            told = f"{given_up}: {sanitise(detail, _QUOTE_CHARACTERS)}" if detail else given_up
            return told + describe_doubt(outcome.submission)
        case OutcomeKind.BOUNCED:
            return _describe_bounce(outcome.bounce)
        case OutcomeKind.UNOBSERVED:
            return "not observed: " + _describe_failure(outcome.failure, outcome.submission)
        case OutcomeKind.REFUSED | OutcomeKind.DEFERRED | OutcomeKind.UNREACHABLE:
            return _describe_failure(outcome.failure, outcome.submission)


def describe_doubt(submission: Submission | None) -> str:
    """Say, behind what else is said, that the server never told whether it took the message; nothing where it did."""
    if submission is None or submission.disposition is not Disposition.UNCERTAIN:
        return ""
    return f"; the server never said that it has it: {_describe_failure(submission.failure, submission)}"


def describe_change(change: PathChange) -> str:
    """Say what is new on a message's way, such as `scan.example.net appeared`."""
    said = [
        f"{', '.join(sanitise(host, _NAME_CHARACTERS) for host in hosts[:_MOST_HOSTS])} {what}"
        for what, hosts in (("appeared", change.appeared), ("vanished", change.vanished))
        if hosts
    ]
    return "; ".join(said) or "the same hosts in another order"


def describe_duration(seconds: float | None) -> str:
    """Say a duration as people do; nothing for None."""
    if seconds is None:
        return ""
    if abs(seconds) < 0.9995:  # what is rounded to 1000 ms is a second
        return f"{seconds * 1000:.0f} ms"
    if abs(seconds) < 119.995:
        return f"{seconds:.2f} s"
    whole = round(abs(seconds))
    words = (
        _two_units(divmod(whole, 60), "min", "s")
        if whole < 7200
        else _two_units(divmod(whole // 60, 60), "h", "min")
    )
    return words if seconds > 0 else f"-{words}"


def _two_units(numbers: tuple[int, int], unit: str, smaller: str) -> str:
    many, rest = numbers
    return f"{many} {unit} {rest} {smaller}" if rest else f"{many} {unit}"


def _describe_failure(failure: Failure | None, submission: Submission | None) -> str:
    if failure is None:
        return "for a reason that was not recorded"
    reply = failure.reply
    peer = submission.peer_address if submission is not None else None
    cause = sanitise(cause_in_words(failure.cause), _NAME_CHARACTERS)
    said = [cause if reply is None else f"{reply.code} {reply.enhanced or ''}".strip()]
    if reply is not None and failure.cause == Cause.PROTOCOL_ERROR:
        said = ["out of turn:", *said]  # a reply that would be right in another place
    if failure.tls_failure is not None:
        said.append(f"({in_words(failure.tls_failure)})")
    if failure.stage in _PLACES:
        said.append(_PLACES[failure.stage])
    if peer and reply is not None:
        said.append(f"by {sanitise(peer, _NAME_CHARACTERS)}")
    quoted = sanitise(reply.text if reply is not None else failure.detail, _QUOTE_CHARACTERS)
    return " ".join(said) + (f": {quoted}" if quoted and quoted.lower() != cause.lower() else "")


def _describe_bounce(bounce: Bounce | None) -> str:
    return "bounced" if bounce is None else "bounced" + _describe_server_and_reason(bounce)


def _describe_server_and_reason(bounce: Bounce) -> str:
    """Who refused, and its words; where it has none, the category of its status."""
    mta = sanitise(bounce.remote_mta or bounce.reporting_mta or "", _NAME_CHARACTERS)
    quoted = sanitise(bounce.diagnostic or "", _QUOTE_CHARACTERS)
    status = sanitise(bounce.status or "", 20)
    if not quoted and bounce.reason != "other":
        quoted = sanitise(spaced(bounce.reason), 40)
    if status and status not in quoted:
        quoted = f"{status} {quoted}".strip()
    return (f" by {mta}" if mta else "") + (f": {quoted}" if quoted else "")

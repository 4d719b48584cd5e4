"""What visits to a domain's exchangers say: each address is to greet, to take EHLO, and to be who its name says.

In: visits, when they were made, and which hosts have TLSA records. Out: findings whose ids begin with `exchanger_`, and
what could not be seen from here. Whether TLSA records match is judged in `dane`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_address
from typing import Any

from smtp_probe.model import Cause, ExchangerVisit, Finding, Phase, Severity, TlsFailure
from smtp_probe.model.words import cause_in_words, say_why
from smtp_probe.policy.findings import make_finding

EXPIRY_SECONDS = 14 * 86_400
_SLOW_SECONDS = 15.0
_NS = 10**9
_OURS = frozenset({Cause.NO_ROUTE.value, Cause.LOCAL_ADDRESS.value, Cause.INTERNAL.value})
"""Causes that say something of the observer only: no route of this family, no free port, ..."""
_NOT_THERE = frozenset(
    {Cause.CONNECT_REFUSED.value, Cause.CONNECT_TIMEOUT.value, Cause.NETWORK_UNREACHABLE.value}
)

_KEEPS_MAIL_AWAY = frozenset({"exchanger_no_starttls", "exchanger_certificate_untrusted"})

_CERTIFICATES = {
    TlsFailure.EXPIRED: ("exchanger_certificate_expired", Severity.ERROR, "has expired"),
    TlsFailure.NOT_YET_VALID: ("exchanger_certificate_not_yet_valid", Severity.ERROR, "is not valid yet"),
    TlsFailure.NAME_MISMATCH: ("exchanger_certificate_name", Severity.ERROR, "is not for this name"),
    TlsFailure.SELF_SIGNED: ("exchanger_certificate_untrusted", Severity.WARNING, "is signed by itself"),
    TlsFailure.UNKNOWN_ISSUER: (
        "exchanger_certificate_untrusted",
        Severity.WARNING,
        "comes from an authority that is not trusted, or its chain is not complete",
    ),
    TlsFailure.REVOKED: ("exchanger_certificate_revoked", Severity.ERROR, "has been revoked"),
}


def judge_visits(
    visits: Sequence[ExchangerVisit],
    now_ns: int,
    *,
    pinned: Collection[str] = (),
    aliases: Collection[str] = (),
    is_enforced: bool = False,
) -> tuple[list[Finding], list[str]]:
    """Findings, and what could not be seen. `pinned` are hosts whose certificates TLSA records judge; `aliases` are those
    whose name is wrong in the first place, as the check of the MX records tells; `is_enforced` says that MTA-STS has
    senders not deliver without a good certificate.
    """
    findings: list[Finding] = []
    hidden = unseen_visits(visits)
    unseen = list(dict.fromkeys(hidden.values()))
    live = {visit.host for visit in visits if visit.is_up}
    for visit in visits:
        if (visit.host, visit.address) not in hidden:
            is_told = visit.host in aliases and _tls_failure(visit) is TlsFailure.NAME_MISMATCH
            is_pinned = visit.host in pinned or is_told
            found = list(_judge(visit, now_ns, has_others=visit.host in live, is_pinned=is_pinned))
            findings += map(_sharpen, found) if is_enforced else found
            if _is_undecided(visit):
                unseen.append(
                    f"{visit.host} [{visit.address}] did not say in time whether it takes mail: {_why(visit)}"
                )
    return findings, unseen


def unseen_visits(visits: Sequence[ExchangerVisit]) -> dict[tuple[str, str], str]:
    """The visits that say something of the observer only, by host and address, and why."""
    if visits and all(_cause(visit) == Cause.CONNECT_TIMEOUT for visit in visits):
        said = "no exchanger answered at all: the way to their port may be closed from here"
        return {(visit.host, visit.address): said for visit in visits}
    reached = {ip_address(visit.address).version for visit in visits if _is_reached(visit)}
    return {
        (visit.host, visit.address): (
            f"{visit.host} [{visit.address}] could not be reached from here: {_why(visit)}"
        )
        for visit in visits
        if _cause(visit) in _OURS
        or (_cause(visit) == Cause.NETWORK_UNREACHABLE and ip_address(visit.address).version not in reached)
    }


def _is_reached(visit: ExchangerVisit) -> bool:
    """Whether somebody answered there, if only that nobody listens: then our network has a way out."""
    away = {Cause.CONNECT_TIMEOUT.value, Cause.NETWORK_UNREACHABLE.value}
    return _cause(visit) not in _OURS | away


def visit_facts(visit: ExchangerVisit, *, is_seen: bool = True) -> dict[str, Any]:
    """One visit as plain values. `up` is None where it says nothing of the other side."""
    tls = visit.tls
    return {
        "address": visit.address,
        "up": visit.is_up if is_seen else None,
        "failure": None if visit.failure is None else f"{visit.failure.stage}: {_why(visit)}",
        "phases": {timing.phase.value: round(timing.duration_seconds, 6) for timing in visit.phases},
        "greeting": _said(visit, Phase.GREETING),
        "starttls": visit.offers_starttls if visit.is_up else None,
        "tls_version": None if tls is None else tls.version,
        "certificate_not_after": None if tls is None or tls.not_after_ns is None else tls.not_after_ns // _NS,
        "certificate_failure": None if tls is None or tls.failure is None else tls.failure.value,
        "recipient": None if visit.recipient is None else str(visit.recipient),
        "relay": None if visit.relay is None else str(visit.relay),
    }


def _is_undecided(visit: ExchangerVisit) -> bool:
    """Whether it took longer over MAIL or RCPT than we waited: senders wait for minutes (RFC 5321 section 4.5.3.2)."""
    return visit.is_up and _fails_at_recipients(visit) and _cause(visit) == Cause.TIMEOUT


def _fails_at_recipients(visit: ExchangerVisit) -> bool:
    return visit.failure is not None and visit.failure.stage in (Phase.MAIL, Phase.RCPT)


def _cause(visit: ExchangerVisit) -> str:
    return "" if visit.failure is None else visit.failure.cause


def _sharpen(finding: Finding) -> Finding:
    """What is a warning elsewhere keeps mail away where MTA-STS is enforced (RFC 8461 section 4.2)."""
    if finding.check not in _KEEPS_MAIL_AWAY:
        return finding
    message = f"{finding.message} MTA-STS is enforced: senders that heed it do not deliver there."
    return dataclasses.replace(finding, severity=Severity.ERROR, message=message)


def _tls_failure(visit: ExchangerVisit) -> TlsFailure | None:
    return None if visit.tls is None else visit.tls.failure


def _why(visit: ExchangerVisit) -> str:
    """The failure in words."""
    failure = visit.failure
    assert failure is not None
    return say_why(failure.cause, failure.detail, "" if failure.reply is None else str(failure.reply))


def _said(visit: ExchangerVisit, phase: Phase) -> str | None:
    reply = visit.reply(phase)
    return None if reply is None else str(reply)


def _finding(  # noqa: PLR0913, PLR0917  # a finding has so many parts
    check: str, severity: Severity, visit: ExchangerVisit, message: str, advice: str, source: str
) -> Finding:
    subject = f"{visit.host} [{visit.address}]"
    return make_finding(check, severity, subject, f"{subject} {message}", advice=advice, source=source)


def _judge(visit: ExchangerVisit, now_ns: int, *, has_others: bool, is_pinned: bool) -> Iterator[Finding]:
    if not visit.is_up:
        yield _down(visit, has_others=has_others)
        return
    greeting = next(timing for timing in visit.phases if timing.phase is Phase.GREETING)
    if greeting.duration_seconds > _SLOW_SECONDS:
        yield _finding(
            "exchanger_slow",
            Severity.WARNING,
            visit,
            f"greets only after {greeting.duration_seconds:.0f} s: some senders give up before.",
            "Look for look-ups or delays at the begin of a connection.",
            "RFC 5321 section 4.5.3.2.1",
        )
    yield from _judge_tls(visit, now_ns, is_pinned=is_pinned)
    yield from _judge_recipients(visit)
    if _fails_at_recipients(visit) and not _is_undecided(visit):
        yield _down(visit, has_others=False)


def _down(visit: ExchangerVisit, *, has_others: bool) -> Finding:
    """Why an address does not take mail."""
    failure = visit.failure
    reply = None if failure is None else failure.reply
    if _cause(visit) in _NOT_THERE:
        stale = (
            "; other addresses of the host answer: it may be left over from an earlier server"
            if has_others
            else ""
        )
        return _finding(
            "exchanger_unreachable",
            Severity.ERROR,
            visit,
            f"does not take connections ({cause_in_words(_cause(visit))}){stale}.",
            "Start the server, or take the address out of DNS.",
            "RFC 5321 section 5.1",
        )
    if reply is not None and failure is not None:
        what = "greets with" if failure.stage == Phase.GREETING else "answers EHLO with"
        return _finding(
            "exchanger_deferring" if reply.is_temporary else "exchanger_refusing",
            Severity.WARNING if reply.is_temporary else Severity.ERROR,
            visit,
            f"{what} {reply}.",
            "See in the server's log why it turns us away; the address may be on a list of it.",
            "RFC 5321 section 3.1",
        )
    silent = _cause(visit) == Cause.TIMEOUT
    return _finding(
        "exchanger_silent" if silent else "exchanger_broken",
        Severity.ERROR,
        visit,
        "takes connections and then says nothing." if silent else f"does not speak SMTP: {_why(visit)}.",
        "See what listens there, and whether something on the way cuts the connection.",
        "RFC 5321 section 3.1",
    )


def _judge_tls(visit: ExchangerVisit, now_ns: int, *, is_pinned: bool) -> Iterator[Finding]:
    """At most one finding: the first thing that is wrong on the way to a good certificate."""
    tls = visit.tls
    if not visit.offers_starttls:
        if is_pinned:
            return  # told by the check of the TLSA records, which senders that heed them cannot follow
        yield _finding(
            "exchanger_no_starttls",
            Severity.WARNING,
            visit,
            "does not offer STARTTLS: mail to it is sent in the clear.",
            "Give the server a certificate and switch TLS on.",
            "RFC 3207 section 4",
        )
    elif tls is not None and tls.failure in _CERTIFICATES:
        check, severity, what = _CERTIFICATES[tls.failure]
        if not is_pinned:
            yield _finding(
                check,
                severity,
                visit,
                f"has a certificate that {what}.",
                f"Install a valid certificate for {visit.host}, with its whole chain.",
                "RFC 8461 section 4.2",
            )
    elif _cause(visit) == Cause.TLS_FAILED or (
        visit.failure is not None and visit.failure.stage == Phase.STARTTLS
    ):
        yield _finding(
            "exchanger_starttls_broken",
            Severity.ERROR,
            visit,
            f"offers STARTTLS, and then it fails: {_why(visit)}.",
            "See in the server's log; senders that ask for TLS cannot deliver.",
            "RFC 3207 section 4.1",
        )
    elif tls is not None and tls.not_after_ns is not None:
        left_seconds = (tls.not_after_ns - now_ns) / _NS
        if left_seconds < EXPIRY_SECONDS:
            yield _finding(
                "exchanger_certificate_expiring",
                Severity.WARNING,
                visit,
                f"has a certificate that expires in {max(left_seconds, 0) / 86_400:.0f} days.",
                "Renew the certificate, and reload the server.",
                "RFC 5280 section 4.1.2.5",
            )


def _judge_recipients(visit: ExchangerVisit) -> Iterator[Finding]:
    if visit.recipient is not None and visit.recipient.code >= 400:
        temporary = visit.recipient.is_temporary
        yield _finding(
            "exchanger_recipient_deferred" if temporary else "exchanger_recipient_refused",
            Severity.INFO if temporary else Severity.ERROR,
            visit,
            f"does not take the recipient {'now' if temporary else ''}: {visit.recipient}.".replace(
                " :", ":"
            ),
            "Nothing, if the server greylists."
            if temporary
            else "See why this host does not know the recipient.",
            "RFC 5321 section 3.3",
        )
    if visit.relay is not None and visit.relay.code // 100 == 2:
        yield _finding(
            "exchanger_open_relay",
            Severity.ERROR,
            visit,
            "takes mail of strangers for strangers: it is an open relay.",
            "Allow relaying for own networks and logged-in users only.",
            "RFC 5321 section 3.6.2",
        )
    if visit.vrfy is not None and visit.vrfy.code == 250:
        yield _finding(
            "exchanger_vrfy",
            Severity.INFO,
            visit,
            "tells with VRFY who has a mailbox.",
            "Switch VRFY off.",
            "RFC 5321 section 7.3",
        )

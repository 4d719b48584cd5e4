"""Whether what must be refused was refused, with a code that says so.

In: trials, each with the reply that decided it. Out: findings. Whatever was accepted is critical, whichever check it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from smtp_probe.model import DrillTrial, Finding, Reply, Severity
from smtp_probe.policy.findings import make_finding


class Rule(NamedTuple):
    """What an acceptance means. `expected` are the codes of a refusal, or how they begin."""

    finding: str
    what: str
    advice: str
    source: str
    expected: str = "5"


RULES: Mapping[str, Rule] = {
    "relay": Rule(
        "drill_relay_accepted",
        "mail of a stranger for a stranger, without a login",
        "Close the relay: Postfix smtpd_relay_restrictions, Exim acl_smtp_rcpt. Where the address that we come from is trusted, "
        "run the drill from one that is not.",
        "RFC 5321 section 7.1",
    ),
    "no_auth": Rule(
        "drill_no_auth_accepted",
        "mail without a login",
        "A submission port takes mail after AUTH only (Postfix: permit_sasl_authenticated, reject).",
        "RFC 6409 section 4.3",
    ),
    "wrong_auth": Rule(
        "drill_wrong_auth_accepted",
        "a login that does not exist",
        "Look at the authentication service at once: any password may be good.",
        "RFC 4954 section 6",
    ),
    "auth_before_tls": Rule(
        "drill_auth_before_tls_accepted",
        "AUTH on a connection that is not encrypted",
        "Offer and take AUTH after STARTTLS only (Postfix: smtpd_tls_auth_only = yes). A reply 535 means that a password "
        "was looked at that had come in the clear.",
        "RFC 4954 section 4",
        "500 502 503 504 523 530 534 538 55",
    ),
    "forged_sender": Rule(
        "drill_forged_sender_accepted",
        "an envelope sender that is not ours",
        "Bind senders to logins (Postfix: reject_sender_login_mismatch), or check SPF where mail comes in.",
        "RFC 6409 section 6.1",
    ),
    "forged_from": Rule(
        "drill_forged_from_accepted",
        "a From header that is not ours",
        "Check the author against the login, or DMARC where mail comes in.",
        "RFC 9989",
    ),
    "oversized": Rule(
        "drill_oversized_accepted",
        "a message above the size that must be refused",
        "Set a limit (Postfix: message_size_limit; Exim: message_size_limit).",
        "RFC 1870 section 6",
    ),
    "gtube": Rule(
        "drill_gtube_accepted",
        "the test message of spam filters (GTUBE)",
        "The spam filter is not asked, or does not refuse. Where it files spam instead, leave this check out.",
        "RFC 5321 section 7.9",
    ),
    "eicar": Rule(
        "drill_eicar_accepted",
        "the test file of virus scanners (EICAR)",
        "The virus scanner is not asked, or does not refuse; or its signatures are missing.",
        "RFC 5321 section 7.9",
    ),
}


def judge_trials(trials: Sequence[DrillTrial], expected: Mapping[str, str]) -> tuple[Finding, ...]:
    """Say which trials were not refused, or not with an expected code."""
    return tuple(finding for trial in trials for finding in _judge(trial, expected))


def is_expected(reply: Reply, codes: str) -> bool:
    """Whether a reply is one of these codes, or begins as one does."""
    return any(str(reply.code).startswith(each) for each in codes.split())


def _judge(trial: DrillTrial, expected: Mapping[str, str]) -> Iterator[Finding]:
    if trial.reply is None:
        return
    rule = RULES[trial.check]
    codes = expected.get(trial.check, rule.expected)
    is_refused = trial.reply.is_permanent or trial.reply.is_temporary
    was_looked_at = trial.check == "auth_before_tls" and trial.reply.code == 535
    if not is_refused or (was_looked_at and not is_expected(trial.reply, codes)):
        yield make_finding(
            rule.finding,
            Severity.CRITICAL,
            trial.check,
            f"The server accepted {rule.what}: {trial.step} was answered {trial.reply}.",
            advice=rule.advice,
            source=rule.source,
        )
    elif not is_expected(trial.reply, codes):
        yield make_finding(
            "drill_refusal_unexpected",
            Severity.WARNING,
            trial.check,
            f"The server refused {rule.what}, but {trial.step} was answered {trial.reply}, and not {codes}.",
            advice=(
                "A reply of class 4 has the sender try again: refuse with one of class 5. "
                if trial.reply.is_temporary
                else ""
            )
            + f"Where the code is as it should be, name it in expected ({trial.check}).",
            source="RFC 5321 section 4.2.1",
        )
    if trial.check == "auth_before_tls" and "AUTH is offered" in trial.detail:
        yield make_finding(
            "drill_auth_offered_in_clear",
            Severity.WARNING,
            trial.check,
            "The server offers AUTH before TLS, so that clients send their passwords in the clear.",
            advice="Offer AUTH after STARTTLS only (Postfix: smtpd_tls_auth_only = yes).",
            source="RFC 4954 section 4",
        )

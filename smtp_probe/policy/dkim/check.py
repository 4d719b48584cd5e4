"""The DKIM check of a domain: the key of each selector that is known.

In: a domain and its selectors, and `ports.Ask`. Out: findings whose ids begin with `dkim_`, and each key's facts. Without
a selector nothing can be said, but that there is none at all: DNS cannot be asked which there are. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import CheckResult, DnsStatus, DomainUnderCheck, Finding, Severity
from smtp_probe.policy.dkim.key import GOOD_BITS, MOST_BITS, DkimKey, KeyState, read_key
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.policy.spf.record import sends_nothing
from smtp_probe.ports import Ask

_FAULTS: dict[KeyState, tuple[str, str, str, str]] = {
    KeyState.MISSING: (
        "dkim_key_missing",
        "no DKIM key is published",
        "Publish the key of this selector, or sign with a selector whose key is published.",
        "RFC 6376 section 3.6.2",
    ),
    KeyState.MULTIPLE: (
        "dkim_key_multiple",
        "several DKIM keys are published",
        "Keep one TXT record at this name; give the other key a selector of its own.",
        "RFC 6376 section 3.6.2.2",
    ),
    KeyState.REVOKED: (
        "dkim_key_revoked",
        "the DKIM key is revoked (p= is empty)",
        "Sign with another selector; remove this one from the signer's configuration.",
        "RFC 6376 section 3.6.1",
    ),
    KeyState.SYNTAX: (
        "dkim_key_syntax",
        "the DKIM key cannot be read",
        "Publish the record again as the signer's tool wrote it; look for lost or added characters.",
        "RFC 6376 section 3.6.1",
    ),
    KeyState.ALGORITHM: (
        "dkim_key_algorithm",
        "the DKIM key is for an algorithm that verifiers do not take",
        "Publish an RSA key of 2048 bits for sha256.",
        "RFC 8301 section 3.1",
    ),
    KeyState.WEAK: (
        "dkim_key_weak",
        "the DKIM key is too short",
        "Make a key of 2048 bits with a new selector, and sign with that.",
        "RFC 8301 section 3.2",
    ),
    KeyState.SERVICE: (
        "dkim_key_service",
        "the DKIM key is not for mail",
        "Remove the s= tag, or write s=email.",
        "RFC 6376 section 3.6.1",
    ),
}
_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])(?![0-9])")
_MOST_SELECTORS = 20
OLD_DAYS = 400
"""A key that is used for more than a year has been forgotten."""


async def check_dkim(subject: DomainUnderCheck, ask: Ask, *, now_seconds: int | None = None) -> CheckResult:
    """Look at the key of each selector. Fits `ports.Check`. Without the time no age is judged."""
    if not subject.selectors:
        return await _look_for_any(subject.domain, ask)
    answers = [
        await ask(f"{selector}._domainkey.{subject.domain}", "TXT")
        for selector in subject.selectors[:_MOST_SELECTORS]
    ]
    own = await ask(subject.domain, "MX")
    if own.status is DnsStatus.NO_SUCH_NAME and not own.aliases:
        return CheckResult()  # there is no domain, which is told by the MX check
    keys = [read_key(answer) for answer in answers]
    sizes = [key.bits for key in keys if key.algorithm == "rsa" and key.bits is not None]
    return CheckResult(
        findings=(
            *(finding for key in keys for finding in judge_key(key)),
            *_judge_dates(subject.selectors, keys, now_seconds),
        ),
        unobserved=tuple(unseen(answer) for answer in answers if answer.is_failure),
        facts={"selectors": _facts(subject.selectors, keys)},
        gauges={"dkim_key_bits": min(sizes)} if sizes else {},
    )


async def _look_for_any(domain: str, ask: Ask) -> CheckResult:
    """A name below which there is nothing does not exist (RFC 8020); one that does may hold any keys."""
    answer = await ask(f"_domainkey.{domain}", "TXT")
    own = await ask(domain, "MX")
    if answer.status is not DnsStatus.NO_SUCH_NAME or own.status is DnsStatus.NO_SUCH_NAME:
        return CheckResult()  # there may be keys; or there is no domain, which is told by the MX check
    if sends_nothing((await ask(domain, "TXT")).values):
        return CheckResult(facts={"selectors": []})
    finding = make_finding(
        "dkim_absent",
        Severity.WARNING,
        domain,
        f"{domain} publishes no DKIM key: nothing exists below _domainkey.{domain}.",
        advice="Sign outgoing mail with DKIM, and publish the key.",
        source="RFC 6376 section 3.6.2.1",
    )
    return CheckResult(findings=(finding,), facts={"selectors": []})


def judge_key(key: DkimKey) -> Iterator[Finding]:
    """Say what is wrong with one key. The fault that makes it useless is told alone."""
    if key.state is KeyState.UNKNOWN:
        return
    if not key.is_usable:
        check, what, advice, source = _FAULTS[key.state]
        why = f": {key.detail}" if key.detail else ""
        yield make_finding(
            check, Severity.ERROR, key.name, f"At {key.name}, {what}{why}.", advice=advice, source=source
        )
        return
    if key.is_testing:
        yield make_finding(
            "dkim_key_testing",
            Severity.WARNING,
            key.name,
            f"The DKIM key at {key.name} says that it is a test (t=y): receivers may ignore its signatures.",
            advice="Remove the flag y from t= once the signatures verify.",
            source="RFC 6376 section 3.6.1",
        )
    if key.algorithm == "rsa" and key.bits is not None and key.bits < GOOD_BITS:
        yield make_finding(
            "dkim_key_short",
            Severity.WARNING,
            key.name,
            f"The DKIM key at {key.name} has {key.bits} bits.",
            advice="Make a key of 2048 bits with a new selector, and sign with that.",
            source="RFC 8301 section 3.2",
        )
    if key.algorithm == "rsa" and key.bits is not None and key.bits > MOST_BITS:
        yield make_finding(
            "dkim_key_long",
            Severity.WARNING,
            key.name,
            f"The DKIM key at {key.name} has {key.bits} bits: not every verifier takes more than 4096.",
            advice="Make a key of 2048 bits with a new selector, and sign with that.",
            source="RFC 8301 section 3.2",
        )


def _judge_dates(
    selectors: Sequence[str], keys: Sequence[DkimKey], now_seconds: int | None
) -> Iterator[Finding]:
    """The age of a usable key, where its selector bears a date."""
    for selector, key in zip(selectors, keys, strict=False):
        dated = _read_date(selector)
        if dated is None or now_seconds is None or not key.is_usable:
            continue
        with suppress(ValueError):  # the 31st of February
            days = (now_seconds - datetime.fromisoformat(f"{dated}T00:00:00+00:00").timestamp()) // 86_400
            if days > OLD_DAYS:
                yield judge_age(key.name, int(days), "is by the date in its name as old as")


def judge_age(name: str, days: int, how: str) -> Finding:
    """Say that a DKIM key is older than a year."""
    return make_finding(
        "dkim_selector_old",
        Severity.INFO,
        name,
        f"The DKIM key at {name} {how} {days} days.",
        advice="Make a new key with a new selector now and then, and revoke the old one when its mail has arrived.",
        source="M3AAWG DKIM Key Rotation Best Common Practices",
    )


def _facts(selectors: Sequence[str], keys: Sequence[DkimKey]) -> list[dict[str, Any]]:
    return [
        {
            "selector": selector,
            "state": key.state.value,
            "detail": sanitise(key.detail) or None,
            "algorithm": sanitise(key.algorithm, 40) if key.algorithm else None,
            "bits": key.bits,
            "is_testing": key.is_testing,
            "is_strict": key.is_strict,
            "dated": _read_date(selector),
            "alias_of": sanitise(key.aliases[-1], 260) if key.aliases else None,
        }
        for selector, key in zip(selectors, keys, strict=False)
    ]


def _read_date(selector: str) -> str | None:
    """The date that a selector's name bears: the one hint of a key's age that DNS has."""
    match = _DATE.search(selector)
    return None if match is None else "-".join(match.groups())

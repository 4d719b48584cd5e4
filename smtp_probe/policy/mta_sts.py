"""MTA-STS (RFC 8461): the record, the policy that it announces, and whether the MX hosts are those that it names.

In: a domain with its MX hosts, `ports.Ask`, and a way to fetch the policy. Out: findings whose ids begin with `mta_sts_`,
and when the policy that was fetched ceases to hold. A domain without the record is nobody's fault.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smtp_probe.model import CheckResult, DomainUnderCheck, Finding, Severity, WebAnswer, WebFailure
from smtp_probe.policy.findings import make_finding, unseen
from smtp_probe.policy.records import texts_of
from smtp_probe.ports import Ask

Fetch = Callable[[str, str, int], Awaitable[WebAnswer]]
"""Fetches `https://HOST/PATH`, at most so many bytes and one more."""

PATH = "/.well-known/mta-sts.txt"
_MOST_BYTES = 65_536
_LONGEST_AGE_SECONDS = 31_557_600
_SHORT_AGE_SECONDS = 86_400
_MODES = ("enforce", "testing", "none")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_FIELD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9_.-]{0,31})\s*:\s*(.*?)\s*")
_PATTERN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?")
_RECORD_VERSION = "v=STSv1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """A policy that can be read."""

    mode: str
    max_age_seconds: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenPolicy:
    """The id of a record, and the policy that was first seen under it."""

    record_id: str
    terms: tuple[str, ...]


class StsSyntaxError(ValueError):
    """A record or policy that cannot be read: why."""


def parse_sts_record(text: str) -> str:
    """Give the id of a record (RFC 8461 section 3.1). Raises StsSyntaxError."""
    fields = [part.strip() for part in text.split(";")]
    if fields and not fields[-1]:
        fields.pop()
    names = [field.partition("=")[0].strip() for field in fields]
    if fields[:1] != [_RECORD_VERSION]:
        message = f"it does not begin with {_RECORD_VERSION};"
        raise StsSyntaxError(message)
    if any("=" not in field for field in fields):
        raise StsSyntaxError("a field has no value")
    ids = [field.partition("=")[2].strip() for field, name in zip(fields, names, strict=True) if name == "id"]
    if len(ids) != 1 or not _ID.fullmatch(ids[0]):
        raise StsSyntaxError("it needs one id of 1 to 32 letters and digits")
    return ids[0]


def parse_sts_policy(body: bytes) -> StsPolicy:
    """Read a policy (RFC 8461 section 3.2). Of fields that come twice, but for mx, the first counts."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise StsSyntaxError("it is not UTF-8 text") from None
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            message = f"the line {line[:60]!r} is not NAME: VALUE"
            raise StsSyntaxError(message)
        if match[1] == "mx":
            patterns.append(match[2].lower())
        else:
            fields.setdefault(match[1], match[2])
    return _check_policy(fields, patterns)


def _check_policy(fields: dict[str, str], patterns: list[str]) -> StsPolicy:
    if fields.get("version") != "STSv1":
        raise StsSyntaxError("version: STSv1 is missing")
    mode, age = fields.get("mode", ""), fields.get("max_age", "")
    if mode not in _MODES:
        message = f"mode must be one of {', '.join(_MODES)}"
        raise StsSyntaxError(message)
    if not (age.isascii() and age.isdigit() and len(age) <= 10 and int(age) <= _LONGEST_AGE_SECONDS):
        message = f"max_age must be a number of seconds, at most {_LONGEST_AGE_SECONDS}"
        raise StsSyntaxError(message)
    bad = [pattern for pattern in patterns if not _PATTERN.fullmatch(pattern)]
    if bad:
        message = f"mx: {bad[0][:80]!r} is no host name, with or without *. before it"
        raise StsSyntaxError(message)
    if mode != "none" and not patterns:
        raise StsSyntaxError("mx is missing")
    return StsPolicy(mode=mode, max_age_seconds=int(age), patterns=tuple(patterns))


def is_matched(host: str, patterns: Sequence[str]) -> bool:
    """Whether a policy names a host; `*.` stands for exactly one label (RFC 8461 section 4.1)."""
    name = host.lower().removesuffix(".")
    parent = name.partition(".")[2]
    return any(
        (bool(parent) and parent == pattern[2:].removesuffix("."))
        if pattern.startswith("*.")
        else name == pattern.removesuffix(".")
        for pattern in patterns
    )


async def check_mta_sts(
    subject: DomainUnderCheck,
    ask: Ask,
    fetch: Fetch | None = None,
    now_seconds: int | None = None,
) -> CheckResult:
    """Look at the record, and at the policy where one may fetch it. Fits `ports.Check`."""
    name = f"_mta-sts.{subject.domain}"
    answer = await ask(name, "TXT")
    if answer.is_failure:
        return CheckResult(unobserved=(unseen(answer),))
    texts = texts_of(answer, "v=STSv1")
    if not texts:
        return CheckResult(facts={"present": False})
    facts = {"present": True, "record": texts[0][:300], "id": None, "mode": None, "max_age_seconds": None}
    if len(texts) > 1:
        return CheckResult(findings=(_several(name, len(texts)),), facts=facts)
    try:
        facts["id"] = parse_sts_record(texts[0])
    except StsSyntaxError as error:
        return CheckResult(findings=(_bad_record(name, error),), facts=facts)
    if fetch is None:
        return CheckResult(facts=facts)
    host = f"mta-sts.{subject.domain}"
    return _judge_page(subject, host, await fetch(host, PATH, _MOST_BYTES), facts, now_seconds)


def compare_policy(
    domain: str, facts: Mapping[str, Any], known: SeenPolicy | None
) -> tuple[SeenPolicy | None, Finding | None]:
    """Whether the policy has changed under the same id: senders that have it do not fetch it again. In: the facts of a look,
    and what was seen before. Out: what is to be remembered, and the finding.
    """
    if facts.get("mode") is None:
        return known, None  # no policy was seen this time
    terms = str(facts["mode"]), str(facts["max_age_seconds"]), *sorted(map(str, facts["mx"]))
    if known is None or known.record_id != facts["id"]:
        return SeenPolicy(str(facts["id"]), terms), None
    return known, None if known.terms == terms else _same_id(domain, known.record_id)


def _same_id(domain: str, record_id: str) -> Finding:
    return make_finding(
        "mta_sts_id_unchanged",
        Severity.WARNING,
        f"_mta-sts.{domain}",
        f"The MTA-STS policy of {domain} has changed, and the id in the record is still {record_id}: "
        "senders keep the policy that they have.",
        advice="Change the id in the record whenever the policy changes.",
        source="RFC 8461 section 3.1",
    )


def _judge_page(
    subject: DomainUnderCheck,
    host: str,
    page: WebAnswer,
    facts: dict[str, object],
    now_seconds: int | None,
) -> CheckResult:
    if page.failure is WebFailure.OURS:
        return CheckResult(unobserved=(f"https://{host}{PATH}: {page.detail}",), facts=facts)
    fault = _fault_of(host, page)
    if fault is not None:
        return CheckResult(findings=(fault,), facts=facts)
    try:
        policy = parse_sts_policy(page.body)
    except StsSyntaxError as error:
        return CheckResult(findings=(_bad_policy(host, error),), facts=facts)
    facts |= {"mode": policy.mode, "max_age_seconds": policy.max_age_seconds, "mx": list(policy.patterns)}
    gauges = {}
    if now_seconds is not None:
        gauges["mta_sts_policy_expiry_timestamp_seconds"] = now_seconds + policy.max_age_seconds
    return CheckResult(findings=tuple(_judge_policy(subject, host, page, policy)), facts=facts, gauges=gauges)


# What can be wrong.


def _several(name: str, count: int) -> Finding:
    return make_finding(
        "mta_sts_multiple",
        Severity.ERROR,
        name,
        f"{name} has {count} MTA-STS records: senders act as if there were none.",
        advice="Keep one record.",
        source="RFC 8461 section 3.1",
    )


def _bad_record(name: str, error: StsSyntaxError) -> Finding:
    return make_finding(
        "mta_sts_record",
        Severity.ERROR,
        name,
        f"The MTA-STS record {name} cannot be read: {error}.",
        advice="Publish: v=STSv1; id=20260101T000000; with a new id for every change of the policy.",
        source="RFC 8461 section 3.1",
    )


def _bad_policy(host: str, error: StsSyntaxError) -> Finding:
    return make_finding(
        "mta_sts_policy",
        Severity.ERROR,
        host,
        f"The MTA-STS policy of {host} cannot be read: {error}.",
        advice="Correct the policy file, and change the id in the record.",
        source="RFC 8461 section 3.2",
    )


_FAILURES = {
    WebFailure.NO_SUCH_HOST: ("mta_sts_no_host", "has no address"),
    WebFailure.UNREACHABLE: ("mta_sts_unreachable", "cannot be reached"),
    WebFailure.TIMEOUT: ("mta_sts_unreachable", "does not answer in time"),
    WebFailure.CERTIFICATE: ("mta_sts_certificate", "has no valid certificate"),
    WebFailure.PROTOCOL: ("mta_sts_unreachable", "does not speak HTTP"),
}


def _fault_of(host: str, page: WebAnswer) -> Finding | None:
    """Why there is no policy, though the record says that there is one."""
    if page.failure is not None:
        check, what = _FAILURES[page.failure]
        return make_finding(
            check,
            Severity.ERROR,
            host,
            f"{host}, where the MTA-STS policy has to be, {what}: {page.detail}.",
            advice="Serve the policy over HTTPS with a valid certificate for this name, or remove the record.",
            source="RFC 8461 section 3.3",
        )
    if page.status != 200:
        redirect = ": redirects are not followed" if 300 <= page.status < 400 else ""
        return make_finding(
            "mta_sts_status",
            Severity.ERROR,
            host,
            f"https://{host}{PATH} answers with HTTP {page.status}{redirect}.",
            advice="Serve the policy at this very address with status 200.",
            source="RFC 8461 section 3.3",
        )
    if len(page.body) > _MOST_BYTES:
        return make_finding(
            "mta_sts_too_large",
            Severity.ERROR,
            host,
            f"The MTA-STS policy of {host} is larger than {_MOST_BYTES} octets.",
            advice="Serve the policy alone.",
            source="RFC 8461 section 3.3",
        )
    return None


def _judge_policy(
    subject: DomainUnderCheck, host: str, page: WebAnswer, policy: StsPolicy
) -> Iterator[Finding]:
    if page.content_type != "text/plain":
        yield make_finding(
            "mta_sts_content_type",
            Severity.WARNING,
            host,
            f"The MTA-STS policy is served as {page.content_type or 'nothing'}, and has to be text/plain.",
            advice="Set the media type to text/plain.",
            source="RFC 8461 section 3.2",
        )
    if policy.mode != "enforce":
        yield make_finding(
            "mta_sts_not_enforced",
            Severity.INFO,
            host,
            f"The MTA-STS policy is in mode {policy.mode}: it protects nothing.",
            advice="Set the mode to enforce when the reports are clean.",
            source="RFC 8461 section 5",
        )
    elif policy.max_age_seconds < _SHORT_AGE_SECONDS:
        yield make_finding(
            "mta_sts_short",
            Severity.WARNING,
            host,
            f"The MTA-STS policy holds for {policy.max_age_seconds} s only: an attacker need not wait long.",
            advice="Set max_age to some weeks.",
            source="RFC 8461 section 3.2",
        )
    if policy.mode == "none":
        return
    left_out = [name for name in subject.mx_hosts if not is_matched(name, policy.patterns)]
    if left_out:
        yield make_finding(
            "mta_sts_mx_not_named",
            Severity.ERROR if policy.mode == "enforce" else Severity.WARNING,
            left_out[0],
            f"The MTA-STS policy does not name the MX host {', '.join(left_out)}"
            + (": senders will not deliver there." if policy.mode == "enforce" else "."),
            advice="Name every MX host in the policy, and change the id in the record.",
            source="RFC 8461 section 4.1",
        )

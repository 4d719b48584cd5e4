"""Verdicts on whole messages, with DNS from a table."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.mail.authentication.changes import remember
from smtp_probe.model import Authentication, DnsStatus, Method, Source
from smtp_probe.probes.authentication import MOST_BYTES, ReceivedMessage, authenticate, receiver_only
from tests.policy.dkim.signing import ED25519_RECORD, MESSAGE, RSA_RECORD, seal, sign, sign_ed25519
from tests.policy.scripted import ScriptedDns

NOW = 1_795_000_000
ZONE: dict[str, Any] = {
    "s._domainkey.e.test": {"TXT": (RSA_RECORD,)},
    "ed._domainkey.e.test": {"TXT": (ED25519_RECORD,)},
    "arc._domainkey.list.test": {"TXT": (RSA_RECORD,)},
    "_dmarc.e.test": {"TXT": ("v=DMARC1; p=reject",)},
    "e.test": {"TXT": ("v=spf1 ip4:192.0.2.1 -all",)},
}
RESULTS = b"Authentication-Results: mx.r.test; dkim=pass header.d=e.test; spf=pass; dmarc=pass\r\n"


def _message(octets: bytes, **known: Any) -> ReceivedMessage:
    header, _, body = octets.partition(b"\r\n\r\n")
    known = {"sender": "probe@e.test", "egress": "192.0.2.1", "ehlo_name": "out.e.test", **known}
    return ReceivedMessage(header=header + b"\r\n\r\n", body=known.pop("body", body), **known)


def _said(found: Authentication, source: Source = Source.OWN) -> dict[str, str]:
    summaries = {method.value: found.summary(method, source) for method in Method}
    return {name: verdict.result.value for name, verdict in summaries.items() if verdict is not None}


async def test_all_is_well() -> None:
    found = await authenticate(_message(RESULTS + sign_ed25519(sign())), ScriptedDns(ZONE), NOW)
    assert _said(found) == {"spf": "pass", "dkim": "pass", "dmarc": "pass", "arc": "none"}
    assert _said(found, Source.RECEIVER) == {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    assert (found.findings, found.unobserved) == ((), ())
    assert len([v for v in found.verdicts if v.method is Method.DKIM and v.source is Source.OWN]) == 2


async def test_a_changed_body_is_told_with_its_cause_and_the_disagreement() -> None:
    octets = RESULTS + sign().replace(b"last", b"lost")
    found = await authenticate(_message(octets, sent=remember(MESSAGE)), ScriptedDns(ZONE), NOW)
    assert _said(found) == {"spf": "pass", "dkim": "fail", "dmarc": "pass", "arc": "none"}
    assert [finding.check for finding in found.findings] == ["signature_body_changed", "dkim_disagrees"]
    assert "changed on the way" in found.findings[0].message


async def test_an_egress_that_spf_does_not_allow() -> None:
    found = await authenticate(_message(MESSAGE, egress="192.0.2.9"), ScriptedDns(ZONE), NOW)
    assert _said(found) == {"spf": "fail", "dkim": "none", "dmarc": "fail", "arc": "none"}
    assert [finding.check for finding in found.findings] == ["dmarc_fails"]


async def test_without_an_egress_spf_is_not_told_and_fails_nothing() -> None:
    found = await authenticate(_message(MESSAGE, egress=None), ScriptedDns(ZONE), NOW)
    assert _said(found) == {"dkim": "none", "dmarc": "temperror", "arc": "none"}
    assert not found.findings


async def test_a_dead_resolver_is_unobserved() -> None:
    dead = ScriptedDns(dict.fromkeys(ZONE, DnsStatus.TIMEOUT))
    found = await authenticate(_message(RESULTS + sign()), dead, NOW)
    assert _said(found) == {"spf": "temperror", "dkim": "temperror", "dmarc": "temperror", "arc": "none"}
    assert not found.findings
    assert len(found.unobserved) == 1


@pytest.mark.parametrize("body", [None, b"x" * MOST_BYTES])
async def test_a_body_that_is_not_there_leaves_dkim_unobserved(body: bytes | None) -> None:
    found = await authenticate(_message(sign(), body=body), ScriptedDns(ZONE), NOW)
    assert _said(found) == {"spf": "pass"}
    assert found.unobserved


async def test_who_sealed() -> None:
    found = await authenticate(_message(seal(sign(), "list.test")), ScriptedDns(ZONE), NOW)
    arc = found.summary(Method.ARC, Source.OWN)
    assert arc is not None
    assert (arc.result.value, arc.domain) == ("pass", "list.test")


async def test_hostile_names_cost_a_bounded_number_of_questions() -> None:
    line = b"DKIM-Signature: v=1; a=rsa-sha256; d=x%d.test; s=s; h=from; bh=YQ==; b=YQ==\r\n"
    dns = ScriptedDns(ZONE)
    await authenticate(_message(b"".join(line % n for n in range(500)) + MESSAGE), dns, NOW)
    assert sum(dns.asked.values()) < 30


async def test_the_receivers_word_alone_asks_nothing() -> None:
    found = receiver_only(_message(RESULTS + sign()))
    assert _said(found) == {}
    assert _said(found, Source.RECEIVER) == {"spf": "pass", "dkim": "pass", "dmarc": "pass"}


@pytest.mark.parametrize(
    ("policy", "aligned"), [("v=DMARC1; p=reject", True), ("v=DMARC1; p=reject; adkim=s", False)]
)
async def test_a_signature_aligns_as_the_policy_wants_it(policy: str, aligned: bool) -> None:
    octets = sign(MESSAGE.replace(b"<probe@e.test>", b"<probe@m.e.test>"))
    zone = {**ZONE, "_dmarc.e.test": {"TXT": (policy,)}}
    found = await authenticate(_message(octets, egress="192.0.2.9"), ScriptedDns(zone), NOW)
    [signature] = [each for each in found.verdicts if each.method is Method.DKIM]
    assert (signature.result.value, signature.aligned) == ("pass", aligned)
    assert ("signature_not_aligned" in {finding.check for finding in found.findings}) is not aligned
    assert _said(found)["dmarc"] == ("pass" if aligned else "fail")

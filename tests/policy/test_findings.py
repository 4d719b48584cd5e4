"""Findings are fit to be shown, and failures are said in words."""

from __future__ import annotations

from smtp_probe.model import DnsAnswer, DnsSecurity, DnsStatus, Severity
from smtp_probe.policy.findings import make_finding, unseen


def test_text_of_strangers_is_sanitised() -> None:
    finding = make_finding("x", Severity.INFO, "a\x1b[31m", "b\n" * 900, advice="c", source="d")
    assert finding.subject.isprintable()
    assert finding.message.isprintable()
    assert len(finding.message) <= 500


def test_what_could_not_be_seen_has_a_reason() -> None:
    answer = DnsAnswer(name="a.test", kind="MX", status=DnsStatus.TIMEOUT)
    assert unseen(answer) == "a.test MX could not be looked up: timeout"
    bogus = DnsAnswer(
        name="a.test", kind="A", status=DnsStatus.SERVER_FAILED, security=DnsSecurity.BOGUS, detail="why"
    )
    assert unseen(bogus) == "a.test A could not be looked up: why (DNSSEC: bogus)"

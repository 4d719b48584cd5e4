"""DMARC records."""

from __future__ import annotations

import pytest

from smtp_probe.policy.dmarc.record import is_dmarc, read_record


@pytest.mark.parametrize("record", [b"v=DMARC1", b"v=DMARC1;p=none", b" v = DMARC1 ; p=none"])
def test_records(record: bytes) -> None:
    assert is_dmarc(record)


@pytest.mark.parametrize("record", [b"", b"v=dmarc1; p=none", b"v=DMARC10", b"p=none; v=DMARC1", b"V=DMARC1"])
def test_what_is_none(record: bytes) -> None:
    assert not is_dmarc(record)


def test_all_tags() -> None:
    found = read_record(
        b"v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=r; fo=0:1:d:s; psd=n; t=y;"
        b" rua=mailto:a@b.test,mailto:c@d.test!10m; ruf=https://e.test/x"
    )
    assert (found.policy, found.subdomain_policy, found.absent_policy) == ("reject", "quarantine", "none")
    assert (found.strict_dkim, found.strict_spf, found.psd, found.is_testing) == (True, False, "n", True)
    assert [(report.tag, report.host, report.has_size) for report in found.reports] == [
        ("rua", "b.test", False),
        ("rua", "d.test", True),
        ("ruf", None, False),
    ]
    assert not found.faults


@pytest.mark.parametrize(
    "text", ["p=maybe", "p=none; sp=x", "p=none; adkim=x", "p=none; fo=2", "p=none; p=reject", "p"]
)
def test_faults(text: str) -> None:
    assert len(read_record(b"v=DMARC1; " + text.encode()).faults) == 1


def test_tags_that_are_gone_and_tags_that_never_were() -> None:
    found = read_record(b"v=DMARC1; p=none; pct=50; ri=86400; rf=afrf; foo=1")
    assert found.removed == ("pct", "ri", "rf")
    assert found.unknown == ("foo",)


def test_without_a_policy_reports_alone_mean_none() -> None:
    assert read_record(b"v=DMARC1; rua=mailto:a@b.test").effective_policy == "none"
    assert read_record(b"v=DMARC1; p=Reject").effective_policy == "reject"
    assert read_record(b"v=DMARC1; rua=nonsense").effective_policy is None

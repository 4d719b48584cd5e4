"""TLS-RPT records; that each fault in a zone has its finding stands in `tests/zones`."""

from __future__ import annotations

import pytest

from smtp_probe.model import DnsStatus, DomainUnderCheck
from smtp_probe.policy.tls_rpt import check_tls_rpt, find_tls_rpt_fault
from tests.policy.scripted import ScriptedDns


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1; rua=mailto:a@b.test",
        "v=TLSRPTv1;rua=mailto:a@b.test,https://b.test/reports;",
        "v=TLSRPTv1; rua=MAILTO:a@b.test; ext=x",
    ],
)
def test_records_that_can_be_used(text: str) -> None:
    assert not find_tls_rpt_fault(text)


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1",
        "v=TLSRPTv2; rua=mailto:a@b.test",
        "rua=mailto:a@b.test; v=TLSRPTv1",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; rua=a@b.test",
        "v=TLSRPTv1; rua=http://b.test/",
        "v=TLSRPTv1; rua=https://",
        "v=TLSRPTv1; rua=mailto:a@b.test; rua=mailto:c@d.test",
    ],
)
def test_records_that_cannot(text: str) -> None:
    assert find_tls_rpt_fault(text)


async def test_what_cannot_be_asked_is_unobserved() -> None:
    dns = ScriptedDns({"_smtp._tls.e.test": DnsStatus.TIMEOUT})
    result = await check_tls_rpt(DomainUnderCheck(domain="e.test"), dns)
    assert (result.findings, len(result.unobserved)) == ((), 1)

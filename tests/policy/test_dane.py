"""TLSA records against what hosts presented; faults that DNS alone shows stand in `tests/zones`."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import (
    DnsSecurity,
    DnsStatus,
    DomainUnderCheck,
    ExchangerVisit,
    Phase,
    PhaseTiming,
    Reply,
    TlsaRecord,
    TlsFacts,
    TlsFailure,
)
from smtp_probe.policy.dane import check_dane
from tests.policy.scripted import ScriptedDns, mx
from tests.policy.test_certificates import CHAIN, _record

SUBJECT = DomainUnderCheck(domain="e.test", mx_hosts=("mx.e.test",))
OWN, NEXT, AUTHORITY = _record(3, 1, 1, CHAIN[0]), TlsaRecord(3, 1, 1, bytes(32)), _record(2, 1, 1, CHAIN[1])


def _visit(*, starttls: bool = True, host: str = "mx.e.test", tls: TlsFacts | None = None) -> ExchangerVisit:
    phase = PhaseTiming(phase=Phase.EHLO, started_ns=0, duration_seconds=0.1, reply=Reply(code=250))
    return ExchangerVisit(
        host=host,
        tls=tls,
        address="192.0.2.1",
        phases=(phase,),
        extensions=("starttls",) if starttls else (),
        chain=CHAIN if starttls else (),
    )


def _zone(*records: TlsaRecord) -> dict[str, Any]:
    return {"e.test": {"MX": mx("10 mx.e.test")}, "_25._tcp.mx.e.test": {"TLSA": records}}


@pytest.mark.parametrize(
    ("records", "checks"),
    [
        ((), []),
        ((OWN, NEXT), []),
        ((OWN, AUTHORITY), []),
        ((AUTHORITY,), []),
        ((OWN,), ["dane_rollover"]),
        ((NEXT,), ["dane_mismatch"]),
    ],
)
async def test_one_record_has_to_match_and_another_to_come(
    records: tuple[TlsaRecord, ...], checks: list[str]
) -> None:
    dns = ScriptedDns(_zone(*records), security=DnsSecurity.SECURE)
    result = await check_dane(SUBJECT, dns, [_visit()])
    assert [finding.check for finding in result.findings] == checks


async def test_without_starttls_dane_shuts_the_door() -> None:
    result = await check_dane(SUBJECT, ScriptedDns(_zone(OWN, NEXT)), [_visit(starttls=False)])
    assert [finding.check for finding in result.findings] == ["dane_no_starttls"]


async def test_records_that_are_not_signed_are_heeded_by_nobody() -> None:
    dns = ScriptedDns(_zone(OWN, NEXT), security=DnsSecurity.INSECURE)
    result = await check_dane(SUBJECT, dns, [_visit()])
    assert [finding.check for finding in result.findings] == ["dane_insecure"]


async def test_what_cannot_be_asked_is_unobserved() -> None:
    zone = {**_zone(), "_25._tcp.mx.e.test": DnsStatus.SERVER_FAILED}
    result = await check_dane(SUBJECT, ScriptedDns(zone))
    assert (result.findings, len(result.unobserved)) == ((), 1)


async def test_an_authoritys_record_wants_the_name_and_the_dates_of_the_certificate() -> None:
    other = DomainUnderCheck(domain="other.test", mx_hosts=("mx.other.test",))
    zone: dict[str, Any] = {
        "other.test": {"MX": mx("10 mx.other.test")},
        "_25._tcp.mx.other.test": {"TLSA": (AUTHORITY,)},
    }
    result = await check_dane(other, ScriptedDns(zone), [_visit(host="mx.other.test")])
    assert [finding.check for finding in result.findings] == ["dane_certificate"]
    ended = _visit(tls=TlsFacts(failure=TlsFailure.EXPIRED))
    result = await check_dane(SUBJECT, ScriptedDns(_zone(AUTHORITY)), [ended])
    assert [finding.check for finding in result.findings] == ["dane_certificate"]
    assert "has expired" in result.findings[0].message
    assert not (await check_dane(SUBJECT, ScriptedDns(_zone(OWN, AUTHORITY)), [ended])).findings

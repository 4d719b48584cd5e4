"""Rules over visits that no server makes; the faults themselves stand in `tests/network/test_exchanger.py`."""

from __future__ import annotations

import dataclasses

import pytest

from smtp_probe.model import (
    Cause,
    ExchangerVisit,
    Failure,
    Phase,
    PhaseTiming,
    Reply,
    TlsFacts,
    TlsFailure,
)
from smtp_probe.policy.exchangers import judge_visits, unseen_visits


def _visit(address: str, cause: Cause | None = None, **more: object) -> ExchangerVisit:
    failure = None if cause is None else Failure(stage="connect", cause=cause.value)
    return ExchangerVisit(host="mx.test", address=address, failure=failure, **more)  # type: ignore[arg-type]


def _live(address: str, greeting_seconds: float = 0.1) -> ExchangerVisit:
    phases = tuple(
        PhaseTiming(phase=phase, started_ns=0, duration_seconds=seconds, reply=Reply(code=code))
        for phase, seconds, code in ((Phase.GREETING, greeting_seconds, 220), (Phase.EHLO, 0.1, 250))
    )
    return _visit(address, phases=phases, extensions=("starttls",))


def test_where_all_time_out_the_way_may_be_closed() -> None:
    visits = [_visit(address, Cause.CONNECT_TIMEOUT) for address in ("192.0.2.1", "192.0.2.2")]
    findings, unseen = judge_visits(visits, 0)
    assert (findings, len(unseen)) == ([], 1)


def test_where_one_answers_the_way_is_open() -> None:
    findings, unseen = judge_visits([_visit("192.0.2.1", Cause.CONNECT_TIMEOUT), _live("192.0.2.2")], 0)
    assert [finding.check for finding in findings] == ["exchanger_unreachable"]
    assert not unseen


def test_an_address_family_that_we_do_not_have_says_nothing_of_the_host() -> None:
    for cause in (Cause.NO_ROUTE, Cause.NETWORK_UNREACHABLE):
        visits = [_visit("2001:db8::1", cause), _live("192.0.2.1")]
        findings, unseen = judge_visits(visits, 0)
        assert not findings
        assert "2001:db8::1" in unseen[0]
        assert list(unseen_visits(visits)) == [("mx.test", "2001:db8::1")]


def test_an_address_without_a_host_is_told_where_others_of_its_family_answer() -> None:
    visits = [_visit("192.0.2.1", Cause.NETWORK_UNREACHABLE), _live("192.0.2.2")]
    findings, unseen = judge_visits(visits, 0)
    assert [finding.check for finding in findings] == ["exchanger_unreachable"]
    assert not unseen


def test_a_late_greeting_is_told() -> None:
    findings, _ = judge_visits([_live("192.0.2.1", greeting_seconds=40)], 0)
    assert [finding.check for finding in findings] == ["exchanger_slow"]


@pytest.mark.parametrize(
    ("failure", "check"),
    [
        (TlsFailure.REVOKED, "exchanger_certificate_revoked"),
        (TlsFailure.NAME_MISMATCH, "exchanger_certificate_name"),
        (TlsFailure.NOT_YET_VALID, "exchanger_certificate_not_yet_valid"),
    ],
)
def test_a_bad_certificate_is_told_unless_tlsa_records_judge_it(failure: TlsFailure, check: str) -> None:
    visit = dataclasses.replace(_live("192.0.2.1"), tls=TlsFacts(failure=failure))
    assert [finding.check for finding in judge_visits([visit], 0)[0]] == [check]
    assert judge_visits([visit], 0, pinned={"mx.test"})[0] == []

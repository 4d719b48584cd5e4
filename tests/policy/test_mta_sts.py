"""MTA-STS: records, policies, and what a page with each fault gives."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.model import CheckResult, DnsStatus, DomainUnderCheck, WebAnswer, WebFailure
from smtp_probe.policy.mta_sts import (
    PATH,
    StsSyntaxError,
    check_mta_sts,
    compare_policy,
    is_matched,
    parse_sts_policy,
    parse_sts_record,
)
from tests.policy.scripted import ScriptedDns

SUBJECT = DomainUnderCheck(domain="e.test", mx_hosts=("mx1.e.test", "mx2.e.test"))
ZONE: dict[str, Any] = {"_mta-sts.e.test": {"TXT": ("v=STSv1; id=20260101;",)}}
GOOD = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.e.test\r\nmx: *.e.test\r\nmax_age: 604800\r\n"


def _page(body: bytes = GOOD, **more: Any) -> WebAnswer:
    return WebAnswer(**{"status": 200, "content_type": "text/plain", "body": body, **more})


async def _check(page: WebAnswer, zone: dict[str, Any] | None = None) -> CheckResult:
    async def fetch(host: str, path: str, limit: int) -> WebAnswer:
        assert (host, path, limit) == ("mta-sts.e.test", PATH, 65_536)
        return page

    return await check_mta_sts(SUBJECT, ScriptedDns(ZONE if zone is None else zone), fetch, 1_000)


@pytest.mark.parametrize(
    ("page", "checks"),
    [
        (_page(), []),
        (_page(GOOD.replace(b"\r\n", b"\n")), []),
        (_page(GOOD + b"ext: something\r\n"), []),
        (_page(failure=WebFailure.NO_SUCH_HOST), ["mta_sts_no_host"]),
        (_page(failure=WebFailure.UNREACHABLE), ["mta_sts_unreachable"]),
        (_page(failure=WebFailure.TIMEOUT), ["mta_sts_unreachable"]),
        (_page(failure=WebFailure.PROTOCOL), ["mta_sts_unreachable"]),
        (_page(failure=WebFailure.CERTIFICATE), ["mta_sts_certificate"]),
        (_page(status=404), ["mta_sts_status"]),
        (_page(status=301), ["mta_sts_status"]),
        (_page(GOOD + b"x" * 66_000), ["mta_sts_too_large"]),
        (_page(b""), ["mta_sts_policy"]),
        (_page(b"<html>"), ["mta_sts_policy"]),
        (_page(b"\xff\xfe"), ["mta_sts_policy"]),
        (_page(GOOD.replace(b"STSv1", b"STSv2")), ["mta_sts_policy"]),
        (_page(GOOD.replace(b"enforce", b"enforced")), ["mta_sts_policy"]),
        (_page(GOOD.replace(b"604800", b"soon")), ["mta_sts_policy"]),
        (_page(GOOD.replace(b"604800", b"99999999")), ["mta_sts_policy"]),
        (_page(b"version: STSv1\nmode: enforce\nmax_age: 604800\n"), ["mta_sts_policy"]),
        (_page(GOOD.replace(b"mx1.e.test", b"mx1.*.test")), ["mta_sts_policy"]),
        (_page(content_type="text/html"), ["mta_sts_content_type"]),
        (_page(GOOD.replace(b"enforce", b"testing")), ["mta_sts_not_enforced"]),
        (_page(b"version: STSv1\nmode: none\nmax_age: 604800\n"), ["mta_sts_not_enforced"]),
        (_page(GOOD.replace(b"604800", b"600")), ["mta_sts_short"]),
        (_page(GOOD.replace(b"mx: *.e.test\r\n", b"")), ["mta_sts_mx_not_named"]),
    ],
)
async def test_each_fault_of_a_policy_has_its_finding(page: WebAnswer, checks: list[str]) -> None:
    result = await _check(page)
    assert [finding.check for finding in result.findings] == checks
    assert not result.unobserved


async def test_a_good_policy_says_how_long_it_holds() -> None:
    result = await _check(_page())
    assert result.gauges == {"mta_sts_policy_expiry_timestamp_seconds": 605_800}
    assert (result.facts["mode"], result.facts["id"]) == ("enforce", "20260101")


async def test_our_own_failures_are_no_findings() -> None:
    result = await _check(_page(failure=WebFailure.OURS, detail="resolver"))
    assert (result.findings, len(result.unobserved)) == ((), 1)
    result = await _check(_page(), {"_mta-sts.e.test": DnsStatus.TIMEOUT})
    assert (result.findings, len(result.unobserved)) == ((), 1)


async def test_a_domain_without_the_record_is_left_alone() -> None:
    result = await _check(_page(failure=WebFailure.UNREACHABLE), {})
    assert (result.findings, result.facts) == ((), {"present": False})


@pytest.mark.parametrize("text", ["v=STSv1; id=1", "v=STSv1;id=20160831085700Z;", "v=STSv1; id=a; ext=b;"])
def test_records_that_can_be_read(text: str) -> None:
    assert parse_sts_record(text).isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "v=STSv1",
        "v=STSv1; id=",
        "v=STSv1; id=a-b",
        "v=STSv1; id=a; id=b",
        "id=1; v=STSv1",
        "v=STSv1; x; id=1",
    ],
)
def test_records_that_cannot(text: str) -> None:
    with pytest.raises(StsSyntaxError):
        parse_sts_record(text)


def test_of_a_field_that_comes_twice_the_first_counts() -> None:
    assert parse_sts_policy(GOOD + b"mode: none\r\n").mode == "enforce"


@pytest.mark.parametrize(
    ("host", "matched"),
    [
        ("mx1.e.test", True),
        ("MX2.E.test.", True),
        ("a.b.e.test", False),
        ("e.test", False),
        ("mx1.f.test", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, matched: bool) -> None:
    assert is_matched(host, ("mx1.e.test", "*.e.test")) is matched


async def test_a_policy_that_changes_under_the_same_id_is_told() -> None:
    other = GOOD.replace(b"604800", b"86400")
    pages, known, found = [GOOD, other, other, GOOD], None, []

    async def fetch(*_: object) -> WebAnswer:
        return _page(pages.pop(0))

    for record_id in ("1", "1", "2", "2"):
        zone: dict[str, Any] = {"_mta-sts.e.test": {"TXT": (f"v=STSv1; id={record_id};",)}}
        result = await check_mta_sts(SUBJECT, ScriptedDns(zone), fetch, 1_000)
        known, finding = compare_policy("e.test", result.facts, known)
        found.append(finding is not None and finding.check)
    assert found == [False, "mta_sts_id_unchanged", False, "mta_sts_id_unchanged"]
    assert compare_policy("e.test", {"present": True, "mode": None}, known) == (known, None)

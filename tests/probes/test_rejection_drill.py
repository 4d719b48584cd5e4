"""The plan of each check: nothing to strangers, no true login where it does not belong; and the report."""

import pytest

from smtp_probe.config.drills import RejectionCheck, RejectionDrill
from smtp_probe.model import DrillResult, DrillTrial, Reply
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.probes import rejection_drill
from smtp_probe.probes.rejection_drill import plan, run_rejection_drill
from tests.probes.drill_fakes import SENDER

SETTINGS = RejectionDrill.model_validate(
    {
        "sender": "relay",
        "checks": [check.value for check in RejectionCheck],
        "recipient": "own@example.org",
        "forged_address": "chief@example.org",
        "oversized_bytes": 2048,
    }
)
NOW_NS = 1_790_000_000 * 10**9


class FakeTrespasser:
    def __init__(self, replies):
        self.replies = replies
        self.tried = []

    async def attempt(self, trespass):
        self.tried.append(trespass.check)
        reply = self.replies.get(trespass.check, 550)
        if reply is None:
            return DrillTrial(check=trespass.check, unobserved="It could not be tried.")
        return DrillTrial(check=trespass.check, step="RCPT", reply=Reply(code=reply))


@pytest.mark.parametrize("check", list(RejectionCheck))
def test_a_message_goes_to_our_own_mailbox_only(check):
    trespass = plan(check, SETTINGS, SENDER, NOW_NS)

    assert trespass.check == check.value
    assert trespass.recipient in ("", "own@example.org") or trespass.message == b""
    if trespass.message:
        assert b"\r\nTo: own@example.org\r\n" in trespass.message


def test_no_login_of_ours_is_used_where_it_would_hide_the_fault_or_be_seen():
    logins = {check.value: plan(check, SETTINGS, SENDER, NOW_NS).login for check in RejectionCheck}

    assert {name for name, login in logins.items() if login == "none"} == {"relay", "no_auth"}
    assert {name for name, login in logins.items() if login == "wrong"} == {"wrong_auth", "auth_before_tls"}
    assert not plan(RejectionCheck.AUTH_BEFORE_TLS, SETTINGS, SENDER, NOW_NS).is_secured


def test_what_is_forged_is_forged():
    envelope = plan(RejectionCheck.FORGED_SENDER, SETTINGS, SENDER, NOW_NS)
    header = plan(RejectionCheck.FORGED_FROM, SETTINGS, SENDER, NOW_NS)

    assert (envelope.sender, b"From: probe@example.org" in envelope.message) == ("chief@example.org", True)
    assert (header.sender, b"From: chief@example.org" in header.message) == ("probe@example.org", True)


async def run(monkeypatch, **replies):
    monkeypatch.setattr(rejection_drill, "_PAUSE_SECONDS", 0.001)
    trespasser = FakeTrespasser(replies)
    report = await run_rejection_drill("x", SETTINGS, SENDER, trespasser, ReferenceClock())
    assert trespasser.tried == [check.value for check in RejectionCheck]
    return report


async def test_all_refused_is_healthy(monkeypatch):
    report = await run(monkeypatch, auth_before_tls=530)

    assert (report.result, report.findings) == (DrillResult.HEALTHY, ())
    assert report.facts["forged from"] == "RCPT: 550"


async def test_one_accepted_is_not(monkeypatch):
    report = await run(monkeypatch, auth_before_tls=530, gtube=250)

    assert [finding.check for finding in report.findings] == ["drill_gtube_accepted"]
    assert report.result is DrillResult.UNHEALTHY


async def test_what_could_not_be_tried_is_not_observed(monkeypatch):
    report = await run(monkeypatch, auth_before_tls=530, relay=None)

    assert report.result is DrillResult.UNOBSERVED
    assert report.unobserved == ("relay: It could not be tried.",)

"""What was tried: refused, refused in another way, accepted, or not tried at all."""

import pytest

from smtp_probe.config.drills import RejectionCheck
from smtp_probe.model import DrillTrial, Reply
from smtp_probe.policy.drills.rejection import RULES, judge_trials


def found(check, code, expected=None, detail=""):
    trial = DrillTrial(check=check, step="RCPT", reply=Reply(code=code, text="x"), detail=detail)
    return [(each.check, each.severity.value) for each in judge_trials([trial], expected or {})]


def test_there_is_a_rule_for_every_check():
    assert set(RULES) == set(RejectionCheck)


@pytest.mark.parametrize("check", sorted(RULES))
def test_an_acceptance_is_an_error_and_a_refusal_is_well(check):
    refused = 538 if check == "auth_before_tls" else 550
    assert found(check, 250) == [(RULES[check].finding, "critical")]
    assert found(check, refused) == []


def test_a_refusal_of_class_4_or_with_another_code_is_a_warning():
    assert found("gtube", 450) == [("drill_refusal_unexpected", "warning")]
    assert found("gtube", 451, {"gtube": "4 5"}) == []
    assert found("gtube", 552, {"gtube": "550 554"}) == [("drill_refusal_unexpected", "warning")]


@pytest.mark.parametrize(("code", "is_temporary"), [(450, True), (550, False)])
def test_what_to_change_is_said_of_the_reply_that_came(code, is_temporary):
    trial = DrillTrial(check="gtube", step="data", reply=Reply(code=code, text="x"))
    [finding] = judge_trials([trial], {"gtube": "554"})
    assert ("class 4" in finding.advice) is is_temporary
    assert "name it in expected (gtube)" in finding.advice


@pytest.mark.parametrize("code", [235, 334, 535])
def test_a_password_that_is_looked_at_in_the_clear_was_accepted(code):
    assert found("auth_before_tls", code) == [("drill_auth_before_tls_accepted", "critical")]


def test_a_refused_login_is_what_is_wanted_where_tls_came_first():
    assert found("wrong_auth", 535) == []
    assert found("wrong_auth", 235) == [("drill_wrong_auth_accepted", "critical")]


def test_auth_that_is_offered_in_the_clear_and_refused_is_a_warning():
    assert found("auth_before_tls", 530, detail="AUTH is offered") == [
        ("drill_auth_offered_in_clear", "warning")
    ]


def test_of_what_was_not_tried_nothing_is_said():
    assert judge_trials([DrillTrial(check="relay", unobserved="No.")], {}) == ()

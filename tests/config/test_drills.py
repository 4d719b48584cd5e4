"""Drills in the settings: off by default, polite, and refused where they cannot be done."""

import pytest
from pydantic import ValidationError

from smtp_probe.config.drills import Drills, FailoverDrill, RejectionDrill, RetryDrill

RETRY = {"sender": "relay", "recipient": "drill@drill.example.org", "listen": {"address": "192.0.2.25"}}
FAILOVER = {
    "sender": "relay",
    "recipient": "drill@drill.example.org",
    "preferred": {"address": "192.0.2.25"},
    "fallback": {"address": "192.0.2.26"},
}
BOUNCE = {"sender": "relay", "recipient": "nobody@example.org", "mailbox": "inbox"}
REJECTION = {"sender": "relay", "recipient": "probe@example.org", "checks": ["relay"]}


def complaint(model, **settings):
    """What is said of settings; nothing where they are well."""
    try:
        model.model_validate(settings)
    except ValidationError as error:
        return "; ".join(each["msg"] for each in error.errors())
    return ""


def test_nothing_is_a_drill_by_default():
    assert Drills().by_name == {}
    assert Drills().lab is False


def test_the_defaults_of_each_kind_are_allowed():
    section = {
        "bounce": {"a": BOUNCE},
        "retry": {"b": RETRY},
        "failover": {"c": FAILOVER},
        "rejection": {"d": REJECTION},
    }
    assert list(Drills.model_validate(section).by_name) == ["a", "b", "c", "d"]


def test_one_name_is_one_drill():
    assert "two drills have the name 'x'" in complaint(Drills, bounce={"x": BOUNCE}, retry={"x": RETRY})


@pytest.mark.parametrize("local", ["a" * 16, "a+b"])
def test_the_recipient_has_room_for_the_tag(local):
    assert "room for 15 characters" in complaint(RetryDrill, **{**RETRY, "recipient": f"{local}@example.org"})


def test_a_failover_needs_two_places():
    one = {"address": "192.0.2.25"}
    assert "different places" in complaint(FailoverDrill, **{**FAILOVER, "fallback": one})
    assert complaint(FailoverDrill, **{**FAILOVER, "fallback": {**one, "port": 26}}) == ""


@pytest.mark.parametrize("mode", ["refuse", "unavailable", "defer", "silent", "tarpit"])
def test_the_preferred_one_fails_in_five_ways(mode):
    assert complaint(FailoverDrill, **FAILOVER, mode=mode) == ""


@pytest.mark.parametrize("number", [0, 11])
def test_as_many_deferrals_as_a_metric_has_room_for(number):
    assert complaint(RetryDrill, **RETRY, deferrals=number)


@pytest.mark.parametrize("check", ["forged_from", "forged_sender"])
def test_a_forged_check_needs_an_address(check):
    settings = {**REJECTION, "checks": [check]}
    assert "needs a forged_address" in complaint(RejectionDrill, **settings)
    assert complaint(RejectionDrill, **settings, forged_address="chief@example.org") == ""


def test_checks_are_named_once_and_known():
    assert complaint(RejectionDrill, **{**REJECTION, "checks": []})
    assert "named twice" in complaint(RejectionDrill, **{**REJECTION, "checks": ["relay", "relay"]})
    assert "is no check" in complaint(RejectionDrill, **REJECTION, expected={"spam": "550"})


@pytest.mark.parametrize(
    ("codes", "is_right"),
    [("550", True), ("5", True), ("450 550 554", True), ("250", False), ("5xx", False), ("", False)],
)
def test_expected_codes_are_refusals(codes, is_right):
    assert (complaint(RejectionDrill, **REJECTION, expected={"relay": codes}) == "") is is_right

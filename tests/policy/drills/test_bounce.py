"""How mail to nobody came back: in time, with a status, to a mailbox; or not."""

from dataclasses import replace

import pytest

from smtp_probe.model import Disposition, Failure, OutcomeKind, Reply, Submission
from smtp_probe.policy.drills.bounce import (
    BounceTerms,
    has_status,
    is_about_recipient,
    judge_bounce,
    refused_at_once,
)
from tests.report.samples import make_bounce, make_outcome

TERMS = BounceTerms(mailbox="inbox", deadline_seconds=900, expected_status=("5.1", "5.4.1"))
BOUNCE = make_bounce(action="failed", status="5.1.1")
BOUNCED = replace(make_outcome(OutcomeKind.BOUNCED), bounce=BOUNCE, arrival=None, was_overdue=False)


def found(outcome, terms=TERMS):
    return [(finding.check, finding.severity.value) for finding in judge_bounce(outcome, terms)]


def test_a_bounce_in_time_with_its_status_is_well():
    assert BOUNCE.location.mailbox == "inbox"
    assert found(BOUNCED) == []


def test_one_that_has_not_come_or_came_late_is_missing():
    assert found(None) == [("drill_bounce_missing", "error")]
    assert found(replace(BOUNCED, was_overdue=True)) == [("drill_bounce_missing", "error")]


@pytest.mark.parametrize("status", ["5.7.1", "4.4.1", None, "5.10.1"])
def test_another_status_is_wrong(status):
    assert found(replace(BOUNCED, bounce=replace(BOUNCE, status=status))) == [
        ("drill_bounce_status", "error")
    ]


def test_a_bounce_in_another_mailbox_went_astray():
    assert found(BOUNCED, replace(TERMS, mailbox="second")) == [("drill_bounce_astray", "error")]


def test_a_message_that_is_delivered_has_a_recipient():
    delivered = make_outcome(OutcomeKind.DELIVERED)
    assert found(delivered) == [("drill_bounce_delivered", "error")]


def test_a_refusal_at_once_is_told_with_its_reply():
    failure = Failure(
        stage="rcpt", cause="reply_permanent", reply=Reply(code=550, enhanced="5.1.1", text="no")
    )
    finding = refused_at_once(replace(BOUNCED, failure=failure))
    assert finding.check == "drill_bounce_refused"
    assert "550 5.1.1 no" in finding.message


@pytest.mark.parametrize(
    ("status", "expected", "is_one"),
    [
        ("5.1.1", ("5.1",), True),
        ("5.1.1", ("5.1.1",), True),
        ("5.11.1", ("5.1",), False),
        (None, ("5",), False),
    ],
)
def test_a_status_is_compared_part_by_part(status, expected, is_one):
    assert has_status(status, expected) is is_one


@pytest.mark.parametrize(
    ("stage", "enhanced", "is_about_it"),
    [
        ("rcpt", "5.1.1", True),
        ("accept", "5.1.10", True),
        ("rcpt", None, True),
        ("mail", None, False),
        ("rcpt", "5.7.1", False),
        ("rcpt", "5.1.8", False),
    ],
)
def test_a_refusal_may_be_about_something_else(stage, enhanced, is_about_it):
    failure = Failure(stage=stage, cause="reply_permanent", reply=Reply(code=550, enhanced=enhanced))
    refused = Submission(disposition=Disposition.REFUSED, started_ns=0, failure=failure)
    assert is_about_recipient(refused) is is_about_it
    assert not is_about_recipient(replace(refused, disposition=Disposition.DEFERRED))

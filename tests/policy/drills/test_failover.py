"""How long a failover took, and whether there was one; strangers at the door do not count."""

import pytest

from smtp_probe.model import Desk, DrillAttempt
from smtp_probe.policy.drills.failover import FailoverTerms, judge_failover

NS = 10**9
SERVER, STRANGER = "192.0.2.1", "203.0.113.9"
TERMS = FailoverTerms(mode="silent", deadline_seconds=3600, maximum_seconds=600, shows_contact=True)
REFUSING = FailoverTerms(mode="refuse", deadline_seconds=3600, maximum_seconds=600, shows_contact=False)


def at(seconds, desk=Desk.PREFERRED, peer=SERVER):
    return DrillAttempt(at_ns=round((1000 + seconds) * NS), desk=desk, peer=peer)


def judged(*attempts, terms=TERMS, has_arrived=True):
    result = judge_failover(attempts, 1000 * NS, has_arrived=has_arrived, terms=terms)
    return result, [(finding.check, finding.severity.value) for finding in result.findings]


def test_the_time_runs_from_the_first_contact():
    result, found = judged(at(1), at(2), at(31.5, Desk.FALLBACK))

    assert (result.seconds, result.is_from_contact, found) == (30.5, True, [])


def test_where_no_contact_can_be_seen_it_runs_from_the_final_dot():
    result, found = judged(at(2, Desk.FALLBACK), terms=REFUSING)

    assert (result.seconds, result.is_from_contact, found) == (2.0, False, [])


def test_a_stranger_begins_no_failover():
    result, found = judged(at(1, peer=STRANGER), at(20), at(50, Desk.FALLBACK))
    assert (result.seconds, found) == (30.0, [])


@pytest.mark.parametrize(
    "attempts",
    [
        (at(1, Desk.FALLBACK),),
        (at(1, Desk.FALLBACK), at(2)),
        (at(1, peer=STRANGER), at(50, Desk.FALLBACK)),
    ],
)
def test_where_the_preferred_one_was_not_tried_first_there_was_no_failover_to_see(attempts):
    result, found = judged(*attempts)
    assert (result.seconds, found) == (None, [])
    assert "without trying the preferred one" in result.unobserved


def test_a_failover_may_be_too_slow():
    result, found = judged(at(0), at(601, Desk.FALLBACK))
    assert (result.seconds, found) == (601.0, [("drill_failover_slow", "warning")])


@pytest.mark.parametrize("attempts", [(), (at(1), at(61))])
def test_mail_that_does_not_come_is_an_error(attempts):
    result, found = judged(*attempts, has_arrived=False)
    assert (result.seconds, found) == (None, [("drill_failover_missing", "error")])


def test_a_server_that_comes_and_does_not_deliver_is_an_error():
    _, found = judged(at(1), at(2, Desk.FALLBACK), has_arrived=False)
    assert found == [("drill_failover_undelivered", "error")]

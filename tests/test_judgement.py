"""The policy table: each row, and each pair of orders in which things can become known."""

from dataclasses import replace

import pytest

from smtp_probe.judgement import Overdue, Wait, judge
from smtp_probe.model import (
    Arrival,
    Bounce,
    Disposition,
    Evidence,
    Failure,
    Location,
    Outcome,
    OutcomeKind,
    Placement,
    Probe,
    Stamp,
    Submission,
)

NS = 1_000_000_000
DOT = 1_790_000_000 * NS
DEADLINE, GIVE_UP = 60.0, 600.0
HERE = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=7)


def at(seconds):
    return DOT + round(seconds * NS)


def probe(bounce_mailbox=None):
    return Probe(
        probe_id="p1", route="r", sequence=1, sender="s", mailbox="inbox", bounce_mailbox=bounce_mailbox,
        recipient="u@example.test", scheduled_ns=DOT - NS, created_ns=DOT - NS, deadline_seconds=DEADLINE,
        give_up_after_seconds=GIVE_UP,
    )  # fmt: skip


def submission(disposition=Disposition.ACCEPTED):
    failure = None if disposition is Disposition.ACCEPTED else Failure(stage="rcpt", cause="x")
    return Submission(disposition=disposition, started_ns=DOT - NS, final_dot_ns=DOT, failure=failure)


def arrival(stored, placement=Placement.INBOX):
    return Arrival(
        location=HERE, placement=placement, seen_ns=at(stored + 0.1), stored_ns=at(stored), stamp=Stamp.GUID,
        stamp_resolution_seconds=1e-6,
    )  # fmt: skip


def evidence(now, **facts):
    facts.setdefault("submission", submission())
    facts.setdefault("covered_ns", at(now))
    return Evidence(probe=probe(), now_ns=at(now), **facts)


def kind(judgement):
    assert isinstance(judgement, Outcome), judgement
    return judgement.kind


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (Disposition.REFUSED, OutcomeKind.REFUSED),
        (Disposition.DEFERRED, OutcomeKind.DEFERRED),
        (Disposition.UNREACHABLE, OutcomeKind.UNREACHABLE),
        (Disposition.UNOBSERVED, OutcomeKind.UNOBSERVED),
    ],
)
def test_a_message_that_was_not_handed_over_ends_at_once(disposition, expected):
    judged = judge(evidence(0.1, submission=submission(disposition)))

    assert kind(judged) is expected
    assert judged.failure == submission(disposition).failure


@pytest.mark.parametrize("disposition", [Disposition.ACCEPTED, Disposition.UNCERTAIN])
def test_an_accepted_or_uncertain_message_is_waited_for(disposition):
    assert judge(evidence(1, submission=submission(disposition))) == Wait(at(DEADLINE))


def test_an_arrival_in_time_is_delivered_with_the_latency_from_the_final_dot():
    judged = judge(evidence(5, arrival=arrival(4.5)))

    assert kind(judged) is OutcomeKind.DELIVERED
    assert judged.failure is None
    assert judged.delivery_seconds == 4.5


def test_a_message_in_the_junk_folder_is_junked():
    assert kind(judge(evidence(5, arrival=arrival(4, Placement.JUNK)))) is OutcomeKind.JUNKED


def test_a_message_in_quarantine_is_junked_too():
    assert kind(judge(evidence(5, arrival=arrival(4, Placement.OTHER)))) is OutcomeKind.JUNKED


def test_a_route_may_say_that_junk_is_no_failure():
    lenient = Evidence(
        probe=replace(probe(), junk_is_failure=False), now_ns=at(5), submission=submission(),
        arrival=arrival(4, Placement.JUNK),
    )  # fmt: skip

    judged = judge(lenient)

    assert (kind(judged), judged.failure) == (OutcomeKind.JUNKED, None)


def test_a_bounce_ends_a_probe_long_before_its_deadline():
    bounce = Bounce(location=HERE, seen_ns=at(2), action="failed", status="5.1.1", diagnostic="unknown user")

    judged = judge(evidence(2, bounce=bounce))

    assert kind(judged) is OutcomeKind.BOUNCED
    assert judged.failure.detail == "5.1.1 unknown user"


def test_a_delay_notice_is_no_end():
    notice = Bounce(location=HERE, seen_ns=at(2), action="delayed", status="4.4.1")

    assert judge(evidence(2, bounce=notice)) == Wait(at(DEADLINE))


def test_silence_in_full_view_is_overdue_at_the_deadline():
    assert judge(evidence(60)) == Overdue()


def test_silence_out_of_view_is_not_judged():
    judged = judge(evidence(60, covered_ns=at(59.9)))

    assert isinstance(judged, Wait)
    assert judged.until_ns > at(60)


def test_a_mailbox_never_seen_makes_the_probe_unobserved_and_not_lost():
    assert kind(judge(evidence(2 * GIVE_UP, covered_ns=None))) is OutcomeKind.UNOBSERVED


def test_what_was_stored_in_time_is_delivered_however_late_it_was_seen():
    assert kind(judge(evidence(500, covered_ns=at(10), arrival=arrival(20)))) is OutcomeKind.DELIVERED


def test_what_was_stored_after_the_deadline_is_late_though_never_called_overdue():
    assert kind(judge(evidence(500, covered_ns=at(10), arrival=arrival(61)))) is OutcomeKind.LATE


def test_an_overdue_probe_waits_for_its_true_end():
    assert judge(evidence(61, overdue=True)) == Wait(at(GIVE_UP))


@pytest.mark.parametrize("placement", [Placement.INBOX, Placement.JUNK])
def test_an_overdue_probe_that_arrives_is_late(placement):
    judged = judge(evidence(100, overdue=True, arrival=arrival(99, placement)))

    assert kind(judged) is OutcomeKind.LATE
    assert judged.was_overdue
    assert judged.delivery_seconds == 99


def test_an_overdue_probe_that_bounces_is_bounced():
    bounce = Bounce(location=HERE, seen_ns=at(100), action="failed")

    assert kind(judge(evidence(100, overdue=True, bounce=bounce))) is OutcomeKind.BOUNCED


def test_an_overdue_probe_is_lost_when_given_up_in_full_view():
    assert kind(judge(evidence(600, overdue=True))) is OutcomeKind.LOST


def test_a_probe_that_is_lost_beside_a_full_mailbox_says_so():
    judged = judge(evidence(600, overdue=True, no_room="the bounce mailbox has no room"))

    assert kind(judged) is OutcomeKind.LOST
    assert judged.failure.detail == "the bounce mailbox has no room"


def test_an_overdue_probe_is_not_lost_while_the_mailbox_is_out_of_view():
    judged = judge(evidence(601, overdue=True, covered_ns=at(300)))

    assert isinstance(judged, Wait)


def test_a_probe_cut_short_by_our_own_end_that_does_not_arrive_is_our_gap():
    cut = Evidence(probe=probe(), now_ns=at(60), covered_ns=at(60))

    assert kind(judge(cut)) is OutcomeKind.UNOBSERVED


def test_a_probe_cut_short_by_our_own_end_that_arrives_is_delivered_without_a_latency():
    judged = judge(Evidence(probe=probe(), now_ns=at(6), covered_ns=at(6), arrival=arrival(5)))

    assert kind(judged) is OutcomeKind.DELIVERED
    assert judged.delivery_seconds is None


def test_an_arrival_and_a_bounce_known_at_once_count_as_arrived():
    bounce = Bounce(location=HERE, seen_ns=at(2), action="failed")

    assert kind(judge(evidence(3, arrival=arrival(2), bounce=bounce))) is OutcomeKind.DELIVERED


def found_after_an_outage(stored, earliest):
    """What is seen when the mailbox is in view again: it came at some time in between."""
    return replace(arrival(stored), stamp=Stamp.SEEN, earliest_ns=at(earliest))


def test_an_arrival_that_may_have_been_in_time_is_not_called_late():
    judged = judge(evidence(90, arrival=found_after_an_outage(90, 50), covered_ns=at(50)))

    assert kind(judged) is OutcomeKind.UNOBSERVED
    assert judged.failure == Failure(stage="mailbox", cause="mailbox_unwatched")
    assert judged.arrival is not None
    assert judged.delivery_seconds is None


def test_an_arrival_after_the_deadline_is_late_when_it_was_not_there_at_the_deadline():
    assert kind(judge(evidence(90, arrival=found_after_an_outage(90, 61)))) is OutcomeKind.LATE


def test_an_overdue_arrival_is_late_whatever_is_known_of_its_store():
    late = judge(evidence(90, arrival=found_after_an_outage(90, 10), overdue=True))

    assert kind(late) is OutcomeKind.LATE
    assert late.delivery_seconds is None


def test_an_arrival_during_an_outage_before_the_deadline_is_delivered_without_a_latency():
    judged = judge(evidence(30, arrival=found_after_an_outage(30, 5)))

    assert kind(judged) is OutcomeKind.DELIVERED
    assert judged.delivery_seconds is None


def test_a_short_gap_in_the_view_leaves_the_latency_known():
    assert judge(evidence(30, arrival=found_after_an_outage(30, 29.5))).delivery_seconds == 30.0


def test_nothing_is_lost_while_a_bounce_may_be_waiting_out_of_view():
    unseen = replace(evidence(601, overdue=True), probe=probe("bounces"))
    judged = judge(replace(unseen, bounces_covered_ns=at(300)))

    assert judged == Wait(at(2 * GIVE_UP), view_ns=at(GIVE_UP), with_bounces=True)
    assert kind(judge(replace(unseen, bounces_covered_ns=at(600)))) is OutcomeKind.LOST
    impatient = replace(unseen, now_ns=at(2 * GIVE_UP), bounces_covered_ns=at(300))
    assert kind(judge(impatient)) is OutcomeKind.UNOBSERVED


def test_a_deadline_does_not_wait_for_the_mailbox_of_the_bounces():
    due = replace(evidence(60), probe=probe("bounces"))

    assert isinstance(judge(due), Overdue)
    assert judge(replace(due, covered_ns=at(30))) == Wait(at(2 * GIVE_UP), view_ns=at(DEADLINE))


def test_a_message_whose_dot_was_cut_by_our_own_end_is_our_gap_when_it_does_not_arrive():
    cut = replace(submission(Disposition.UNCERTAIN), failure=Failure(stage="accept", cause="shutdown"))

    assert kind(judge(evidence(61, submission=cut))) is OutcomeKind.UNOBSERVED
    delivered = judge(evidence(6, submission=cut, arrival=arrival(5)))
    assert (kind(delivered), delivered.delivery_seconds) == (OutcomeKind.DELIVERED, 5.0)


def test_who_takes_a_probe_up_late_waits_for_a_first_look():
    asked = {"covered_ns": None, "taken_up_ns": at(5 * GIVE_UP)}
    assert isinstance(judge(evidence(5 * GIVE_UP + 1, **asked)), Wait)
    assert kind(judge(evidence(5 * GIVE_UP + 60, **asked))) is OutcomeKind.UNOBSERVED
    assert kind(judge(evidence(5 * GIVE_UP + 60, covered_ns=None))) is OutcomeKind.UNOBSERVED


@pytest.mark.parametrize("is_overdue", [False, True])
def test_a_mailbox_that_is_being_read_is_waited_for_whatever_the_time(is_overdue):
    asked = {"covered_ns": None, "overdue": is_overdue}
    judged = judge(evidence(3 * GIVE_UP, is_being_looked_into=True, **asked))

    assert isinstance(judged, Wait)
    assert at(3 * GIVE_UP) < judged.until_ns <= at(3 * GIVE_UP + 1)
    assert kind(judge(evidence(3 * GIVE_UP, **asked))) is OutcomeKind.UNOBSERVED

"""The second of a stamp that tells only its fraction: settled where all that is known leaves one, and never guessed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.facts import ClockLimits, ClockStamp, HopStamp
from smtp_probe.mail.clocks.settling import settle_seconds
from smtp_probe.mail.clocks.state import ClockState
from tests.mail.clocks.chain import NAMES, SECOND_NS, Path, hop_errors_ns, make_hosts
from tests.mail.clocks.samples import MS, dialogue, hop, observe_chain, stamp

LIMITS = ClockLimits()


def shorten(each, gap_ns):
    """A stamp as a short Postfix id tells it, and as it is inferred: in the second of the date, `gap` before it."""
    fine = each.stamp
    mail_ns = fine.at_ns - gap_ns
    date_ns = mail_ns - mail_ns % SECOND_NS
    guess_ns = date_ns + fine.at_ns % SECOND_NS
    date = ClockStamp(domain=fine.domain, at_ns=date_ns, resolution_ns=SECOND_NS, event="mail")
    return replace(each, stamp=replace(fine, at_ns=guess_ns, event="rcpt"), date=date)


def run(places, passage_seconds, probes=60, seed=1):
    """Let probes pass whose hops at these places have short ids; give each journey with its reading.

    Most of the passage to such a hop lies between its MAIL and its RCPT, as where a policy server takes its time.
    """
    medians = [passage_seconds if place + 1 in places else 0.05 for place in range(3)]
    path = Path(make_hosts(), seed, medians_seconds=(*medians, 0.01), sigma=0.3)
    state, rng = ClockState(), random.Random(seed)
    told = []
    for _ in range(probes):
        journey = path.send()
        hops = list(journey.observation.hops)
        for place in places:
            passage_ns = journey.event_ns[place] - max(journey.event_ns[place - 1], journey.dot_ns)
            hops[place] = shorten(hops[place], round(passage_ns * rng.uniform(0.5, 0.95)))
        journey.observation = replace(journey.observation, hops=tuple(hops))
        state, reading = update(state, journey.observation)
        told.append((journey, reading))
    return told


@pytest.mark.parametrize("passage_seconds", [0.005, 0.3, 1.4])
def test_a_recipient_that_was_taken_late_makes_no_step_and_no_false_bound(passage_seconds):
    told = run(places=(1, 2), passage_seconds=passage_seconds)

    assert not [step for _, reading in told for step in reading.steps]
    assert not [name for _, reading in told for name in reading.doubted]
    for journey, reading in told:
        # Durations are left out: a hop ends at MAIL where the date is used, and the truth is that of RCPT.
        pairs = [(each.offset, journey.offset_ns[each.domain]) for each in reading.offsets]
        pairs.append((reading.stored, journey.event_ns[-1]))
        assert all(estimate.lower_ns <= truth <= estimate.upper_ns for estimate, truth in pairs)
        assert sum(hop.duration.value_ns for hop in reading.hops) == reading.delivery.value_ns


def test_what_is_settled_is_nearly_as_good_as_a_whole_stamp():
    told = run(places=(1, 2), passage_seconds=0.3)

    errors = sorted(
        error for journey, reading in told[30:] for error in hop_errors_ns(journey, reading)[1:-1]
    )
    assert errors[len(errors) // 2] < 50 * MS


@pytest.mark.parametrize(("date_ms", "guess_ms", "right_ms"), [(-1000, -500, -500), (-1000, -995, 5)])
def test_our_dialogue_settles_the_second_of_the_server_we_spoke_to(date_ms, guess_ms, right_ms):
    """Its clock is unknown; but MAIL and RCPT were as far apart as we saw them, in its clock as well."""
    # MAIL was at -30 to -20 ms and RCPT at -12 to -10 ms of ours, 8 to 20 ms later.
    talk = dialogue(connect=-50, mail=-30, mail_reply=-20, rcpt=-12, rcpt_reply=-10, data=-9, accepted=5)
    observation = observe_chain(
        HopStamp(label="a", stamp=stamp("a", guess_ms, event="rcpt"), date=date_of(date_ms)),
        hop("b", 50, resolution_ms=1000),
        seen_ms=5000,
        talk=talk,
    )

    settled = settle_seconds(ClockState(), observation, LIMITS)

    assert settled.hops[0].stamp == stamp("a", right_ms, event="rcpt")


def date_of(at_ms):
    return stamp("a", at_ms, resolution_ms=1000, event="mail")


def test_where_two_seconds_fit_the_date_is_used():
    """Nothing is known of the clock of the second hop, and the message took long."""
    second = HopStamp(label="a", stamp=stamp("a", 250, event="rcpt"), date=date_of(0))
    observation = observe_chain(hop("b", 0), second, seen_ms=5000)

    assert settle_seconds(ClockState(), observation, LIMITS).hops[1].stamp == date_of(0)


def test_a_later_stamp_of_the_same_host_settles_it():
    second = HopStamp(label="a", stamp=stamp("a", 250, event="rcpt"), date=date_of(0))
    observation = observe_chain(hop("b", 0), second, hop("a", 900), seen_ms=5000)

    assert settle_seconds(ClockState(), observation, LIMITS).hops[1].stamp == stamp("a", 250, event="rcpt")


def test_a_message_without_such_stamps_is_left_as_it_is():
    observation = observe_chain(hop("a", 0), hop("b", 40))

    assert settle_seconds(ClockState(), observation, LIMITS) is observation


def test_a_clock_that_was_set_is_found_also_by_its_dates():
    machines = make_hosts()
    machines[1].steps = {30: 5.0}
    path, state = Path(machines, 3), ClockState()
    steps = []
    for _ in range(40):
        journey = path.send()
        hops = list(journey.observation.hops)
        hops[1] = shorten(hops[1], SECOND_NS // 5)
        state, reading = update(state, replace(journey.observation, hops=tuple(hops)))
        steps += reading.steps
    assert [step.domain for step in steps] == [NAMES[1]]
    assert steps[0].shift.lower_ns <= 5 * SECOND_NS <= steps[0].shift.upper_ns

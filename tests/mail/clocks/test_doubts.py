"""Contradictions: which clock comes into doubt, and how the doubt ends."""

import random
import time
from dataclasses import replace

from smtp_probe.mail.clocks.doubts import judge, open_case
from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.events import REFERENCE
from smtp_probe.mail.clocks.facts import ClockLimits
from smtp_probe.mail.clocks.learning import learn
from smtp_probe.mail.clocks.state import ClockState
from tests.mail.clocks.chain import Host, Path
from tests.mail.clocks.samples import EXACT, MS, chain_of, hop, stamp

LIMITS = ClockLimits(looseness_ns=0, drift_ppm=0.0, step_ns=20 * MS)
MINUTE_MS = 60_000


class Observer:
    """Sends the same message every minute over a, b and c, whose clocks are ahead by 1, 2 and 3 s."""

    def __init__(self, probes=0):
        self.state = ClockState()
        self.number = 0
        for _ in range(probes):
            self.send()

    def send(self, *, a=0.0, b=0.0, c=0.0, at=(-5, 20, 60), seen=100, order=(0, 1, 2)):
        """`a`, `b`, `c`: how far each clock is from where it was, in milliseconds."""
        later = self.number * MINUTE_MS
        self.number += 1
        hops = [
            hop("a", at[0] + later + 1000 + a, event="rcpt"),
            hop("b", at[1] + later + 2000 + b),
            hop("c", at[2] + later + 3000 + c),
        ]
        chain = chain_of(*(hops[index] for index in order), seen_ms=seen, later_ms=later)
        verdict = judge(self.state, chain, LIMITS)
        self.state = learn(verdict, LIMITS)
        return verdict


def test_messages_that_agree_raise_no_doubt():
    verdict = Observer(probes=3).send()

    assert verdict.ignored == frozenset()
    assert verdict.steps == ()


def test_a_clock_that_was_set_comes_into_doubt_and_is_reported_by_the_second_message():
    observer = Observer(probes=3)

    first = observer.send(b=5000)
    second = observer.send(b=5000)
    third = observer.send(b=5000)

    assert (first.ignored, first.steps) == ({"b"}, ())
    assert second.ignored == frozenset()
    assert [step.domain for step in second.steps] == ["b"]
    shift = second.steps[0].shift
    assert shift.lower_ns <= 5000 * MS <= shift.upper_ns
    assert abs(shift.value_ns - 5000 * MS) < 50 * MS
    assert (third.ignored, third.steps) == (frozenset(), ())


def test_a_step_is_dated_to_the_first_message_that_met_it():
    observer = Observer(probes=3)
    first = observer.send(c=-5000)

    step = observer.send(c=-5000).steps[0]

    assert step.at_ns == first.case.since_ns


def test_one_message_that_lies_is_no_step_and_costs_no_memory():
    observer = Observer(probes=3)
    before = observer.state.bound(REFERENCE, "b").settled

    lie = observer.send(b=5000)
    after = observer.send()

    assert lie.ignored == {"b"}
    assert (after.ignored, after.steps) == (frozenset(), ())
    assert observer.state.bound(REFERENCE, "b").settled == before
    assert observer.state.bound(REFERENCE, "b").doubted == ()


def test_lines_in_the_wrong_order_are_no_step():
    observer = Observer(probes=3)

    shuffled = observer.send(order=(0, 2, 1), at=(-5, 20, 90), seen=110)
    after = observer.send()

    assert shuffled.ignored
    assert (after.ignored, after.steps) == (frozenset(), ())


def test_a_message_that_fits_both_leaves_the_doubt():
    observer = Observer(probes=3)
    observer.send(b=5000)

    slow = observer.send(b=5000, at=(-5, 20, 9060), seen=9100)
    again = observer.send(b=5000)

    assert (slow.ignored, slow.steps) == ({"b"}, ())
    assert [step.domain for step in again.steps] == ["b"]


def test_a_clock_that_never_tells_the_same_time_is_never_reported():
    observer = Observer(probes=3)
    jumps = [observer.send(b=shift) for shift in range(5000, 105_000, 5000)]

    assert [verdict.steps for verdict in jumps] == [()] * len(jumps)
    assert sum(verdict.ignored == {"b"} for verdict in jumps) >= len(jumps) - 3


def test_all_clocks_at_once_are_our_own():
    observer = Observer(probes=3)

    first = observer.send(a=-700, b=-700, c=-700)
    second = observer.send(a=-700, b=-700, c=-700)

    assert first.ignored == {REFERENCE}
    assert [step.domain for step in second.steps] == [REFERENCE]
    assert second.steps[0].shift.lower_ns <= 700 * MS <= second.steps[0].shift.upper_ns


def test_two_clocks_can_be_set_at_once():
    observer = Observer(probes=3)

    first = observer.send(b=5000, c=-8000)
    second = observer.send(b=5000, c=-8000)

    assert first.ignored == {"b", "c"}
    assert {step.domain for step in second.steps} == {"b", "c"}


def test_a_small_correction_is_forgotten_and_not_reported():
    observer = Observer(probes=3)

    observer.send(a=15)
    second = observer.send(a=15)

    assert (second.ignored, second.steps) == (frozenset(), ())
    assert observer.send(a=15).ignored == frozenset()


def test_a_doubt_that_cannot_be_resolved_ends_without_a_step():
    observer = Observer(probes=3)
    observer.send(b=150)
    verdicts = [observer.send(b=150, at=(-5, 20, 9060), seen=9100) for _ in range(20)]

    assert all(verdict.steps == () for verdict in verdicts)
    assert verdicts[-1].ignored == frozenset()


def test_a_chain_that_contradicts_itself_loses_only_the_clock_that_does():
    chain = chain_of(
        hop("a", 1000, event="rcpt"), hop("b", 2000), hop("c", 3000), hop("b", 1990), store=stamp("c", 3040)
    )

    verdict = judge(ClockState(), chain, EXACT)

    assert verdict.case.chain.domains == (REFERENCE, "a", "c")
    assert [each.position for each in verdict.case.chain.unused] == [2, 4]


def test_a_chain_in_which_every_clock_contradicts_another_keeps_no_stamp():
    """b fits a, and c fits a; b and c do not fit each other between the stamps of a."""
    chain = chain_of(
        hop("a", 0, event="rcpt"),
        hop("b", 0),
        hop("c", 0),
        hop("b", 30),
        hop("c", 30),
        hop("a", 20),
        hop("b", 60),
    )

    verdict = judge(ClockState(), chain, EXACT)

    assert verdict.solution is not None
    assert {each.reason for each in verdict.case.chain.unused} >= {"contradictory"}


def test_a_second_hop_inside_our_dialogue_is_a_proxy_and_no_contradiction():
    """The content filter in front of the queue talks on while we do: on one host that is certain."""
    chain = chain_of(hop("a", -7, event="mail"), hop("a", -3, event="mail"), store=stamp("m", 50))

    verdict = judge(ClockState(), chain, EXACT)

    assert verdict.case.chain.unused == ()
    assert verdict.solution.instants[0][2] < 0


def test_our_own_clock_does_not_drift_against_itself():
    case = open_case(chain_of(hop("a", 0)), ClockLimits(drift_ppm=100.0))

    assert [round(growth * 1e6) for growth in case.growths] == [0, 100]


def test_a_long_chain_of_lies_does_not_hold_up_the_program():
    """Sixty-four hosts that contradict each other and all that was known of them: it took five seconds once."""
    dice, state = random.Random(5), ClockState()
    names = [f"h{number}.example" for number in range(64)]
    path = Path(
        [Host(name, "mail", number) for number, name in enumerate(names)], medians_seconds=(0.02,) * 64
    )
    for _ in range(2):
        observation = path.send().observation
        hops = [
            replace(hop, stamp=replace(hop.stamp, at_ns=hop.stamp.at_ns + dice.randint(-(10**14), 10**14)))
            for hop in observation.hops
            if hop.stamp is not None
        ]
        dice.shuffle(hops)
        started = time.process_time()
        state, reading = update(state, replace(observation, hops=hops))
        assert time.process_time() - started < 2.0
        assert sum(hop.duration.value_ns for hop in reading.hops) == reading.delivery.value_ns

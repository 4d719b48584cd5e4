"""Clocks that contradict what is known of them: which one it is, and whether it was set.

In: a chain and the memory. Out: the solution of the two, and the memory after every doubt that this chain resolves.

A contradiction has one of two reasons: a clock was set, or this one message lies (a line in the wrong place, a wrong
stamp). One message cannot tell which. So the clock comes into doubt: its past is put aside, and what is observed from
then on is kept apart, until a later message fits only the one or only the other. Nobody is told of a step before that.
A contradiction is never covered up by moving a bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, isfinite

from smtp_probe.mail.clocks.chain_solution import Solution, observe, solve
from smtp_probe.mail.clocks.difference_constraints import Matrix, close
from smtp_probe.mail.clocks.events import REFERENCE, Chain
from smtp_probe.mail.clocks.facts import ClockLimits, ClockStep, Estimate
from smtp_probe.mail.clocks.state import ClockState, Moment, Trust, recall

_PATIENCE = 12
"""After so many messages that fit both the past and the new time, or neither, the past is given up without a step."""
_MANY_CLOCKS = 20
"""With more clocks in one chain nobody looks for the one that is wrong: it takes the fourth power of their number, and a
hostile host could write them.
"""
_MICROSECOND_NS = 1000
_TRUST_IN_REFERENCE = 2 / 3
"""Our own clock does not jump while it runs. It is suspected only where it has more than one quarrel."""


@dataclass(frozen=True, slots=True)
class Case:
    """One chain, and what it says by itself. `growths`: how fast each of its clocks may drift."""

    chain: Chain
    growths: tuple[float, ...]
    observed: Matrix

    @property
    def since_ns(self) -> int:
        """The first instant of the chain, on our clock."""
        return self.chain.origin_ns + int(self.chain.start)

    @property
    def now_ns(self) -> int:
        """The last instant of the chain, on our clock."""
        return self.chain.origin_ns + int(self.chain.end)

    def recall(self, state: ClockState, trust: Trust) -> Matrix:
        """What the memory says for certain of the clocks of this chain."""
        moment = Moment(self.since_ns, self.now_ns, (0.0,) * len(self.growths), self.growths)
        return recall(state, self.chain.domains, moment, trust)

    def solve(
        self,
        state: ClockState,
        ignored: frozenset[str] = frozenset(),
        on_trial: frozenset[str] = frozenset(),
    ) -> Solution | None:
        """Bring chain and memory together; None where they contradict each other."""
        history = self.recall(state, Trust(ignored, on_trial))
        return solve(self.chain, history, self.observed, self.growths)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How chain and memory agree. `ignored`: the clocks whose past is not used, since they are in doubt."""

    case: Case
    state: ClockState
    solution: Solution
    ignored: frozenset[str] = frozenset()
    steps: tuple[ClockStep, ...] = ()


def open_case(chain: Chain, limits: ClockLimits) -> Case:
    """Prepare a chain for being compared with the memory."""
    growths = tuple(0.0 if name == REFERENCE else limits.drift_ppm * 1e-6 for name in chain.domains)
    return Case(chain, growths, observe(chain, growths))


def judge(state: ClockState, chain: Chain, limits: ClockLimits) -> Verdict:
    """Bring a chain and the memory together, whatever they say. Each step is given once, when it is certain."""
    case = open_case(chain, limits)
    if not state.doubted(chain.domains):
        solution = case.solve(state)
        if solution is not None:
            return Verdict(case, state, solution)
    case = _make_coherent(case, limits)
    state, steps = _resolve_doubts(case, state)
    steps = tuple(each for each in steps if abs(each.shift.value_ns) >= limits.step_ns)
    ignored = state.doubted(case.chain.domains)
    solution = case.solve(state, ignored)
    while solution is None:
        ignored |= _find_culprits(case, state, ignored)
        solution = case.solve(state, ignored)
    return Verdict(case, _raise_doubts(case, state, ignored), solution, ignored, steps)


def _make_coherent(case: Case, limits: ClockLimits) -> Case:
    """Leave out of a chain that contradicts itself the clocks that do it."""
    chain = case.chain
    for candidate in (chain, chain.from_the_beginning()):
        case = open_case(candidate, limits)
        if _is_coherent(case):
            return case
    everything = frozenset(chain.domains)
    wrong = frozenset(
        name
        for name in chain.domains
        if name != REFERENCE and not _is_coherent(open_case(chain.without(everything - {name}), limits))
    )
    named = [each.domain for each in chain.events if each.domain is not None]
    repeated = frozenset(name for name in named if named.count(name) > 1)
    for dropped in (wrong, repeated, everything):
        case = open_case(chain.without(dropped), limits)
        if _is_coherent(case):
            break
    return case


def _is_coherent(case: Case) -> bool:
    return case.solve(ClockState()) is not None


def _resolve_doubts(case: Case, state: ClockState) -> tuple[ClockState, tuple[ClockStep, ...]]:
    """Compare the chain with the past, and with the new time, of each clock in doubt."""
    steps = []
    doubted = state.doubted(case.chain.domains)
    for name in sorted(doubted):
        others = doubted - {name}
        past = case.solve(state, others)
        new = case.solve(state, others, frozenset({name}))
        record = state.record(name)
        if past is not None and new is None:
            state = _end_doubt(state, name, is_past_right=True)
        elif new is not None and past is None:
            steps.append(_measure_step(case, state, name, new))
            state = _end_doubt(state, name, is_past_right=False)
        elif record.doubts >= _PATIENCE:
            state = _end_doubt(state, name, is_past_right=False)
        elif new is None:
            state = _forget_trial(state, name)
        doubted = state.doubted(doubted)
    return state, tuple(step for step in steps if step is not None)


def _measure_step(case: Case, state: ClockState, name: str, new: Solution) -> ClockStep | None:
    """Say by how much a clock was set: its offset now less its offset as the past would have it now."""
    past = case.recall(state, Trust(state.doubted(case.chain.domains) - {name}))
    if not close(past):
        return None
    place = case.chain.domains.index(name)
    places = range(1, len(past)) if name == REFERENCE else (place,)
    shifts = [_shift(new.offset_bounds(at), (-past[at][0], past[0][at])) for at in places]
    lower, upper = max(low for low, _ in shifts), min(high for _, high in shifts)
    if name == REFERENCE:
        # What all the others lose at once, our own clock has gained.
        lower, upper = -upper, -lower
    if not (isfinite(lower) and isfinite(upper)) or lower > upper:
        return None
    shift = Estimate(value_ns=round((lower + upper) / 2), lower_ns=floor(lower), upper_ns=ceil(upper))
    return ClockStep(domain=name, at_ns=state.record(name).doubted_ns, shift=shift)


def _shift(new: tuple[float, float], past: tuple[float, float]) -> tuple[float, float]:
    return new[0] - past[1], new[1] - past[0]


def _find_culprits(case: Case, state: ClockState, ignored: frozenset[str]) -> frozenset[str]:
    """Find the clock whose past contradicts the chain the most; all of them, where that cannot be found.

    Every pair of clocks of which chain and memory say opposite things is a quarrel of both. A clock that was set
    quarrels with all others.
    """
    domains = case.chain.domains
    if len(domains) > _MANY_CLOCKS:
        return frozenset(domains)
    known = case.recall(state, Trust(ignored))
    alone = case.solve(ClockState())
    if alone is None or not close(known):
        return frozenset(domains)
    quarrels = {name: 0.0 for name in domains if name not in ignored}
    for row, start in enumerate(domains):
        for column, end in enumerate(domains):
            gap = -(alone.offsets[row][column] + known[column][row])
            if gap > _MICROSECOND_NS and start in quarrels and end in quarrels:
                quarrels[start] += gap
                quarrels[end] += gap
    if REFERENCE in quarrels:
        quarrels[REFERENCE] *= _TRUST_IN_REFERENCE
    worst = max(quarrels, key=lambda name: quarrels[name])
    if quarrels[worst]:
        return frozenset({worst})
    helpful = (name for name in quarrels if case.solve(state, ignored | {name}) is not None)
    return frozenset({next(helpful, worst)})


def _raise_doubts(case: Case, state: ClockState, ignored: frozenset[str]) -> ClockState:
    """Note which clocks are in doubt now, and how many messages have met them since."""
    records = dict(state.records)
    for name in ignored:
        record = state.record(name)
        since_ns = record.doubted_ns if record.doubts else case.since_ns
        records[name] = replace(record, doubts=record.doubts + 1, doubted_ns=since_ns)
    return replace(state, records=records) if ignored else state


def _end_doubt(state: ClockState, name: str, *, is_past_right: bool) -> ClockState:
    """Join what was kept apart: nothing of it if the past is right, nothing of the past if it is not.

    What was observed between two clocks in doubt stays apart until the doubt of the other has ended too.
    """
    bounds = dict(state.bounds)
    for pair, bound in state.bounds.items():
        if name not in pair:
            continue
        other = pair[1] if pair[0] == name else pair[0]
        past = bound.settled if is_past_right else ()
        if state.record(other).doubts:
            bounds[pair] = replace(bound, settled=past)
        else:
            bounds[pair] = replace(bound, settled=past if is_past_right else bound.doubted, doubted=())
    records = {**state.records, name: replace(state.record(name), doubts=0, doubted_ns=0)}
    return replace(state, records=records, bounds=bounds)


def _forget_trial(state: ClockState, name: str) -> ClockState:
    bounds = {
        pair: replace(bound, doubted=()) if name in pair else bound for pair, bound in state.bounds.items()
    }
    return replace(state, bounds=bounds)

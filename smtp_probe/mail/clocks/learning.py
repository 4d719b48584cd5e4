"""Adding what one chain told to the memory.

In: a chain with what it says by itself, and which of its clocks are in doubt. Out: the memory with it. Only what was
observed is added, nothing that follows from it together with older observations: a mistake in those must not spread.
Neighbours on the way and our own clock are enough; the work and the memory grow with the length of the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from smtp_probe.mail.clocks.bounds import bound_at, tighten
from smtp_probe.mail.clocks.doubts import Case, Verdict
from smtp_probe.mail.clocks.drift import Drift, estimate_drift
from smtp_probe.mail.clocks.events import REFERENCE, Chain
from smtp_probe.mail.clocks.facts import ClockLimits
from smtp_probe.mail.clocks.state import ClockState, Moment


def learn(verdict: Verdict, limits: ClockLimits) -> ClockState:
    """Give the memory after this chain, within its bounds of size."""
    state = _learn_bounds(verdict, limits)
    return _learn_drift(verdict, state, limits).limited(limits.domains)


def expect(case: Case, state: ClockState, caution: float = 1.0) -> Moment:
    """How the distances most likely change: by the estimated drifts, give or take what is unknown of them."""
    drifts = [_find_drift(state, name) for name in case.chain.domains]
    growths = [each.uncertainty * caution for each in drifts]
    return Moment(case.since_ns, case.now_ns, [each.rate for each in drifts], growths)


def _learn_bounds(verdict: Verdict, limits: ClockLimits) -> ClockState:
    case, state = verdict.case, verdict.state
    domains = case.chain.domains
    places = {name: place for place, name in enumerate(domains)}
    steepest = 2 * limits.drift_ppm * 1e-6
    moment = expect(case, state)
    links = frozenset(case.chain.links)
    bounds = dict(state.bounds)
    for pair in _list_pairs(case.chain):
        row, column = places[pair[0]], places[pair[1]]
        observed = ceil(case.observed[row][column])
        bound = state.bound(*pair)
        if not verdict.ignored.isdisjoint(pair):
            bounds[pair] = bound.with_doubted(tighten(bound.doubted, case.since_ns, observed, steepest))
            continue
        settled = tighten(bound.settled, case.since_ns, observed, steepest)
        drift = moment.drifts[column] - moment.drifts[row]
        growth = moment.growths[column] + moment.growths[row]
        expected = bound_at(settled, case.now_ns, drift, growth) if pair in links else None
        bounds[pair] = bound.with_settled(settled, None if expected is None else observed - expected)
    records = dict(state.records)
    for name in domains:
        record = state.record(name)
        records[name] = record.met(case.now_ns)
    return ClockState(records, bounds)


def _list_pairs(chain: Chain) -> Iterator[tuple[str, str]]:
    for name in chain.domains[1:]:
        yield REFERENCE, name
        yield name, REFERENCE
    for start, end in dict.fromkeys(chain.links):
        if REFERENCE not in (start, end) and start != end:
            yield start, end


def _learn_drift(verdict: Verdict, state: ClockState, limits: ClockLimits) -> ClockState:
    """Estimate the drift of one of the chain's clocks anew: of the one whose turn it is."""
    names = [name for name in verdict.case.chain.domains[1:] if name not in verdict.ignored]
    if not names:
        return state
    name = min(names, key=lambda each: state.record(each).drift_ns)
    above, below = state.bound(REFERENCE, name).settled, state.bound(name, REFERENCE).settled
    now_ns = verdict.case.now_ns
    drift = estimate_drift(above, below, now_ns, limits.drift_ppm * 1e-6)
    return replace(
        state,
        records={**state.records, name: replace(state.record(name), drift=drift, drift_ns=now_ns)},
    )


def _find_drift(state: ClockState, name: str) -> Drift:
    return Drift(0.0, 0.0) if name == REFERENCE else state.record(name).drift

"""The offsets of the clocks on a message's way, and the time that each hop took, corrected by them.

In: the memory of all messages before, and one message that arrived, with its stamps and our own instants. Out: the
memory with it, and a reading. Pure: the caller keeps the memory. The reference is our monotonic clock.

What is used is causality alone: the first event lies in our dialogue, no hop comes before the one before it, the message
was stored before we saw it, stamps of one host are of one clock, and no clock drifts faster than so much. Each of these
bounds a difference of two numbers, and so do the tightest observations of the past, which widen as they age.

- **Bounds** follow from these and nothing else. They contain the truth as long as no clock exceeds its limits.
- **Best values** lie within the bounds. Of a hop in the middle, only the sum of the shortest passages to it and from it
  can be known, as with NTP. The sum is divided in the proportion in which the two passages vary: what takes long as a
  rule varies much. And they assume that clocks run as steadily as most do, which the bounds do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor

from smtp_probe.mail.clocks.chain_solution import Solution, observe, solve
from smtp_probe.mail.clocks.difference_constraints import Matrix, find_centre, intersect
from smtp_probe.mail.clocks.doubts import Case, Verdict, judge
from smtp_probe.mail.clocks.events import REFERENCE, Chain, read_chain
from smtp_probe.mail.clocks.facts import ChainObservation, ClockLimits, ClockOffset, ClockReading, Estimate
from smtp_probe.mail.clocks.hop_times import measure_hops
from smtp_probe.mail.clocks.learning import expect, learn
from smtp_probe.mail.clocks.settling import settle_seconds
from smtp_probe.mail.clocks.state import ClockState, Trust, recall

_USUAL_LIMITS = ClockLimits()
_LEAST_SPREAD_NS = 100_000.0
"""No passage is taken to vary less."""
_EQUAL_SHARE = 0.25
"""The part of what is divided that all passages get alike, as a share of how much they vary on average."""
_CAUTION = (1.0, 4.0)
"""How many times the expected uncertainty of the drifts is tried, before the limits themselves are taken."""


def update(
    state: ClockState, observation: ChainObservation, limits: ClockLimits = _USUAL_LIMITS
) -> tuple[ClockState, ClockReading]:
    """Learn from one message, and read its times. Never raises for what stamps say."""
    chain = read_chain(settle_seconds(state, observation, limits), limits)
    verdict = judge(state, chain, limits)
    learned = learn(verdict, limits)
    best = _refine(verdict, learned)
    return learned, _read(verdict, learned, best)


def _refine(verdict: Verdict, state: ClockState) -> Solution:
    """Tighten the solution by what is likely of the store and of the drifts, as far as that agrees with it."""
    case, certain = verdict.case, verdict.solution
    for chain, offsets in _list_likely(case, certain):
        for caution in _CAUTION:
            moment = expect(case, state, caution)
            likely = recall(state, chain.domains, moment, Trust(verdict.ignored))
            solution = solve(chain, likely, offsets, case.growths)
            if solution is not None:
                return solution
    return certain


def _list_likely(case: Case, certain: Solution) -> Iterator[tuple[Chain, Matrix]]:
    """Give what may be taken for granted, the most first: chains, and bounds on the offsets of their clocks.

    The mailbox did not have the message when it was asked for the last time without it. And its clock agrees with ours,
    as most do, where the caller says so: its stamp is then worth something from the first message on.
    """
    late = case.chain.with_late_store()
    bounds = (
        certain.offsets if late is case.chain else intersect(certain.offsets, observe(late, case.growths))
    )
    store = late.hops[-1].domain
    if store is not None and case.chain.is_store_believed:
        agreeing = [list(row) for row in bounds]
        place = late.domains.index(store)
        agreeing[0][place], agreeing[place][0] = min(agreeing[0][place], 0.0), min(agreeing[place][0], 0.0)
        yield late, agreeing
    yield late, bounds
    yield case.chain, certain.offsets


def _read(verdict: Verdict, state: ClockState, likely: Solution) -> ClockReading:
    chain, certain = verdict.case.chain, verdict.solution
    best = _find_best_instants(verdict, state, likely)
    hops = measure_hops(chain, certain.instants, best)
    delivery_ns = sum(hop.duration.value_ns for hop in hops)
    last = len(chain.hops)
    delivery = Estimate(
        value_ns=delivery_ns,
        lower_ns=min(floor(max(-certain.instants[last][0], 0.0)), delivery_ns),
        upper_ns=max(ceil(certain.instants[0][last]), delivery_ns),
    )
    return ClockReading(
        stored=Estimate(
            value_ns=chain.origin_ns + delivery.value_ns,
            lower_ns=chain.origin_ns + delivery.lower_ns,
            upper_ns=chain.origin_ns + delivery.upper_ns,
        ),
        delivery=delivery,
        hops=hops,
        offsets=_read_offsets(verdict, state, likely),
        steps=verdict.steps,
        doubted=tuple(sorted(verdict.ignored)),
        unused=chain.unused,
    )


def _find_best_instants(verdict: Verdict, state: ClockState, likely: Solution) -> list[float]:
    chain = verdict.case.chain
    spreads = _weigh_links(state, chain.links)
    if chain.hops[-1].domain is None:
        spreads = [*spreads, _LEAST_SPREAD_NS]
    others = [0.0] * len(chain.sightings)
    best = find_centre(likely.instants, [*spreads, *others], [spreads[-1], *spreads[:-1], *others])
    if chain.hops[-1].domain is None:
        best[len(chain.hops)] = chain.hops[-1].closes
    return best


def _read_offsets(verdict: Verdict, state: ClockState, likely: Solution) -> tuple[ClockOffset, ...]:
    chain = verdict.case.chain
    domains = chain.domains
    links = chain.links
    spreads = _weigh_links(state, links)
    leaving = {start: spread for (start, _), spread in zip(links, spreads, strict=True)}
    entering = {end: spread for (_, end), spread in zip(reversed(links), reversed(spreads), strict=True)}
    best = find_centre(
        likely.offsets,
        [leaving.get(name, 0.0) for name in domains],
        [entering.get(name, 0.0) for name in domains],
    )
    offsets = []
    for place, name in enumerate(domains):
        if name != REFERENCE:
            lower, upper = verdict.solution.offset_bounds(place)
            # What is bounded is a clock that none of the hosts may have: each is within so much of it.
            shared = max(each.shared for each in chain.events if each.domain == name)
            lower, upper = lower - shared, upper + shared
            value_ns = round(best[place])
            offset = Estimate(
                value_ns=value_ns, lower_ns=min(floor(lower), value_ns), upper_ns=max(ceil(upper), value_ns)
            )
            drift_ppm = state.record(name).drift.rate * 1e6
            offsets.append(ClockOffset(domain=name, offset=offset, drift_ppm=drift_ppm))
    return tuple(offsets)


def _weigh_links(state: ClockState, links: Sequence[tuple[str, str]]) -> list[float]:
    """How much each passage varies, and a part that is the same for all, since each has some least duration too.

    One of which nothing is known is taken to vary as the others do on average.
    """
    bounds = [state.bound(start, end) for start, end in links]
    known = [bound.spread_ns for bound in bounds if bound.samples > 1]
    usual = max(sum(known) / len(known), _LEAST_SPREAD_NS) if known else _LEAST_SPREAD_NS
    return [(bound.spread_ns if bound.samples > 1 else usual) + _EQUAL_SHARE * usual for bound in bounds]

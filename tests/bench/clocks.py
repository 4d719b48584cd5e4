"""The clocks against the truth: a simulated path whose offsets, drifts, steps and passages are scripted.

A row for each kind of stamp and number of probes, each over twenty seeds: the same numbers on every machine. The ends of
the way, which are measured on one clock, are left out. The whole table, case by case: `python -m tests.mail.clocks.table`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.mail.clocks.table import CASES, MOMENTS, SECONDS, Errors, measure, measure_step, percentile_ms

from .figures import Aim, Figure, Row, below
from .site import Site

_KINDS = (("sub-second stamps", CASES[0]), ("one-second stamps", CASES[7]))
_LAST = MOMENTS[-1]


def measure_clocks(site: Site) -> list[Row]:
    """Measure every kind of stamp, and how soon a step is found."""
    seeds = range(site.choose(20, 5))
    rows: list[Row] = []
    for name, case in _KINDS:
        site.say(f"clocks: {name}")
        outcome = measure(case, seeds)
        for moment, errors in outcome.errors.items():
            rows += _error_rows(f"{name}, {moment} probes", errors, _aims(name, moment))
        held = Figure.of("%", (100 * outcome.held,))
        rows.append(_row(f"{name}: bounds that contain the truth", held, at_least(99, "%")))
        assert not outcome.false_steps
    site.say("clocks: steps")
    return [*rows, *_step_rows(seeds)]


def at_least(limit: float, unit: str) -> Aim:
    """Our median has to reach a bound."""
    return Aim(f"at least {limit:g} {unit}", lambda row: row.ours.median >= limit)


def _aims(name: str, moment: int) -> tuple[Aim | None, Aim | None]:
    """For the median and the 95th percentile of the hops' errors."""
    if moment != _LAST:
        return None, None
    return (below(5, "ms"), below(25, "ms")) if name.startswith("sub") else (below(100, "ms"), None)


def _error_rows(name: str, errors: Errors, aims: tuple[Aim | None, Aim | None]) -> Iterator[Row]:
    for what, share, aim in (("median", 0.5, aims[0]), ("95th percentile", 0.95, aims[1])):
        yield _row(f"{name}: hop error, {what}", Figure.of("ms", (percentile_ms(errors.hops, share),)), aim)
    offset = Figure.of("ms", (percentile_ms(errors.offsets, 0.5),))
    yield _row(f"{name}: clock offset error, median", offset)
    bound = Figure.of("ms", (percentile_ms(errors.hop_bounds, 0.5),))
    yield _row(f"{name}: half width of a hop's bound, median", bound)


def _step_rows(seeds: range) -> Iterator[Row]:
    """A clock that is set by five seconds, each of the four hosts in turn."""
    for name, hosts in (("sub-second stamps", {}), ("one-second stamps", {"resolutions_ns": SECONDS})):
        runs = [measure_step(host, 5.0, hosts=hosts, seeds=seeds) for host in range(4)]
        found = [at for run in runs for at in run.found_after]
        soon = 100 * sum(at is not None and at <= 2 for at in found) / len(found)
        wrong = sum(run.wrong for run in runs)
        yield _row(
            f"{name}: steps of 5 s found within two probes, at the right host",
            Figure.of("%", (soon,)),
            at_least(100, "%"),
            note=f"{wrong} reported of another host",
        )


def _row(what: str, ours: Figure, aim: Aim | None = None, note: str = "") -> Row:
    return Row(benchmark="clocks", what=what, ours=ours, aim=aim, note=note)

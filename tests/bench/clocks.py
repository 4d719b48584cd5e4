"""The clocks against the truth: a simulated path whose offsets, drifts, steps and passages are scripted, and real servers
whose clocks are wrong.

Of the simulation there is a row for each kind of stamp and number of probes, each over twenty seeds: the same numbers on
every machine. The ends of the way, which are measured on one clock, are left out. The whole table, case by case:
`python -m tests.mail.clocks.table`. Of the servers of the lab, a Postfix that is 41 seconds slow and an Exim that is 7.3
seconds fast, every hop between two servers counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.acceptance.wrong_clocks import probe_wrong_clocks, read_truth
from tests.lab.wrong_clock import set_postfix_clock
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
    rows += _step_rows(seeds)
    site.say("clocks: real servers")
    return [*rows, *_server_rows(site)]


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


def _server_rows(site: Site) -> Iterator[Row]:
    """The first probe of each route, and those after so many."""
    most = site.choose(100, 20)
    with probe_wrong_clocks(site.lab, site.new_directory(), most) as daemon:
        told = list(read_truth(daemon))
    set_postfix_clock(site.lab, "relay", 0.0)
    site.lab.set_delay(0.0)
    for since, until in ((1, 1), (2, 10), (11, most)):
        hops = [hop for each in told if since <= each.number <= until for hop in each.hops[1:]]
        which = "first probe" if until == 1 else f"probes {since} to {until}"
        name = f"Postfix and Exim on wrong clocks, {which}"
        errors = Errors(hops=[hop.error_ns for hop in hops])
        aims = (below(5, "ms"), below(25, "ms")) if until == most else (None, None)
        for what, share, aim in (("median", 0.5, aims[0]), ("95th percentile", 0.95, aims[1])):
            yield _row(
                f"{name}: hop error, {what}", Figure.of("ms", (percentile_ms(errors.hops, share),)), aim
            )
    held = [hop.is_held for each in told for hop in each.hops]
    yield _row(
        "Postfix and Exim on wrong clocks: bounds that contain the truth",
        Figure.of("%", (100 * sum(held) / len(held),)),
        at_least(99, "%"),
        note=f"{len(told)} probes over three routes",
    )


def _row(what: str, ours: Figure, aim: Aim | None = None, note: str = "") -> Row:
    return Row(benchmark="clocks", what=what, ours=ours, aim=aim, note=note)

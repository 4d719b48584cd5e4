"""The proof that the clocks are estimated well, as a table: `python -m tests.mail.clocks.table`.

Every case is simulated anew for each seed, so the table is the same on every machine. An error is the distance of a
best value from the truth. The first hop is left out, since it ends in our dialogue and is known to be zero; so is the
last one, which is measured on one clock and known to the resolution of its stamps. What is left are the hops between
different clocks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from smtp_probe.mail.clocks.estimation import update
from smtp_probe.mail.clocks.facts import ClockReading
from smtp_probe.mail.clocks.state import ClockState
from tests.mail.clocks.chain import (
    MICROSECOND_NS,
    SECOND_NS,
    Host,
    Journey,
    Path,
    bounds_held,
    hop_errors_ns,
    make_hosts,
)

MOMENTS = (1, 10, 100)
SEEDS = range(20)
DRIFTS = (20.0, -20.0, 15.0, -10.0)
FAST_DRIFTS = (50.0, -50.0, 30.0, -40.0)
SECONDS = (SECOND_NS,) * 4
MIXED = (MICROSECOND_NS, MICROSECOND_NS, SECOND_NS, MICROSECOND_NS)


@dataclass(frozen=True)
class Case:
    name: str
    hosts: dict[str, Any] = field(default_factory=dict)
    path: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("sub-second stamps, a probe a minute"),
    Case("  the same, clocks drift by 20 ppm", {"drifts": DRIFTS}),
    Case("  the same, clocks drift by 50 ppm", {"drifts": FAST_DRIFTS}),
    Case("  the same, a probe each 5 s", path={"interval_seconds": 5}),
    Case("  the same, a probe each 5 minutes", path={"interval_seconds": 300}),
    Case("  passages that vary half as much", path={"sigma": 0.5}),
    Case("  passages that hardly vary", path={"sigma": 0.05}),
    Case(
        "one-second stamps, a probe a minute", {"resolutions_ns": SECONDS}, {"store_resolution_ns": SECOND_NS}
    ),
    Case(
        "  the same, clocks drift by 20 ppm",
        {"resolutions_ns": SECONDS, "drifts": DRIFTS},
        {"store_resolution_ns": SECOND_NS},
    ),
    Case(
        "  the same, sent without dither",
        {"resolutions_ns": SECONDS},
        {"store_resolution_ns": SECOND_NS, "dithered": False},
    ),
    Case("one hop of one second, others finer", {"resolutions_ns": MIXED}),
)


@dataclass
class Errors:
    """What was measured after so many probes. Nanoseconds."""

    hops: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    hop_bounds: list[int] = field(default_factory=list)
    offset_bounds: list[int] = field(default_factory=list)

    def add(self, journey: Journey, reading: ClockReading) -> None:
        self.hops += hop_errors_ns(journey, reading)[1:-1]
        self.hop_bounds += [hop.duration.half_width_ns for hop in reading.hops[1:-1]]
        self.offsets += [
            abs(each.offset.value_ns - journey.offset_ns[each.domain]) for each in reading.offsets
        ]
        self.offset_bounds += [each.offset.half_width_ns for each in reading.offsets]


@dataclass
class Outcome:
    errors: dict[int, Errors]
    held: float
    """The share of all bounds, of every probe, that contained the truth."""
    false_steps: int


def measure(case: Case, seeds: Sequence[int] = SEEDS) -> Outcome:
    errors = {moment: Errors() for moment in MOMENTS}
    held: list[bool] = []
    false_steps = 0
    for seed in seeds:
        path = Path(make_hosts(**case.hosts), seed, **case.path)
        state = ClockState()
        for number in range(1, max(MOMENTS) + 1):
            journey = path.send()
            state, reading = update(state, journey.observation)
            held += bounds_held(journey, reading)
            false_steps += len(reading.steps)
            if number in errors:
                errors[number].add(journey, reading)
    return Outcome(errors, sum(held) / len(held), false_steps)


@dataclass
class StepOutcome:
    found_after: list[int | None]
    """For each run, at which probe after the step it was reported; None for never."""
    wrong: int
    """Steps that were reported of another host, or more than once."""
    held: float


def measure_step(
    host: int,
    seconds: float,
    *,
    hosts: dict[str, Any] | None = None,
    path: dict[str, Any] | None = None,
    seeds: Sequence[int] = SEEDS,
    before: int = 30,
    after: int = 10,
) -> StepOutcome:
    found: list[int | None] = []
    held: list[bool] = []
    wrong = 0
    for seed in seeds:
        machines = make_hosts(**(hosts or {}))
        machines[host].steps = {before: seconds}
        way = Path(machines, seed, **(path or {}))
        state = ClockState()
        found_at = None
        for number in range(before + after):
            journey = way.send()
            state, reading = update(state, journey.observation)
            held += bounds_held(journey, reading)
            for step in reading.steps:
                is_right = step.domain == machines[host].name and found_at is None and number >= before
                is_right = is_right and step.shift.lower_ns <= seconds * SECOND_NS <= step.shift.upper_ns
                found_at = number - before + 1 if is_right else found_at
                wrong += not is_right
        found.append(found_at)
    return StepOutcome(found, wrong, sum(held) / len(held))


def percentile_ms(values: Sequence[int], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] / 1e6


def format_case(case: Case, outcome: Outcome) -> list[str]:
    lines = []
    for moment, errors in outcome.errors.items():
        name = case.name if moment == MOMENTS[0] else ""
        numbers = [
            percentile_ms(errors.hops, 0.5),
            percentile_ms(errors.hops, 0.95),
            percentile_ms(errors.hop_bounds, 0.5),
            percentile_ms(errors.offsets, 0.5),
            percentile_ms(errors.offsets, 0.95),
            percentile_ms(errors.offset_bounds, 0.5),
        ]
        held = f"{outcome.held:8.2%}" if moment == MOMENTS[-1] else ""
        lines.append(f"{name:38}{moment:5}" + "".join(f"{number:9.1f}" for number in numbers) + held)
    return lines


def format_steps() -> list[str]:
    lines = []
    fine: dict[str, Any] = {}
    coarse: dict[str, Any] = {"resolutions_ns": SECONDS}
    for name, hosts, path in (
        ("sub-second", fine, fine),
        ("one-second", coarse, {"store_resolution_ns": SECOND_NS}),
    ):
        for seconds in (5.0, -5.0, 1.0, -1.0, 0.3, -0.3):
            runs = [measure_step(host, seconds, hosts=hosts, path=path, seeds=range(5)) for host in range(4)]
            found = list(chain.from_iterable(run.found_after for run in runs))
            counted = [str(sum(at is not None and at <= limit for at in found)) for limit in (2, 10)]
            wrong = sum(run.wrong for run in runs)
            lines.append(f"{name:12}{seconds:+6.1f} s{counted[0]:>10}{counted[1]:>10}{wrong:8}{len(found):8}")
    return lines


def time_update(hops: int = 6, probes: int = 300) -> float:
    """Milliseconds of processor time that one update takes in the middle, once much is known. Of this machine."""
    names = [f"host{number}.example" for number in range(hops)]
    hosts = [Host(name, "mail" if number else "rcpt", number - 3.0) for number, name in enumerate(names)]
    path = Path(hosts, medians_seconds=(0.02,) * hops)
    state = ClockState()
    times = []
    for _ in range(probes):
        observation = path.send().observation
        started = time.process_time()
        state, _ = update(state, observation)
        times.append(time.process_time() - started)
    return sorted(times[probes // 3 :])[probes // 3] * 1e3


def main() -> None:
    print(
        f"{'milliseconds':38}{'':5}{'hop error':>18}{'bound':>9}{'offset error':>18}{'bound':>9}{'bounds':>8}"
    )
    titles = ("median", "95 %", "+-", "median", "95 %", "+-")
    print(f"{'':38}{'after':>5}" + "".join(f"{title:>9}" for title in titles) + f"{'held':>8}")
    for case in CASES:
        print("\n".join(format_case(case, measure(case))))
    print(f"\n{'steps':21}{'within 2':>9}{'within 10':>10}{'wrong':>8}{'of':>8}")
    print("\n".join(format_steps()))
    print(f"\none update with 6 hops: {time_update():.2f} ms on this machine")


if __name__ == "__main__":
    main()

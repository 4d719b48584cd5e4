"""What each alert has to do, and has to leave undone: series of samples for promtool, made from a few facts.

Three kinds cover nearly all alerts. Of a `State` a gauge is bad for a while; of a `Count` a counter moves within a window;
a `Compared` is a level above what was usual. Whatever else an alert needs to be tried on stands in `own`.

Times are minutes. In promtool's notation `ax3` is a, a, a, a; `_` is no sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

DAY = 1440
"""Minutes."""
JOB = 'job="smtp-probe",instance="prober:10925"'


@dataclass(frozen=True)
class Trial:
    """Series from minute 0 on, and whether the alert fires at a later minute."""

    name: str
    series: Mapping[str, str]
    at: int
    fires: bool
    step: int = 1
    """Minutes between two samples."""


@dataclass(frozen=True)
class State:
    """Fires while a gauge is bad, after `hold` minutes. `near` is the last value that is not bad."""

    series: str
    bad: str
    good: str
    near: str | None = None
    hold: int = 0
    beside: Mapping[str, str] = field(default_factory=dict)
    """Further series that stand still."""

    def trials(self) -> Iterator[Trial]:
        """Good for ten minutes, then what the name says."""
        long = self.hold + 20
        yield self._trial("fires", f"{self.good}x10 {self.bad}x{long}", 10 + self.hold + 5, fires=True)
        near = self.near or self.good
        yield self._trial("does not fire just below", f"{near}x{long}", long, fires=False)
        if self.hold:
            yield self._trial(
                "one bad sample", f"{self.good}x10 {self.bad} {self.good}x{long}", 11 + self.hold, fires=False
            )
        yield self._trial("a restart", f"{self.good}x10 _x3 {self.good}x{long}", long, fires=False)
        yield Trial("nothing is known", dict(self.beside), long, fires=False)
        yield self._trial("a cold start", f"_x10 {self.good}x{long}", long, fires=False)
        yield self._trial("recovers", f"{self.bad}x{long} {self.good}x20", long + 15, fires=False)

    def _trial(self, name: str, values: str, at: int, *, fires: bool) -> Trial:
        return Trial(name, {**self.beside, self.series: values}, at, fires)


@dataclass(frozen=True)
class Count:
    """Fires when a counter moves by more than `enough` - 1 within `window` minutes, after `hold`."""

    series: str
    enough: int
    window: int
    hold: int = 0
    near: int = 0
    """So many are not enough; one less than `enough` where it is 0."""
    beside: Mapping[str, str] = field(default_factory=dict)
    step: int = 1
    """Minutes between two samples: more for long windows, which are tried the sooner."""

    def trials(self) -> Iterator[Trial]:
        """The counter stands at five for half the window, then what the name says."""
        window = self.window // self.step
        lead, tail = window // 2, self.hold // self.step + 4
        rise = " ".join(str(5 + number) for number in range(1, self.enough + 1))
        near = self.near or self.enough - 1
        few = " ".join(str(5 + number) for number in range(1, near + 1))
        last = 5 + self.enough
        yield self._trial("fires", f"5x{lead} {rise} {last}x{window}", lead + self.enough + tail, fires=True)
        if self.enough > 1:
            yield self._trial(
                "does not fire just below",
                f"5x{lead} {few} {5 + near}x{window}",
                lead + self.enough + tail,
                fires=False,
            )
            yield self._trial("one event", f"5x{lead} 6x{window}", lead + tail, fires=False)
        yield self._trial("a counter that begins anew", f"90x{lead} 0x{window}", lead + tail, fires=False)
        yield Trial("nothing is known", dict(self.beside), lead * self.step, fires=False, step=self.step)
        yield self._trial(
            "a cold start with what was counted before",
            f"_x{lead} 40x{window}",
            lead + tail,
            fires=False,
        )
        yield self._trial(
            "recovers",
            f"5x{lead} {rise} {last}x{window + tail + 20}",
            lead + self.enough + window + tail + 10,
            fires=False,
        )

    def _trial(self, name: str, values: str, at: int, *, fires: bool) -> Trial:
        return Trial(name, {**self.beside, self.series: values}, at * self.step, fires, self.step)


@dataclass(frozen=True)
class Compared:
    """Fires when a level is far above what was usual: so many seconds before, so many after.

    `gauge` is a series of the level itself; of a histogram, give the two counters without `_sum` and `_count`.
    """

    gauge: str = ""
    histogram: str = ""
    usual: float = 2.0
    slow: float = 8.0
    slightly: float = 2.4
    """Above the usual, and not by enough."""
    needs: tuple[float, float] = (1.5, 1.0)
    """By which ratio and how many seconds it has to be above the usual."""
    has_weeks: bool = True
    """Whether it is tried on weeks too: that takes promtool a while, and all baselines are made alike."""

    def trials(self) -> Iterator[Trial]:
        """Samples of five minutes: a day and a half of the usual, then two hours of what the name says."""
        day, two = 36 * 12, 24
        at = (day + two) * 5
        yield self._trial("fires", ((self.usual, day), (self.slow, two)), at, fires=True)
        yield self._trial(
            "does not fire just below", ((self.usual, day), (self.slightly, two)), at, fires=False
        )
        yield self._trial(
            "one slow message", ((self.usual, day), (self.slow, 1), (self.usual, two)), at, fires=False
        )
        yield self._trial(
            "it was as slow on the day before",
            ((self.usual, 48), (self.slow, 48), (self.usual, day - 96), (self.slow, two)),
            at,
            fires=False,
        )
        yield Trial("nothing is known", {}, at, fires=False, step=5)
        yield self._trial(
            "slow for twelve hours", ((self.usual, day), (self.slow, 144)), day * 5 + 720, fires=True
        )
        yield self._trial("a cold start, slow from the first", ((self.slow, two),), two * 5, fires=False)
        yield self._trial(
            "recovers", ((self.usual, day), (self.slow, two), (self.usual, two)), at + two * 5, fires=False
        )
        yield from self._guards(hours=8 * 12, two=two)
        if not self.has_weeks:
            return
        weeks = 21 * DAY + 2 * 60
        yield self._trial(
            "slow at this hour every week",
            tuple(self._weekly(slow_before=True)),
            weeks + 120,
            fires=False,
            step=30,
        )
        yield self._trial(
            "slow at an hour at which it never was",
            tuple(self._weekly(slow_before=False)),
            weeks + 120,
            fires=True,
            step=30,
        )

    def _guards(self, hours: int, two: int) -> Iterator[Trial]:
        """After some usual hours: a restart, and the ratio and the seconds, each of which alone holds the alert back."""
        at = (hours + two) * 5
        yield Trial("a restart", self._restarted(hours, two), at, fires=False, step=5)
        ratio, seconds = self.needs
        plenty = seconds / (ratio - 1)  # at this usual level the ratio and the seconds come to the same
        below = {
            "enough by the seconds, just below by the ratio": (4 * plenty, 4 * plenty * ratio * 0.99),
            "enough by the ratio, just below by the seconds": (plenty / 4, plenty / 4 + seconds * 0.99),
        }
        for name, (usual, slow) in below.items():
            yield self._trial(name, ((usual, hours), (slow, two)), at, fires=False)
        above = {
            "just above by the ratio": (4 * plenty, 4 * plenty * ratio * 1.01),
            "just above by the seconds": (plenty / 4, plenty / 4 + seconds * 1.01),
        }
        for name, (usual, slow) in above.items():
            yield self._trial(name, ((usual, hours), (slow, two)), at, fires=True)

    def _restarted(self, hours: int, two: int) -> Mapping[str, str]:
        """Counters begin anew at nothing, and a gauge is away, in the middle of what is usual."""
        return {
            name: f"{values} _x2 {values}"
            for name, values in self._series(((self.usual, (hours + two) // 2),)).items()
        }

    def _weekly(self, *, slow_before: bool) -> Iterator[tuple[float, int]]:
        """Three weeks in samples of half an hour, slow from the third hour on at their end, and before or never before."""
        week, four_hours = 7 * 48, 8
        for _ in range(3):
            yield self.usual, 4
            yield (self.slow if slow_before else self.usual), four_hours
            yield self.usual, week - four_hours - 4
        yield self.usual, 4
        yield self.slow, four_hours

    def _trial(
        self, name: str, parts: Sequence[tuple[float, int]], at: int, *, fires: bool, step: int = 5
    ) -> Trial:
        return Trial(name, self._series(parts), at, fires, step)

    def _series(self, parts: Sequence[tuple[float, int]]) -> Mapping[str, str]:
        if self.gauge:
            return {self.gauge: " ".join(f"{level:g}x{count - 1}" for level, count in parts)}
        name, labels = self.histogram.split("{")
        total, sums, counts, passed = 0.0, [], [], 0
        for level, count in parts:  # five passages a sample
            sums.append(f"{total + 5 * level:g}+{5 * level:g}x{count - 1}")
            counts.append(f"{passed + 5}+5x{count - 1}")
            total, passed = total + 5 * level * count, passed + 5 * count
        return {f"{name}_sum{{{labels}": " ".join(sums), f"{name}_count{{{labels}": " ".join(counts)}


def series(name: str, **labels: str) -> str:
    """A series of one prober."""
    own = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"smtp_probe_{name}{{{JOB}{',' if own else ''}{own}}}"

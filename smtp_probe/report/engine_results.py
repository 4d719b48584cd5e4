"""How the engine and our part in it stand, as samples. In: small statements by the parts that know. Out: `Series`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from smtp_probe.report.label_words import ENGINE_ANSWERS
from smtp_probe.report.metrics import (
    ENGINE_BEHIND,
    ENGINE_CHECKED,
    ENGINE_CHECKING,
    ENGINE_GROUPS,
    ENGINE_INFO,
    ENGINE_ORDERED,
    ENGINE_RUNS,
    ENGINE_SCHEDULES,
    ENGINE_TAKEOVERS,
    ENGINE_UP,
)
from smtp_probe.report.series import Series


class EngineResults:
    """The statements of one process. Makes no sample before it is told of a role."""

    def __init__(self, series: Series, now_ns: Callable[[], int]) -> None:
        self._series = series
        self._now_ns = now_ns

    def begin(self, roles: Collection[str], vantage: str, member: str) -> None:
        """Say who we are."""
        labels = (("member", member), ("roles", " ".join(sorted(roles))), ("vantage", vantage))
        self._series.put(ENGINE_INFO, (), labels)
        self.up(False)
        if "worker" in roles:
            for answer in ENGINE_ANSWERS:
                self._series.put(ENGINE_RUNS, (answer,), 0.0)
        if "watcher" in roles:
            self._series.put(ENGINE_GROUPS, (), 0.0)
            self._series.put(ENGINE_TAKEOVERS, (), 0.0)
        if "checker" in roles:
            self.checks(False)

    def up(self, is_up: bool) -> None:
        """Say whether the engine takes our word."""
        if self._series.get(ENGINE_UP, ()) != float(is_up):
            self._series.put(ENGINE_UP, (), float(is_up))

    def in_order(self, schedules: int) -> None:
        """Say that the schedules are as they should be, and how many there are."""
        self._series.put(ENGINE_SCHEDULES, (), float(schedules))
        self._series.put(ENGINE_ORDERED, (), self._now_ns() / 1e9)

    def run(self, answer: str) -> None:
        """Count a run that we were given, by one of `ENGINE_ANSWERS`."""
        self._series.add(ENGINE_RUNS, (answer,), 1.0)

    def groups(self, count: int) -> None:
        """Say how many groups of mailboxes are ours."""
        self._series.put(ENGINE_GROUPS, (), float(count))

    def checks(self, is_ours: bool) -> None:
        """Say whether the checks are ours now."""
        self._series.put(ENGINE_CHECKING, (), float(is_ours))

    def checked(self, is_checked: bool | None) -> None:
        """Say whether a checker is heard; None where nothing is to be checked."""
        if is_checked is None:
            self._series.remove(ENGINE_CHECKED, ())
        elif self._series.get(ENGINE_CHECKED, ()) != float(is_checked):
            self._series.put(ENGINE_CHECKED, (), float(is_checked))

    def took_over(self, count: int) -> None:
        """Count probes that we took over."""
        self._series.add(ENGINE_TAKEOVERS, (), float(count))

    def behind(self, count: int | None) -> None:
        """Say how many events are not counted yet; None where that is not known."""
        if count is None:
            self._series.remove(ENGINE_BEHIND, ())
        elif self._series.get(ENGINE_BEHIND, ()) != float(count):
            self._series.put(ENGINE_BEHIND, (), float(count))

"""What this process knows of itself: small statements by the parts that know, as gauges and short-lived counters.

In: calls on the event loop's thread. Out: samples in `Series`, and `health()` for the page and `/-/ready`. What is
counted here begins at zero with the process; what must survive it is told by events (see `totals`).
"""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import smtp_probe
from smtp_probe.config.settings import Config
from smtp_probe.model import TlsFacts
from smtp_probe.report.known_series import mailboxes_in_use
from smtp_probe.report.label_words import LOG_LEVELS
from smtp_probe.report.metrics import (
    BUILD_INFO,
    CERTIFICATE_END,
    CLOCK_STEP,
    CONFIG_LOADED,
    CONFIG_OK,
    IN_FLIGHT,
    INTERNAL_ERRORS,
    INTERVAL,
    JOURNAL_UP,
    LOG_MESSAGES,
    MAILBOX_QUOTA,
    MAILBOX_RECONNECTS,
    MAILBOX_UP,
    OLDEST_IN_FLIGHT,
    ROUTE_INFO,
    SCHEDULER_LAG,
    SHARD_INFO,
)
from smtp_probe.report.series import Series

_QUOTAS = ("storage", "message")
"""The resources of RFC 9208 that mail needs."""
LAG_WINDOW_SECONDS = 60.0
"""For how long a late start is remembered, so that a scrape between two of them sees the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxHealth:
    """Whether one mailbox is watched; where it is not, `why` may say the reason, fit to be shown."""

    name: str
    is_up: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether our own side works."""

    is_journal_up: bool = False
    is_config_good: bool = True
    is_engine_up: bool | None = None
    """Whether the engine takes our word; None where there is none."""
    mailboxes: tuple[MailboxHealth, ...] = ()
    shard: str = ""
    """Which part of the configuration is ours, as `--shard` says it; empty for all of it."""
    events_to_count: int | None = 0
    """How many of the events that had happened when we began are not counted yet; None where that is not known yet."""
    duties: frozenset[str] | None = None
    """The mailboxes that this process is to watch; None: all of them."""

    @property
    def unwatched(self) -> tuple[str, ...]:
        """Names of the mailboxes that are not watched."""
        return tuple(mailbox.name for mailbox in self.mailboxes if not mailbox.is_up)

    @property
    def neglected(self) -> tuple[str, ...]:
        """Names of those that are not watched, though it would be for this process to do so."""
        return tuple(name for name in self.unwatched if self.duties is None or name in self.duties)

    @property
    def is_ready(self) -> bool:
        """Whether this process does what it is there for: probes can be sent and seen, and what is shown is whole."""
        return self.is_journal_up and not self.neglected and self.events_to_count == 0


class Observations:
    """The program's statements about itself. `now_ns` is the reference clock."""

    def __init__(self, series: Series, now_ns: Callable[[], int]) -> None:
        self._series = series
        self._now_ns = now_ns
        self._lags: deque[tuple[int, float]] = deque()  # when and how late: the worst first, then falling
        self._mailboxes: dict[str, MailboxHealth] = {}
        self._is_engine_up: bool | None = None
        self._is_journal_up = False
        self._is_config_good = True
        self.events_to_count: int | None = 0
        """See `Health`; set by who counts the events of others."""
        self.duties: Callable[[], frozenset[str] | None] = lambda: None
        """Which mailboxes it is for this process to watch; None: all of them."""
        self.started_ns = now_ns()
        """The start time of every counter here."""
        version = (("version", smtp_probe.__version__), ("pythonversion", platform.python_version()))
        series.put(BUILD_INFO, (), version)
        self._shard = ""
        self.shard(0, 1)
        series.put(SCHEDULER_LAG, (), 0.0)
        series.put(JOURNAL_UP, (), 0.0)
        series.put(CLOCK_STEP, (), 0.0)
        self.log_messages(dict.fromkeys(LOG_LEVELS, 0), 0)

    def shard(self, index: int, count: int) -> None:
        """Say which part of the configuration is ours."""
        self._shard = f"{index}/{count}" if count > 1 else ""
        self._series.put(SHARD_INFO, (), (("shard", str(index)), ("shards", str(count))))

    def declare(self, config: Config) -> None:
        """Take over a configuration that has been loaded: its routes and mailboxes."""
        self.config_reloaded(ok=True)
        for name, route in config.routes.items():
            own = {"route": name, "sender": route.sender, "mailbox": route.mailbox}
            self._series.put(ROUTE_INFO, (name,), tuple({**route.labels, **own}.items()))
            self._series.put(INTERVAL, (name,), route.interval)
            self._series.put_new(IN_FLIGHT, (name,), 0.0)
        self.watch(mailboxes_in_use(config))

    def watch(self, mailboxes: Iterable[str]) -> None:
        """Take over which mailboxes are to be told of."""
        known = self._mailboxes
        self._mailboxes = {name: known.get(name) or MailboxHealth(name=name) for name in mailboxes}
        for name, mailbox in self._mailboxes.items():
            if self._series.get(MAILBOX_UP, (name,)) != float(mailbox.is_up):
                self._series.put(MAILBOX_UP, (name,), float(mailbox.is_up))
            self._series.put_new(MAILBOX_RECONNECTS, (name,), 0.0)

    def health(self) -> Health:
        """Give the state of our own side, as it is now."""
        return Health(
            is_journal_up=self._is_journal_up,
            is_config_good=self._is_config_good,
            is_engine_up=self._is_engine_up,
            mailboxes=tuple(self._mailboxes.values()),
            shard=self._shard,
            events_to_count=self.events_to_count,
            duties=self.duties(),
        )

    def config_reloaded(self, *, ok: bool) -> None:
        """Say that loading the configuration worked now, or did not."""
        self._is_config_good = ok
        self._series.put(CONFIG_OK, (), float(ok))
        if ok:
            self._series.put(CONFIG_LOADED, (), self._now_ns() / 1e9)

    def journal_state(self, up: bool) -> None:
        """Say whether the journal can be written."""
        if up != self._is_journal_up:
            self._is_journal_up = up
            self._series.put(JOURNAL_UP, (), float(up))

    def engine_state(self, up: bool) -> None:
        """Say whether the engine takes our word, for the pages; `EngineResults` says so to Prometheus."""
        self._is_engine_up = up

    def mailbox_state(self, mailbox: str, up: bool, why: str = "") -> None:
        """Say whether all folders of a mailbox are watched, and why not. Those not configured are ignored."""
        if mailbox in self._mailboxes:
            self._mailboxes[mailbox] = MailboxHealth(name=mailbox, is_up=up, why=why)
            self._series.put(MAILBOX_UP, (mailbox,), float(up))

            if not up:
                self.mailbox_quotas(mailbox, {})

    def mailbox_quotas(self, mailbox: str, shares: Mapping[str, float]) -> None:
        """Say how much of each quota of a mailbox is used; what is not told is not known."""
        for resource in _QUOTAS:
            share = shares.get(resource)
            if share is None or mailbox not in self._mailboxes:
                self._series.remove(MAILBOX_QUOTA, (mailbox, resource))
            elif self._series.get(MAILBOX_QUOTA, (mailbox, resource)) != share:
                self._series.put(MAILBOX_QUOTA, (mailbox, resource), share)

    def mailbox_reconnected(self, mailbox: str) -> None:
        """Say that a connection to a mailbox was lost and is made again."""
        if mailbox in self._mailboxes:
            self._series.add(MAILBOX_RECONNECTS, (mailbox,), 1.0)

    def in_flight(self, route: str, count: int, oldest_ns: int | None) -> None:
        """Say how many probes of a route have not ended, and when the oldest of them was made."""
        if self._series.get(IN_FLIGHT, (route,)) != count:
            self._series.put(IN_FLIGHT, (route,), float(count))
        if count == 0 or oldest_ns is None:
            self._series.remove(OLDEST_IN_FLIGHT, (route,))
        elif self._series.get(OLDEST_IN_FLIGHT, (route,)) != oldest_ns / 1e9:
            self._series.put(OLDEST_IN_FLIGHT, (route,), oldest_ns / 1e9)

    def scheduler_lag(self, lag_seconds: float) -> None:
        """Say how late a scheduled probe began."""
        while self._lags and self._lags[-1][1] <= lag_seconds:
            self._lags.pop()  # never again the worst
        self._lags.append((self._now_ns(), lag_seconds))
        self._show_lag()

    def tls_facts(self, endpoint: str, facts: TlsFacts) -> None:
        """Say what the TLS of a mailbox's server is; `endpoint` is its `host:port`. Senders' are told by events."""
        if facts.not_after_ns is not None:
            self._series.put(CERTIFICATE_END, (endpoint,), facts.not_after_ns / 1e9)

    def clock_step(self, step_seconds: float) -> None:
        """Say how far the wall clock has moved away from the reference clock since the start."""
        self._series.put(CLOCK_STEP, (), step_seconds)

    def log_messages(self, by_level: Mapping[str, int], internal_errors: int) -> None:
        """Say how many lines have been logged since the start, by level, and how many of them told of a bug."""
        for level in LOG_LEVELS:
            self._series.put(LOG_MESSAGES, (level,), float(by_level.get(level, 0)))
        self._series.put(INTERNAL_ERRORS, (), float(internal_errors))

    def refresh(self) -> None:
        """Bring up to date what depends on the time alone. Called before each scrape."""
        self._show_lag()

    def _show_lag(self) -> None:
        oldest_ns = self._now_ns() - round(LAG_WINDOW_SECONDS * 1e9)
        while self._lags and self._lags[0][0] < oldest_ns:
            self._lags.popleft()
        self._series.put(SCHEDULER_LAG, (), self._lags[0][1] if self._lags else 0.0)

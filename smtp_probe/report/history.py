"""The probes that ended last, and how each route stands: what the pages show without asking the journal.

In: events, or after a restart what the journal kept. Out: plain values. Bounded: so many probes, ten times as many
failures from before those, so that a night of successes does not hide what failed in the evening; and of each route a
heartbeat of its last probes, its last failure, and how far its messages came that are on their way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice

from smtp_probe.config.settings import Config
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import (
    Event,
    Outcome,
    OutcomeKind,
    Placement,
    Probe,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
)
from smtp_probe.report.increments import is_success
from smtp_probe.report.redaction import SECRETS
from smtp_probe.report.sentences import describe, describe_duration

HEARTBEAT = 60
"""Ended probes of a route that are remembered here."""
_FAILURES_PER_PROBE = 10


class State(StrEnum):
    """How something stands, in the three kinds that this program tells apart, and before anything is known."""

    GOOD = "good"
    FAILED = "failed"
    UNOBSERVED = "unobserved"
    WAITING = "waiting"


_ORDER = {State.FAILED: 0, State.UNOBSERVED: 1, State.WAITING: 2, State.GOOD: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProbe:
    """One ended probe. The sentence is sanitised, not escaped."""

    probe_id: str
    route: str
    state: State
    kind: str
    sent_ns: int
    ended_ns: int
    sentence: str
    delivery_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """One ended probe, as small as a heartbeat bar and the percentiles need it."""

    probe_id: str
    state: State
    kind: OutcomeKind
    sequence: int
    ended_ns: int
    delivery_seconds: float | None = None
    placement: Placement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A route began to stand otherwise than before."""

    route: str
    at_ns: int
    before: State
    state: State
    sentence: str
    probe_id: str

    @property
    def key(self) -> tuple[str, State, str]:
        """What tells it apart for ever, also where the journal tells its instant less exactly."""
        return self.route, self.state, self.probe_id or str(self.at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteState:
    """How a route stands, by its newest probe of which anything is known."""

    route: str
    state: State = State.WAITING
    sentence: str = "no probe has ended yet"
    at_ns: int | None = None
    sent_ns: int = 0
    probe_id: str = ""


class History:
    """The last `limit` probes, ten times as many failures from before, and every configured route."""

    def __init__(self, limit: int = 100) -> None:
        self.version = 0
        """Grows with each change: what a live page waits for."""
        self._recent: deque[PastProbe] = deque()
        self._old_failures: deque[PastProbe] = deque(maxlen=limit * _FAILURES_PER_PROBE)
        self._limit = limit
        self._routes: dict[str, RouteState] = {}
        self._beats: dict[str, deque[Beat]] = {}
        self._last_failures: dict[str, PastProbe] = {}
        self._changes: list[Change] = []

    def declare(self, config: Config) -> None:
        """Take over a configuration: routes that are gone are forgotten, their past probes stay."""
        self._routes = {name: self._routes.get(name) or RouteState(route=name) for name in config.routes}
        for kept in (self._beats, self._last_failures):
            for gone in kept.keys() - self._routes.keys():
                del kept[gone]
        self.version += 1

    def observe(self, event: Event) -> None:
        """Learn from one event. Fits `ports.Sink`."""
        match event:
            case ProbeOverdue(probe=probe, at_ns=at_ns):
                self._stand(standing_overdue(probe, at_ns))
            case ProbeStarted():
                self.version += 1  # it is on the way now
            case ProbeEnded(outcome=outcome):
                past = past_probe(outcome)
                self._stand(standing_ended(past))
                self._remember(past)
                self._beat(outcome)

    def recall(self, outcome: Outcome) -> None:
        """Learn of a probe that ended in an earlier run. To be given oldest first. What changed then is told by
        `recall_route`, which knows how the route stood before.
        """
        past = past_probe(outcome)
        known, state = self._routes.get(past.route), standing_ended(past)
        if known is not None and known.sent_ns <= state.sent_ns:
            self._routes[past.route] = state
        self._remember(past)

    def recall_overdue(self, probe: Probe) -> None:
        """Learn of a probe that an earlier run left open, overdue. To be given after those that ended."""
        self._stand(standing_overdue(probe, overdue_ns(probe)))

    def _remember(self, past: PastProbe) -> None:
        self.version += 1
        self._recent.append(past)
        if len(self._recent) > self._limit:
            oldest = self._recent.popleft()
            if oldest.state is not State.GOOD:
                self._old_failures.append(oldest)
        if past.state is not State.GOOD:
            self._failed(past)

    def recall_route(
        self,
        route: str,
        beats: Sequence[Beat],
        last_failure: Outcome | None,
        changes: Iterable[Change] = (),
    ) -> None:
        """Learn what the journal kept of one route: its beats, oldest first, its last failure however old, and when it
        began to stand otherwise (`state_changes`).
        """
        if route not in self._routes:
            return
        now = self._beats.setdefault(route, deque(maxlen=HEARTBEAT))
        known = {beat.probe_id for beat in now}
        together = [beat for beat in beats if beat.probe_id not in known] + list(now)
        self._beats[route] = deque(together, maxlen=HEARTBEAT)
        self.recall_changes(changes)
        if last_failure is not None and route not in self._last_failures:
            self._failed(past_probe(last_failure))
        self.version += 1

    def beats(self, route: str) -> tuple[Beat, ...]:
        """Give the last probes of a route, oldest first."""
        return tuple(self._beats.get(route, ()))

    def last_failure(self, route: str) -> PastProbe | None:
        """Give the newest probe of a route that failed or could not be observed."""
        return self._last_failures.get(route)

    def changes(self) -> tuple[Change, ...]:
        """Give the last changes of state, newest first."""
        return tuple(reversed(self._changes))

    def route(self, name: str) -> RouteState | None:
        """Give how one route stands; None for one that is not configured."""
        return self._routes.get(name)

    def probes(self) -> tuple[PastProbe, ...]:
        """Give the probes that are kept, newest first."""
        return (*reversed(self._recent), *reversed(self._old_failures))

    def newest(self, count: int) -> tuple[PastProbe, ...]:
        """Give so many of the probes that are kept, newest first."""
        return tuple(islice(chain(reversed(self._recent), reversed(self._old_failures)), count))

    def routes(self) -> tuple[RouteState, ...]:
        """Give every configured route, those that need a look first."""
        return tuple(sorted(self._routes.values(), key=lambda route: (_ORDER[route.state], route.route)))

    def _stand(self, state: RouteState) -> None:
        """Set how a route stands, unless a probe that was sent later has told already."""
        self.version += 1
        known = self._routes.get(state.route)
        if known is None or known.sent_ns > state.sent_ns:
            return
        self._routes[state.route] = state
        if state.state is not known.state:
            self.recall_changes([change_between(known, state)])

    def recall_changes(self, changes: Iterable[Change]) -> None:
        """Learn of changes, of configured routes. The newest ones are kept, each once: some may have been told before."""
        known = {change.key for change in self._changes}
        self._changes += [
            change for change in changes if change.key not in known and change.route in self._routes
        ]
        self._changes.sort(key=lambda change: change.at_ns)
        del self._changes[: -self._limit]

    def _failed(self, past: PastProbe) -> None:
        known = self._last_failures.get(past.route)
        if past.route in self._routes and (known is None or known.sent_ns <= past.sent_ns):
            self._last_failures[past.route] = past

    def _beat(self, outcome: Outcome) -> None:
        if outcome.probe.route in self._routes:
            beats = self._beats.setdefault(outcome.probe.route, deque(maxlen=HEARTBEAT))
            beats.append(beat_of(outcome))


def past_probe(outcome: Outcome) -> PastProbe:
    """Give an ended probe as lists show it."""
    return PastProbe(
        probe_id=outcome.probe.probe_id,
        route=outcome.probe.route,
        state=state_of(outcome),
        kind=outcome.kind.value,
        sent_ns=outcome.probe.created_ns,
        ended_ns=outcome.ended_ns,
        sentence=SECRETS.redact(hide_tokens(describe(outcome))),
        delivery_seconds=outcome.delivery_seconds,
    )


def standing_ended(past: PastProbe) -> RouteState:
    """Give how a route stands by a probe that ended."""
    return RouteState(
        route=past.route, state=past.state, sentence=past.sentence, at_ns=past.ended_ns,
        sent_ns=past.sent_ns, probe_id=past.probe_id,
    )  # fmt: skip


def standing_overdue(probe: Probe, at_ns: int) -> RouteState:
    """Give how a route stands by a probe that is overdue since then."""
    return RouteState(
        route=probe.route,
        state=State.FAILED,
        sentence=f"overdue: not arrived within {describe_duration(probe.deadline_seconds)}",
        at_ns=at_ns,
        sent_ns=probe.created_ns,
        probe_id=probe.probe_id,
    )


def overdue_ns(probe: Probe) -> int:
    """Since when a probe is overdue that is known to be: its deadline, since the journal keeps no instant."""
    return probe.created_ns + round(probe.deadline_seconds * 1e9)


def change_between(before: RouteState, after: RouteState) -> Change:
    """Give the change from one state of a route to another."""
    return Change(
        route=after.route, at_ns=after.at_ns or 0, before=before.state, state=after.state,
        sentence=after.sentence, probe_id=after.probe_id,
    )  # fmt: skip


def beat_of(outcome: Outcome) -> Beat:
    """Give an ended probe as a heartbeat bar shows it."""
    return Beat(
        probe_id=outcome.probe.probe_id,
        state=state_of(outcome),
        kind=outcome.kind,
        sequence=outcome.probe.sequence,
        ended_ns=outcome.ended_ns,
        delivery_seconds=outcome.delivery_seconds,
        placement=None if outcome.arrival is None else outcome.arrival.placement,
    )


def state_of(outcome: Outcome) -> State:
    """Tell which of the three kinds an end is."""
    if outcome.kind is OutcomeKind.UNOBSERVED:
        return State.UNOBSERVED
    return State.GOOD if is_success(outcome) else State.FAILED

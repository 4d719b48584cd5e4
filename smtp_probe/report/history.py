"""The probes that ended last, and how each route stands: what the landing page shows.

In: events, or after a restart the outcomes that the journal kept. Out: plain values. Bounded: so many probes, and as
many failures from before those, so that a night of successes does not hide what failed in the evening.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from smtp_probe.config.settings import Config
from smtp_probe.model import Event, Outcome, OutcomeKind, ProbeEnded, ProbeOverdue
from smtp_probe.report.increments import is_success
from smtp_probe.report.sentences import describe, describe_duration


class State(StrEnum):
    """How something stands, in the three kinds that this program tells apart, and before anything is known."""

    GOOD = "good"
    FAILED = "failed"
    UNOBSERVED = "unobserved"
    WAITING = "waiting"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteState:
    """How a route stands, by its newest probe of which anything is known."""

    route: str
    state: State = State.WAITING
    sentence: str = "no probe has ended yet"
    at_ns: int | None = None
    sent_ns: int = 0


class History:
    """The last `limit` probes, `limit` failures from before, and every configured route."""

    def __init__(self, limit: int = 100) -> None:
        self._recent: deque[PastProbe] = deque()
        self._old_failures: deque[PastProbe] = deque(maxlen=limit)
        self._limit = limit
        self._routes: dict[str, RouteState] = {}

    def declare(self, config: Config) -> None:
        """Take over a configuration: routes that are gone are forgotten, their past probes stay."""
        self._routes = {name: self._routes.get(name) or RouteState(route=name) for name in config.routes}

    def observe(self, event: Event) -> None:
        """Learn from one event. Fits `ports.Sink`."""
        match event:
            case ProbeOverdue(probe=probe, at_ns=at_ns):
                sentence = f"overdue: not arrived within {describe_duration(probe.deadline_seconds)}"
                self._stand(probe.route, State.FAILED, sentence, at_ns, probe.created_ns)
            case ProbeEnded(outcome=outcome):
                self.recall(outcome)

    def recall(self, outcome: Outcome) -> None:
        """Learn of an ended probe. To be given oldest first."""
        past = PastProbe(
            probe_id=outcome.probe.probe_id,
            route=outcome.probe.route,
            state=state_of(outcome),
            kind=outcome.kind.value,
            sent_ns=outcome.probe.created_ns,
            ended_ns=outcome.ended_ns,
            sentence=describe(outcome),
        )
        self._recent.append(past)
        if len(self._recent) > self._limit:
            oldest = self._recent.popleft()
            if oldest.state is not State.GOOD:
                self._old_failures.append(oldest)
        self._stand(past.route, past.state, past.sentence, past.ended_ns, past.sent_ns)

    def probes(self) -> tuple[PastProbe, ...]:
        """Give the probes that are kept, newest first."""
        return (*reversed(self._recent), *reversed(self._old_failures))

    def routes(self) -> tuple[RouteState, ...]:
        """Give every configured route, those that need a look first."""
        order = (State.FAILED, State.UNOBSERVED, State.WAITING, State.GOOD)
        return tuple(sorted(self._routes.values(), key=lambda route: (order.index(route.state), route.route)))

    def _stand(self, route: str, state: State, sentence: str, at_ns: int, sent_ns: int) -> None:
        """Set how a route stands, unless a probe that was sent later has told already."""
        known = self._routes.get(route)
        if known is not None and known.sent_ns <= sent_ns:
            self._routes[route] = RouteState(
                route=route, state=state, sentence=sentence, at_ns=at_ns, sent_ns=sent_ns
            )


def state_of(outcome: Outcome) -> State:
    """Tell which of the three kinds an end is."""
    if outcome.kind is OutcomeKind.UNOBSERVED:
        return State.UNOBSERVED
    return State.GOOD if is_success(outcome) else State.FAILED

"""The view of one route with its past: how long its phases and hops take, and which way its messages go.

In: what the history and the journal have of it. Out: a view, and the series that its page draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from smtp_probe.config.settings import Config
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Arrival, Outcome, Phase, Trace
from smtp_probe.report.archive import RoutePast
from smtp_probe.report.history import State, past_probe, state_of
from smtp_probe.report.known_series import endpoint_name
from smtp_probe.report.sentences import describe_change
from smtp_probe.report.web.instants import instant
from smtp_probe.report.web.overview import percentile, view_line
from smtp_probe.report.web.views import PathView, RouteDetailView, RouteView, SpanStatistics

_MOST_PATHS = 20
_MOST_HOPS = 16


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """One probe in the latency plot; `seconds` is None for one that did not arrive."""

    probe_id: str
    at_ns: int
    state: State
    seconds: float | None


@dataclass(frozen=True, slots=True)
class HopStack:
    """What the hops of one message took, oldest first."""

    probe_id: str
    at_ns: int
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class RoutePage:
    """A route's view, and the series of its plots, oldest first."""

    view: RouteDetailView
    points: tuple[LatencyPoint, ...]
    stacks: tuple[HopStack, ...]


def take_route_page(view: RouteView, config: Config, past: RoutePast) -> RoutePage:
    """Give a route with its past. The route is one of the configuration's."""
    settings = config.routes[view.name]
    sender = config.senders[settings.sender]
    oldest_first = past.recent[::-1]
    corrected = tuple(_corrected_stacks(oldest_first))
    stacks = corrected or tuple(_stacks(oldest_first))
    detail = RouteDetailView(
        route=view,
        sender=settings.sender,
        endpoint=endpoint_name(sender.host, sender.effective_port),
        recipient=settings.recipient,
        mailbox=settings.mailbox,
        interval_seconds=settings.interval,
        deadline_seconds=settings.deadline,
        give_up_after_seconds=settings.give_up_after,
        phases=tuple(_phase_statistics(oldest_first)),
        hops=tuple(_hop_statistics(stacks)),
        are_hops_corrected=bool(corrected),
        paths=view_paths(oldest_first),
        probes=tuple(view_line(past_probe(each)) for each in (*past.recent, *past.older_failures)),
    )
    points = tuple(
        LatencyPoint(each.probe.probe_id, each.probe.created_ns, state_of(each), each.delivery_seconds)
        for each in oldest_first
    )
    return RoutePage(detail, points, stacks)


def view_paths(oldest_first: Iterable[Outcome]) -> tuple[PathView, ...]:
    """Give the ways that messages went, one for each change, newest first."""
    paths: list[PathView] = []
    for outcome in oldest_first:
        if outcome.arrival is None:
            continue
        new = _view_path(outcome, outcome.arrival)
        if paths and _is_same_way(paths[-1], new, outcome):
            last = paths[-1]
            paths[-1] = replace(new, first_at=last.first_at, count=last.count + 1, change=last.change)
        else:
            paths.append(new)
    return tuple(paths[::-1][:_MOST_PATHS])


def _view_path(outcome: Outcome, arrival: Arrival) -> PathView:
    at = instant(outcome.probe.created_ns)
    if outcome.path is None:
        return PathView(hosts=_hosts(arrival.trace), first_at=at, last_at=at, count=1)
    identity, change = outcome.path.identity, outcome.path.change
    return PathView(
        hosts=tuple(sanitise(host, 120) for host in identity.hosts[:_MOST_HOPS]),
        first_at=at,
        last_at=at,
        count=1,
        fingerprint=identity.fingerprint,
        change=None if change is None else describe_change(change),
    )


def _is_same_way(last: PathView, new: PathView, outcome: Outcome) -> bool:
    """Hosts that turned out to be a pool have another name from then on, and are no change."""
    if outcome.path is None or last.fingerprint is None:
        return last.hosts == new.hosts
    return outcome.path.change is None


def _hosts(trace: Trace) -> tuple[str, ...]:
    return tuple(sanitise(hop.by_host or hop.by or "?", 120) for hop in trace.hops[:_MOST_HOPS])


def _corrected_stacks(oldest_first: Iterable[Outcome]) -> Iterable[HopStack]:
    """What hops took on our clock: none of them is negative, and they add up to the delivery."""
    for outcome in oldest_first:
        if outcome.timing is not None:
            parts = tuple(
                (f"{hop.last} {sanitise(hop.by, 80)}", hop.span.seconds)
                for hop in outcome.timing.hops[:_MOST_HOPS]
            )
            yield HopStack(outcome.probe.probe_id, outcome.probe.created_ns, parts)


def _stacks(oldest_first: Iterable[Outcome]) -> Iterable[HopStack]:
    for outcome in oldest_first:
        if outcome.arrival is None:
            continue
        parts = tuple(
            (f"{delay.position} {sanitise(delay.by, 80)}", delay.delay_seconds)
            for delay in outcome.arrival.trace.delays[:_MOST_HOPS]
            if delay.delay_seconds is not None
        )
        if parts:
            yield HopStack(outcome.probe.probe_id, outcome.probe.created_ns, parts)


def _phase_statistics(oldest_first: Iterable[Outcome]) -> Iterable[SpanStatistics]:
    spans: dict[str, list[float]] = {phase.value: [] for phase in Phase}
    for outcome in oldest_first:
        for timing in outcome.submission.phases if outcome.submission is not None else ():
            spans[timing.phase.value].append(timing.duration_seconds)
    return _statistics(spans)


def _hop_statistics(stacks: Iterable[HopStack]) -> Iterable[SpanStatistics]:
    spans: dict[str, list[float]] = {}
    for stack in stacks:
        for name, seconds in stack.parts:
            spans.setdefault(name, []).append(seconds)
    return _statistics(dict(sorted(spans.items(), key=lambda item: int(item[0].split(" ", 1)[0]))))


def _statistics(spans: dict[str, list[float]]) -> Iterable[SpanStatistics]:
    for name, values in spans.items():
        if values:
            yield SpanStatistics(
                name=name,
                count=len(values),
                p50_seconds=_percentile(values, 0.5),
                p95_seconds=_percentile(values, 0.95),
                last_seconds=values[-1],
            )


def _percentile(values: Sequence[float], share: float) -> float:
    found = percentile(values, share)
    assert found is not None
    return found

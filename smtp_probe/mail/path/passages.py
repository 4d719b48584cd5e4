"""The hops of a message side by side with what each cost, and how well that is known.

In: the trace of a message. Out: one passage for each hop, oldest first. A delay is raw: this stamp less the one before
that there is, on two clocks. Its uncertainty is what the fineness of the two stamps leaves open, and nothing more: a
stamp of whole seconds may be up to a second early, so the difference of two is wrong by less than the coarser of both.
A stamp whose second was only inferred may be a second early, too, however fine it is. How far the two clocks are apart is not in it, since a header cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smtp_probe.mail.path.organisations import find_organisation
from smtp_probe.mail.queue_ids.decoding import INFERRED
from smtp_probe.mail.trace import measure_delays
from smtp_probe.model import Hop, Trace

ZONE_DOUBT_SECONDS = 14 * 3600.0
"""A date without a zone that can be read was taken as UTC: it may be off by what the farthest zone is."""
_DATE_SECONDS = 1.0
_DOUBTFUL_ZONES = frozenset({"no_zone", "unknown_zone", "zone_clamped"})
_SHARED_NAMES = frozenset({"localhost", "localhost.localdomain", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One hop. `position` counts from 1, the oldest. Unknown is None."""

    position: int
    hop: Hop
    host: str | None
    """The receiving host, in lower case."""
    organisation: str | None
    before: int | None = None
    """Position of the hop whose stamp the delay is measured from."""
    delay_seconds: float | None = None
    """On two clocks. May be negative."""
    uncertainty_seconds: float | None = None
    """The true difference of the two readings is less than this away from `delay_seconds`."""

    @property
    def is_certainly_negative(self) -> bool:
        """Whether time ran backwards even if each stamp was read as late, or as early, as it can have been."""
        if self.delay_seconds is None or self.uncertainty_seconds is None or self.delay_seconds >= 0:
            return False
        return self.delay_seconds + self.uncertainty_seconds <= 0


def read_passages(trace: Trace) -> tuple[Passage, ...]:
    """Put the hops of a trace and their delays together."""
    return tuple(_pass(trace))


def measure_between(earlier: Hop, later: Hop) -> float | None:
    """Give one hop's stamp less another's as a delay between neighbours is measured; None where either has none."""
    return measure_delays((earlier, later))[1].delay_seconds


def measure_doubt(earlier: Hop, later: Hop) -> float:
    """Give the seconds by which the difference of two stamps can be wrong, without any fault of the clocks."""
    resolution = max(hop.resolution_seconds or _DATE_SECONDS for hop in (earlier, later))
    zones = sum(ZONE_DOUBT_SECONDS for hop in (earlier, later) if is_zone_doubtful(hop))
    seconds = sum(_DATE_SECONDS for hop in (earlier, later) if INFERRED in hop.flags)
    return resolution + zones + seconds


def name_client(hop: Hop) -> tuple[str, ...]:
    """Give what shows whose host the client was: the names of it in which an organisation can be seen."""
    names = (hop.from_host, hop.from_name)
    return tuple(name for name in names if name is not None and find_organisation(name) is not None)


def say_host(passage: Passage) -> str:
    """Name a hop for people: `hop 2 (mx.example.net)`."""
    return f"hop {passage.position} ({passage.host})" if passage.host else f"hop {passage.position}"


def has_own_name(host: str | None) -> bool:
    """Whether a name tells one host from another: `localhost` is everywhere."""
    return host is not None and host not in _SHARED_NAMES


def is_zone_doubtful(hop: Hop) -> bool:
    """Whether the stamp is right only if its writer's clock shows UTC."""
    return not _DOUBTFUL_ZONES.isdisjoint(hop.flags)


def _pass(trace: Trace) -> Iterator[Passage]:
    before: tuple[int, Hop] | None = None
    for hop, cost in zip(trace.hops, trace.delays, strict=True):
        host = (hop.by_host or hop.by or "").strip("[]<>\"'").rstrip(".").lower() or None
        is_measured = cost.delay_seconds is not None and before is not None
        yield Passage(
            position=cost.position,
            hop=hop,
            host=host,
            organisation=find_organisation(host),
            before=before[0] if is_measured and before else None,
            delay_seconds=cost.delay_seconds,
            uncertainty_seconds=measure_doubt(before[1], hop) if is_measured and before else None,
        )
        if hop.at_ns is not None:
            before = (cost.position, hop)

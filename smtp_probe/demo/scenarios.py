"""The scenarios of the demo, as data: what the embedded mail path does to a probe, and what one will see.

In: nothing. Out: `SCENARIOS` by name, and `choose_scenarios` for the command line. A scenario holds the delays and
the clock of each hop, one behaviour, and the settings of the route that is sent through it, scaled down from minutes
to seconds. Nothing here sends, waits or reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from smtp_probe.errors import ConfigError, ConfigProblem

MIX = "mix"
"""The name that stands for all scenarios at once, each on its own route."""


class HopName(StrEnum):
    """The hops of the path, in the order in which a message passes them."""

    SUBMISSION = "submission"
    RELAY = "relay"
    FILTER = "filter"
    STORE = "store"


class Behaviour(StrEnum):
    """What the path does to a message besides carrying it."""

    DELIVER = "deliver"
    JUNK = "junk"
    """The filter marks it as spam; the store files it in the junk folder."""
    REFUSE = "refuse"
    """The relay refuses the recipient after the submission server has taken the message: a bounce."""
    GREYLIST = "greylist"
    """The filter refuses the first attempt for now (451); the relay tries again."""
    DISCARD = "discard"
    """The filter takes it and drops it without a word."""
    FORGE = "forge"
    """It is delivered, and strangers send more mail after it, one of it with a forged tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopSettings:
    """How one hop treats the messages of a scenario, and how its clock goes."""

    delay_seconds: float = 0.05
    """How long a message rests in the hop's queue (at the store: before it is put into the mailbox)."""
    clock_offset_seconds: float = 0.0
    """How far the hop's clock is ahead of the true time; negative is behind."""
    clock_drift_ppm: float = 0.0
    """How fast that offset grows, in microseconds a second, counted from the start of the path."""


Hops = tuple[HopSettings, HopSettings, HopSettings, HopSettings]
"""One setting for each `HopName`, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that can happen to mail. Durations are seconds."""

    name: str
    sees: str
    """One sentence for people: what they will see."""
    hops: Hops
    behaviour: Behaviour = Behaviour.DELIVER
    retry_seconds: float = 3.0
    """How long a hop waits before it tries again after a temporary refusal."""
    interval_seconds: float = 5.0
    deadline_seconds: float = 6.0
    give_up_after_seconds: float = 12.0
    is_steady: bool = False
    """Whether every message rests exactly as long as the hops say. Real queues vary."""

    def hop(self, name: HopName) -> HopSettings:
        """The settings of one hop."""
        return self.hops[list(HopName).index(name)]

    @property
    def clocks(self) -> tuple[tuple[float, float], ...]:
        """Offset and drift of each hop. Scenarios with equal clocks can share one chain of hosts."""
        return tuple((hop.clock_offset_seconds, hop.clock_drift_ppm) for hop in self.hops)


def _hops(
    delays: tuple[float, float, float, float] = (0.02, 0.08, 0.12, 0.01),
    offsets: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
) -> Hops:
    first, second, third, fourth = (
        HopSettings(delay_seconds=delay, clock_offset_seconds=offset)
        for delay, offset in zip(delays, offsets, strict=True)
    )
    return first, second, third, fourth


_ALL = (
    Scenario(
        name="on-time",
        sees="Every probe is in the inbox a quarter of a second after it was sent.",
        hops=_hops(),
    ),
    Scenario(
        name="slow-hop",
        sees="One hop holds every message for two and a half seconds; the trace shows which one.",
        hops=_hops(delays=(0.02, 0.08, 2.5, 0.01)),
    ),
    Scenario(
        name="skewed-clocks",
        sees="Three hosts have wrong clocks, one of them 41 seconds slow: the hops' times are right all the same, each "
        "within the bound that is shown beside it.",
        hops=_hops(offsets=(0.0, 7.3, -41.0, 0.4)),
    ),
    Scenario(
        name="junked",
        sees="The filter takes every probe for spam: it arrives in the junk folder and counts as a failure.",
        hops=_hops(),
        behaviour=Behaviour.JUNK,
    ),
    Scenario(
        name="bounced",
        sees="The submission server takes every probe, the next host refuses it, and a bounce comes back.",
        hops=_hops(),
        behaviour=Behaviour.REFUSE,
    ),
    Scenario(
        name="greylisted",
        sees="The filter puts every first attempt off; the message arrives three seconds later, within the deadline.",
        hops=_hops(),
        behaviour=Behaviour.GREYLIST,
    ),
    Scenario(
        name="lost",
        sees="The filter drops every message without a word: the probe is overdue, and then lost.",
        hops=_hops(),
        behaviour=Behaviour.DISCARD,
    ),
    Scenario(
        name="late",
        sees="Every message is held until its deadline has passed: the probe is overdue, and then late.",
        hops=_hops(delays=(0.02, 8.0, 0.12, 0.01)),
        give_up_after_seconds=20.0,
    ),
    Scenario(
        name="forged",
        sees="Probes arrive on time; somebody else's mail with a forged tag is counted and believed by no one.",
        hops=_hops(),
        behaviour=Behaviour.FORGE,
    ),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""Every scenario, by name."""


def choose_scenarios(name: str = MIX) -> tuple[Scenario, ...]:
    """The scenarios that a name on the command line stands for. Raises `errors.ConfigError` for an unknown one."""
    if name == MIX:
        return tuple(SCENARIOS.values())
    if name not in SCENARIOS:
        message = f"there is no scenario {name[:40]!r}: choose one of {', '.join((MIX, *SCENARIOS))}"
        raise ConfigError((ConfigProblem(message, path="--scenario"),))
    return (SCENARIOS[name],)

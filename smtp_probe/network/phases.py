"""The record of one submission's phases: which one runs, since when, and what each of them took.

In: "enter this phase", "it ended then, with this reply", on the reference clock. Out: `model.PhaseTiming` values in
the order in which the phases first began. Phases of one name add up (EHLO before and after STARTTLS). It waits for
nothing and knows no protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smtp_probe.model import Phase, PhaseTiming, Reply
from smtp_probe.ports import Clock


@dataclass(slots=True)
class _Entry:
    started_ns: int
    spent_ns: int = 0
    reply: Reply | None = None


class PhaseRecord:
    """What one submission did so far. `on_phase` is told each phase as it begins, before anything is sent in it."""

    def __init__(self, clock: Clock, on_phase: Callable[[str], None] | None) -> None:
        self._clock = clock
        self._on_phase = on_phase
        self._entries: dict[Phase, _Entry] = {}
        self._since_ns: int | None = None
        self.current = Phase.RESOLVE

    def enter(self, phase: Phase, at_ns: int | None = None) -> None:
        """Begin a phase now or at a given instant; one that still runs ends there."""
        if at_ns is None:
            at_ns = self._clock.now_ns()
        self.end(at_ns)
        is_new = phase not in self._entries
        self._entries.setdefault(phase, _Entry(started_ns=at_ns))
        self._since_ns = at_ns
        self.current = phase
        if is_new and self._on_phase is not None:
            self._on_phase(phase.value)

    def note(self, reply: Reply) -> None:
        """Keep the reply of the phase that runs, in place of an earlier one."""
        self._entries[self.current].reply = reply

    def end(self, at_ns: int | None = None) -> None:
        """End the phase that runs, now or at a given instant; nothing happens when none does."""
        if self._since_ns is None:
            return
        if at_ns is None:
            at_ns = self._clock.now_ns()
        # A greeting may have been read in the same breath as the end of the handshake: no time is less than none.
        self._entries[self.current].spent_ns += max(at_ns - self._since_ns, 0)
        self._since_ns = None

    def timings(self) -> tuple[PhaseTiming, ...]:
        """Every phase that has ended, in order."""
        return tuple(
            PhaseTiming(
                phase=phase,
                started_ns=entry.started_ns,
                duration_seconds=entry.spent_ns / 1e9,
                reply=entry.reply,
            )
            for phase, entry in self._entries.items()
        )

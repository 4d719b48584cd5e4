"""Under which subjects events stand in the engine: what a journal needs to know of its names.

In: functions that know the names. Out: subjects for probes and for what belongs to none. The names themselves are made where
the engine's library is at home; this module only says which of them an event gets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smtp_probe.model import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubjects:
    """The subjects of one process. `vantage` is the one from which it sends, or writes what belongs to none."""

    stream: str
    vantage: str
    probe: Callable[[str, str, str, str], str]
    """By vantage, mailbox, route and probe id."""
    note: Callable[[str, str, str], str]
    """By vantage, mailbox and route."""
    any_probe: Callable[[str, str, str], str]
    """By probe id, and route and mailbox where they are known."""
    vantage_of: Callable[[str], str]
    """The vantage in a subject."""

    def of_probe(self, probe: Probe) -> str:
        """Where a probe that we start stands."""
        return self.probe(self.vantage, probe.mailbox, probe.route, probe.probe_id)

    def seen(self, mailbox: str, route: str, vantage: str | None = None) -> str:
        """Where something stands that belongs to no open probe."""
        return self.note(vantage or self.vantage, mailbox, route)

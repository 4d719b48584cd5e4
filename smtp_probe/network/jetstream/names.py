"""What things are called in the engine: streams, the bucket, subjects. Pure.

In: the namespace, and names of the configuration. Out: names for NATS. A dot separates the words of a subject, so a dot in
a name is written as `=`, which no name of ours has.

    <namespace>.schedule.<vantage>.<route>                   one message a route: when it is due
    <namespace>.run.<vantage>.<route>                        put there by the server at those times
    <namespace>.probe.<vantage>.<mailbox>.<route>.<probe>    the events of one probe, in order
    <namespace>.seen.<vantage>.<mailbox>.<route>             what belongs to no open probe
"""

from __future__ import annotations

from dataclasses import dataclass

ANY = "*"
NONE = "_"
"""The word for a name that an event has not."""


def word(name: str) -> str:
    """Write a name as one word of a subject or key."""
    return name.replace(".", "=") or NONE


def name_of(subject_word: str) -> str:
    """Read it back."""
    return "" if subject_word == NONE else subject_word.replace("=", ".")


@dataclass(frozen=True, slots=True)
class Names:
    """All names below one namespace."""

    namespace: str

    @property
    def runs(self) -> str:
        """The stream of schedules and runs."""
        return f"{self._upper}_RUNS"

    @property
    def events(self) -> str:
        """The stream of what happened."""
        return f"{self._upper}_EVENTS"

    @property
    def leases(self) -> str:
        """The bucket of who is alive and who watches what: everything in it passes away."""
        return f"{self._upper}_LEASES"

    @property
    def marks(self) -> str:
        """The bucket of how far readers have come."""
        return f"{self._upper}_MARKS"

    @property
    def reports(self) -> str:
        """The bucket of what checks saw."""
        return f"{self._upper}_REPORTS"

    @property
    def totals(self) -> str:
        """The store of what exporters have counted."""
        return f"{self._upper}_TOTALS"

    @property
    def _upper(self) -> str:
        return self.namespace.upper().replace("-", "_")

    def schedule(self, vantage: str, route: str) -> str:
        """Where the schedule of a route stands."""
        return f"{self.namespace}.schedule.{vantage}.{word(route)}"

    def run(self, vantage: str, route: str) -> str:
        """Where its runs come."""
        return f"{self.namespace}.run.{vantage}.{word(route)}"

    def run_consumer(self, vantage: str) -> str:
        """The consumer that all workers of a vantage share."""
        return f"workers-{vantage}"

    def probe(self, vantage: str, mailbox: str, route: str, probe_id: str) -> str:
        """Where the events of a probe stand."""
        return f"{self.namespace}.probe.{vantage}.{word(mailbox)}.{word(route)}.{probe_id}"

    def seen(self, vantage: str, mailbox: str, route: str) -> str:
        """Where the rest stands."""
        return f"{self.namespace}.seen.{vantage}.{word(mailbox)}.{word(route)}"

    def any_probe(self, probe_id: str, route: str = "", mailbox: str = "") -> str:
        """Whatever stands of a probe: the less is known of it, the longer a server of many subjects has to search."""
        route_word, mailbox_word = (word(name) if name else ANY for name in (route, mailbox))
        return f"{self.namespace}.probe.{ANY}.{mailbox_word}.{route_word}.{probe_id}"

    def of_mailbox(self, mailbox: str) -> tuple[str, ...]:
        """All events of the probes whose mail arrives in a mailbox."""
        return (f"{self.namespace}.probe.{ANY}.{word(mailbox)}.>",)

    def of_vantage(self, vantage: str) -> tuple[str, ...]:
        """All events of one vantage."""
        return (f"{self.namespace}.probe.{vantage}.>", f"{self.namespace}.seen.{vantage}.>")

    @property
    def all_events(self) -> tuple[str, ...]:
        """What the stream of events takes."""
        return (f"{self.namespace}.probe.>", f"{self.namespace}.seen.>")

    @property
    def all_runs(self) -> tuple[str, ...]:
        """What the stream of runs takes."""
        return (f"{self.namespace}.schedule.>", f"{self.namespace}.run.>")


def subject_words(subject: str) -> list[str]:
    """The words of a subject, without the namespace."""
    return subject.split(".")[1:]

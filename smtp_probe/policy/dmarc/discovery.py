"""Finding a domain's DMARC policy and its organisational domain: the walk up the DNS tree (RFC 9989 section 4.10).

In: a name and `ports.Ask`. Out: what was found on the way. At most eight questions, from the name itself up to the
top-level domain; no list of public suffixes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smtp_probe.model import DnsAnswer
from smtp_probe.policy.dmarc.record import DmarcRecord, is_dmarc, read_record
from smtp_probe.ports import Ask

MOST_LABELS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One name on the way. `record` is None where there is none, or more than one: then all are discarded."""

    domain: str
    answer: DnsAnswer
    record: DmarcRecord | None = None
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The names that were asked for, the deepest first."""

    domain: str
    steps: tuple[Step, ...]

    @property
    def failed(self) -> tuple[DnsAnswer, ...]:
        """Answers that are none: what follows from the walk is then not certain. What a top-level domain publishes (psd=y)
        makes the name below it the organisational domain, which a record there does by itself.
        """
        failed = [step for step in self.steps if step.answer.is_failure]
        is_settled = (
            len(self.steps) > 1 and self.steps[-2].record is not None and "." not in self.steps[-1].domain
        )
        return tuple(step.answer for step in failed if not (is_settled and step is self.steps[-1]))

    @property
    def organisational_domain(self) -> str:
        """RFC 9989 section 4.10.2."""
        above: str | None = None
        for step in self.steps:
            psd = step.record.psd if step.record is not None else "u"
            if psd == "n":
                return step.domain
            if psd == "y" and above is not None:
                return _one_below(step.domain, self.domain)
            above = step.domain
        found = [step.domain for step in self.steps if step.record is not None]
        return found[-1] if found else self.domain

    @property
    def policy_step(self) -> Step | None:
        """Where the policy stands that holds for the name (RFC 9989 section 4.10.1)."""
        own = self.steps[0]
        if own.record is not None:
            return own
        organisational = self.organisational_domain
        found = [step for step in self.steps if step.record is not None]
        at = next((step for step in found if step.domain == organisational), None)
        return at or next(
            (step for step in found if step.record is not None and step.record.psd == "y"), None
        )


async def walk_up(domain: str, ask: Ask) -> Walk:
    """Walk from a name towards the root."""
    steps: list[Step] = []
    for target in targets(domain):
        answer = await ask(f"_dmarc.{target}", "TXT")
        step = _read_step(target, answer)
        steps.append(step)
        psd = step.record.psd if step.record is not None else "u"
        if answer.is_failure or psd == "n" or (psd == "y" and len(steps) > 1):
            break  # what stands above a name that could not be asked decides nothing
    return Walk(domain=domain, steps=tuple(steps))


def targets(domain: str) -> Iterator[str]:
    """The names to ask at: the domain, and then each above it, of deep ones the upper seven."""
    labels = domain.lower().rstrip(".").split(".")
    yield ".".join(labels)
    rest = labels[1:] if len(labels) < MOST_LABELS else labels[1 - MOST_LABELS :]
    while rest:
        yield ".".join(rest)
        rest = rest[1:]


def _read_step(domain: str, answer: DnsAnswer) -> Step:
    records = [value for value in answer.values if isinstance(value, bytes) and is_dmarc(value)]
    record = read_record(records[0]) if len(records) == 1 else None
    return Step(domain=domain, answer=answer, record=record, count=len(records))


def _one_below(suffix: str, domain: str) -> str:
    """The name one label longer than a suffix, on the way to the domain."""
    count = len(suffix.split(".")) + 1
    return ".".join(domain.lower().rstrip(".").split(".")[-count:])

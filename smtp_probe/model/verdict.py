"""What somebody says of a message's authentication: a receiver, or we ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtp_probe.model.finding import Finding


class Method(StrEnum):
    """A way to authenticate a message. Bounded: these values are metric labels."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ARC = "arc"


class Source(StrEnum):
    """Whose word it is. Bounded: these values are metric labels."""

    OWN = "own"
    RECEIVER = "receiver"


class VerdictResult(StrEnum):
    """The registered results (RFC 8601 section 2.7). Bounded: these values are metric labels."""

    PASS = "pass"  # noqa: S105  # a result
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    OTHER = "other"
    """A word that is not registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One result. Texts are sanitised and bounded."""

    method: Method
    source: Source
    result: VerdictResult
    domain: str = ""
    """Whom it is about: the signer, the envelope sender's domain, the author's domain, who sealed last."""
    detail: str = ""
    selector: str = ""
    """Of a DKIM signature."""
    aligned: bool | None = None
    """Whether it is about the author's organisation; None where that is not known, or does not apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """All that is known of one message's authentication."""

    verdicts: tuple[Verdict, ...] = ()
    """Of DKIM, one for each signature."""
    findings: tuple[Finding, ...] = ()
    unobserved: tuple[str, ...] = ()
    """What could not be looked at, and why."""

    def summary(self, method: Method, source: Source) -> Verdict | None:
        """One verdict for a method: the first that passed, else the first; None where nothing was said."""
        first: Verdict | None = None
        for each in self.verdicts:
            if each.method is not method or each.source is not source:
                continue
            is_pass = each.result is VerdictResult.PASS
            if is_pass and each.aligned:
                return each
            if first is None or (is_pass and first.result is not VerdictResult.PASS):
                first = each
        return first

    @property
    def agreement(self) -> dict[Method, bool]:
        """For each method of which both have decided: whether they agree on that it passed."""
        undecided = (VerdictResult.TEMPERROR, VerdictResult.OTHER)
        agreed: dict[Method, bool] = {}
        for method in Method:
            own, theirs = self.summary(method, Source.OWN), self.summary(method, Source.RECEIVER)
            if own is None or theirs is None or own.result in undecided or theirs.result in undecided:
                continue
            agreed[method] = (own.result is VerdictResult.PASS) == (theirs.result is VerdictResult.PASS)
        return agreed

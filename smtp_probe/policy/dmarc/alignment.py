"""Alignment and the DMARC result of one message (RFC 9989 sections 4.4 and 5.3).

In: the author's domain, the domains that SPF and DKIM have authenticated, and `ports.Ask`. Out: what aligns, and what
follows. Relaxed alignment compares organisational domains, found by the walk up the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtp_probe.model import DnsStatus
from smtp_probe.policy.dmarc.discovery import Walk, walk_up
from smtp_probe.ports import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcVerdict:
    """What DMARC says of one message."""

    result: str
    """`pass`, `fail`, `none` (no policy), `permerror`, `temperror`."""
    policy: str | None = None
    """What the domain asks for: `none`, `quarantine`, `reject`."""
    policy_domain: str | None = None
    spf_aligned: bool | None = None
    dkim_aligned: bool | None = None
    reason: str = ""


async def is_aligned(first: str, second: str, ask: Ask, *, strict: bool) -> bool | None:
    """Whether two names belong together; None where DNS did not answer."""
    first, second = first.lower().rstrip("."), second.lower().rstrip(".")
    if first == second:
        return True
    if strict or first.rpartition(".")[2] != second.rpartition(".")[2]:
        return False  # no walk leads from one top-level domain to another
    walks = [await walk_up(name, ask) for name in (first, second)]
    if any(walk.failed for walk in walks):
        return None
    return walks[0].organisational_domain == walks[1].organisational_domain


async def wants_strict_dkim(author: str | None, ask: Ask) -> bool:
    """Whether the author's policy has only signatures by exactly the author's domain count (adkim=s)."""
    if author is None:
        return False
    step = (await walk_up(author, ask)).policy_step
    return step is not None and step.record is not None and step.record.strict_dkim


async def evaluate(
    author: str, spf_domain: str | None, dkim_domains: Sequence[str], ask: Ask, *, is_complete: bool = True
) -> DmarcVerdict:
    """Judge a message: `spf_domain` and `dkim_domains` are what has passed.

    Where not all could be looked at (`is_complete`), what did not pass decides nothing.
    """
    walk = await walk_up(author, ask)
    step = walk.policy_step
    if step is None or step.record is None:
        if walk.failed:
            return DmarcVerdict(result="temperror", reason="the policy could not be looked up")
        return DmarcVerdict(result="none", reason="the domain has no DMARC policy")
    record = step.record
    if record.effective_policy is None:
        reason = "the record has neither a policy nor an address for reports"
        return DmarcVerdict(result="none", policy_domain=step.domain, reason=reason)
    policy = await applied_policy(walk, ask)
    dkim = [await is_aligned(author, name, ask, strict=record.strict_dkim) for name in dkim_domains[:10]]
    spf = await is_aligned(author, spf_domain, ask, strict=record.strict_spf) if spf_domain else False
    dkim_aligned = True if True in dkim else None if None in dkim else False
    if spf or dkim_aligned:
        result, reason = "pass", ""
    elif not is_complete or spf is None or dkim_aligned is None:
        result, reason = "temperror", "not all of it could be looked at"
    else:
        result, reason = (
            "fail",
            "neither SPF nor DKIM has authenticated a domain that aligns with the author's",
        )
    return DmarcVerdict(
        result=result,
        policy=policy,
        policy_domain=step.domain,
        spf_aligned=spf,
        dkim_aligned=dkim_aligned,
        reason=reason,
    )


async def applied_policy(walk: Walk, ask: Ask) -> str | None:
    """The policy for the walk's own name: p, or sp below the record's domain, or np for a name that does not exist."""
    step = walk.policy_step
    if step is None or step.record is None:
        return None
    record = step.record
    if step.domain == walk.steps[0].domain:
        return record.effective_policy
    fallback = record.subdomain_policy or record.effective_policy
    if record.absent_policy is None or record.absent_policy == fallback:
        return fallback
    return record.absent_policy if await _is_absent(walk.domain, ask) else fallback


async def _is_absent(domain: str, ask: Ask) -> bool:
    """RFC 9989 section 3.2.13: no A, AAAA or MX record."""
    for kind in ("MX", "A", "AAAA"):
        answer = await ask(domain, kind)
        if answer.status is DnsStatus.NO_SUCH_NAME and not answer.aliases:
            return True
        if answer.values or answer.is_failure:
            return False
    return True

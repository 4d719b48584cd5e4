"""All checks of one domain, once: which they are, in which order, and what they may cost.

In: what is known of a domain, an `Ask`, and the checks. Out: a `DomainReport`. Every check has a budget of questions and a
deadline of its own; one that is a bug is logged, and the others go on. The MX check comes first: those after it are
told the hosts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping

from smtp_probe.model import CheckResult, DomainReport, DomainUnderCheck
from smtp_probe.policy.bimi import check_bimi
from smtp_probe.policy.caa import check_caa
from smtp_probe.policy.dane import check_dane
from smtp_probe.policy.dkim.check import check_dkim
from smtp_probe.policy.dmarc.check import check_dmarc
from smtp_probe.policy.dnssec import check_dnssec
from smtp_probe.policy.identity import check_identity
from smtp_probe.policy.mta_sts import check_mta_sts
from smtp_probe.policy.mx import check_mx
from smtp_probe.policy.spf.check import check_spf
from smtp_probe.policy.tls_rpt import check_tls_rpt
from smtp_probe.ports import Ask, Check
from smtp_probe.probes.dns_budget import Budget

_log = logging.getLogger(__name__)

_QUESTIONS = 200
_CHECK_SECONDS = 60.0

DNS_CHECKS: Mapping[str, Check] = {
    "mx": check_mx,
    "identity": check_identity,
    "spf": check_spf,
    "dkim": check_dkim,
    "dmarc": check_dmarc,
    "bimi": check_bimi,
    "mta_sts": check_mta_sts,
    "tls_rpt": check_tls_rpt,
    "dane": check_dane,
    "dnssec": check_dnssec,
    "caa": check_caa,
}
"""The checks that need nothing but DNS, by the name of their section. Those that need more are given by who composes."""


async def check_domain(subject: DomainUnderCheck, ask: Ask, checks: Mapping[str, Check]) -> DomainReport:
    """Run all checks: `mx` first, where it is one of them, then the others at once."""
    budgets = {name: Budget(ask, _QUESTIONS, _CHECK_SECONDS) for name in checks}
    results: dict[str, CheckResult] = {}
    if "mx" in checks:
        results["mx"] = await _run("mx", checks["mx"], subject, budgets["mx"])
        hosts = tuple(results["mx"].facts.get("hosts", ()))
        subject = dataclasses.replace(subject, mx_hosts=hosts)
    others = [name for name in checks if name not in results]
    ended = await asyncio.gather(*(_run(name, checks[name], subject, budgets[name]) for name in others))
    results.update(zip(others, ended, strict=True))
    asked = [
        budget for name, budget in budgets.items() if name != "dnsbl"
    ]  # a listing is no record of the domain
    answers = {key: answer for budget in asked for key, answer in budget.answers.items()}
    return DomainReport(subject=subject, results=results, records=tuple(answers.values()))


async def _run(name: str, check: Check, subject: DomainUnderCheck, budget: Budget) -> CheckResult:
    """One check. A bug in it is told as what it is, and is nobody's finding."""
    try:
        async with asyncio.timeout(2 * _CHECK_SECONDS):
            return await check(subject, budget)
    except TimeoutError:
        return CheckResult(unobserved=(f"the check {name} took longer than {2 * _CHECK_SECONDS:g} s",))
    except Exception as error:  # noqa: BLE001 - a bug in one check must not cost the others their say
        _log.error("a check failed", exc_info=error, extra={"check": name, "domain": subject.domain})
        return CheckResult(unobserved=(f"the check {name} failed by a bug of smtp-probe; the log has it",))

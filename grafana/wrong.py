"""What is wrong now, in words: one query, whose rows are the problems of all parts, and lead to the dashboard of each."""

from __future__ import annotations

from .selectors import increase, select

FILLED_BY = {each: each for each in ("route", "domain", "queue", "drill", "mailbox")} | {"by": "hop"}
"""The variable that the subject of a problem fills, on the dashboard that tells more of it."""


def _problem(words: str, expr: str, urgency: tuple[int, str], subject: str, told: str = "") -> str:
    """Tell a condition in words: what, of what, how bad, and the dashboard that tells more, filled with the subject."""
    level, page = urgency
    variable = FILLED_BY.get(subject, "instance")
    target = f"{page}?var-{variable}=$1"
    named = f'label_replace({expr} ^ 0 * {level}, "subject", "$1", "{subject}", "(.+)")'
    source = f'"{told}", "(.+)"' if told else '"", ""'
    described = f'label_replace({named}, "problem", "{words}", {source})'
    return f'label_replace({described}, "page", "{target}", "{subject if subject in FILLED_BY else "instance"}", "(.+)")'


def wrong_now() -> str:
    """Give a row for each problem: in words, of what, on which dashboard; its value is how urgent it is."""
    dns, queue, prober, route, hops = (
        f"smtp-probe-{name}" for name in ("dns", "queue", "prober", "route", "hops")
    )
    since_probe = f"(time() - {select('last_probe_timestamp_seconds', 'route')})"
    soon = f"({select('tls_certificate_not_after_timestamp_seconds')} - time() < 14 * 86400)"
    problems = (
        _problem(
            "Alert $1 fires",
            '(ALERTS{alertname=~"SmtpProbe.+",alertstate="firing",severity="critical"} > 0)',
            (3, route),
            "instance",
            "alertname",
        ),
        _problem(
            "Probes fail: $1",
            f"(sum by (route, reason, instance) ({increase('$window', 'probe_failures_total', 'route')}) > 0)",
            (3, route),
            "route",
            "reason",
        ),
        _problem(
            "No probe is sent any more",
            f"({since_probe} > 3 * {select('interval_seconds', 'route')} + 60)",
            (3, prober),
            "route",
        ),
        _problem(
            "The journal cannot be written, nothing is sent",
            f"({select('journal_up')} == 0)",
            (3, prober),
            "instance",
        ),
        _problem("The mailbox is out of view", f"({select('mailbox_up')} == 0)", (2, prober), "mailbox"),
        _problem(
            "The mailbox is nearly full: $1",
            f"({select('mailbox_quota_used_ratio')} > 0.95)",
            (2, prober),
            "mailbox",
            "resource",
        ),
        _problem(
            "Not to be observed: $1",
            f"(sum by (route, reason, instance) ({increase('$window', 'unobserved_total', 'route')}) > 0)",
            (2, prober),
            "route",
            "reason",
        ),
        _problem(
            "The last reload of the configuration was refused",
            f"({select('config_last_reload_successful')} == 0)",
            (2, prober),
            "instance",
        ),
        _problem(
            "An address of an exchanger is down: $1",
            f"({select('exchanger_up')} == 0)",
            (2, dns),
            "domain",
            "address",
        ),
        _problem("On the block list $1", f"({select('dnsbl_listed')} == 1)", (2, dns), "domain", "zone"),
        _problem(
            "Wrong in DNS or at the exchangers: $1",
            f"({select('finding', 'severity=error', 'domain!=')} == 1)",
            (2, dns),
            "domain",
            "check",
        ),
        _problem(
            "Wrong with the last message: $1",
            f"({select('finding', 'severity=error', 'route!=', 'route')} == 1)",
            (2, route),
            "route",
            "check",
        ),
        _problem("The queue cannot be read", f"({select('queue_up')} == 0)", (2, queue), "queue"),
        _problem("A drill failed", f"({select('drill_healthy')} == 0)", (2, queue), "drill"),
        _problem(
            "Message doubled",
            f"(sum by (route, instance) ({increase('$window', 'duplicate_messages_total', 'route')}) > 0)",
            (2, route),
            "route",
        ),
        _problem(
            "Taken in plaintext from outside by $1",
            f"({select('hop_tls', 'leg=transport')} == 0)",
            (1, hops),
            "by",
            "by",
        ),
        _problem("A certificate ends within two weeks", soon, (1, dns), "endpoint"),
        _problem(
            "Messages arrive whose tag is not ours",
            f"(sum by (instance) ({increase('$window', 'forged_messages_total')}) > 0)",
            (1, prober),
            "instance",
        ),
        _problem(
            "Takes another way than before",
            f"(sum by (route, instance) ({increase('$window', 'path_changes_total', 'route')}) > 0)",
            (1, hops),
            "route",
        ),
    )
    kept = " or ".join(problems)
    return f"max by (problem, subject, page, instance) ({kept})"

"""DNS and exchangers: what is about to fail?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from .frame import ROUTE, WINDOW, dashboard, variable
from .links import DOMAIN as TO_DOMAIN
from .links import PROBER
from .links import ROUTE as TO_ROUTE
from .panels import GREEN, ORANGE, RED, YELLOW, Column, Look, Query, graph, matrix, rows, timeline
from .selectors import increase, select

UID = "smtp-probe-dns"
DOMAIN = variable("domain", "check_up")
SEVERITIES = {
    "critical": ("critical", RED),
    "error": ("error", RED),
    "warning": ("warning", ORANGE),
    "info": ("info", GREEN),
}
SOON = ((None, RED), (7 * 86400, ORANGE), (21 * 86400, YELLOW), (30 * 86400, GREEN))


def _left() -> str:
    """Give the time left of all that ends: certificates and policies, with what it is in words."""
    ends = (
        (
            "certificate",
            f"max by (host, address) ({select('exchanger_certificate_not_after_timestamp_seconds', 'domain')})",
            ("host", "address"),
        ),
        (
            "certificate",
            f"max by (endpoint) ({select('tls_certificate_not_after_timestamp_seconds')})",
            ("endpoint",),
        ),
        (
            "MTA-STS policy",
            f"max by (domain) ({select('mta_sts_policy_expiry_timestamp_seconds', 'domain')})",
            ("domain",),
        ),
    )
    told = []
    for kind, expr, labels in ends:
        quoted = ", ".join(f'"{label}"' for label in labels)
        joined = f'label_join({expr}, "of", " ", {quoted})'
        told.append(f'label_replace(max by (of) ({joined}), "kind", "{kind}", "", "")')
    return f"({' or '.join(told)}) - time()"


def build() -> Dashboard:
    """Give the dashboard."""
    findings = rows(
        Look(
            "Findings",
            "What is wrong with the domains and with the last messages of the routes; docs/checks.md tells what each means and what to change.",
            (
                Query(
                    f"max by (domain, route, check, severity) ({select('finding', 'domain!=', 'domain')} == 1 or {select('finding', 'route!=', 'route')} == 1)"
                ),
            ),
            "none",
            width=14,
            height=10,
            nothing="no finding",
        ),
        (
            Column("severity", "severity", words=SEVERITIES),
            Column("domain", "domain", links=(TO_DOMAIN.of_row("domain"),)),
            Column("route", "route", links=(TO_ROUTE.of_row("route"),)),
            Column("check", "finding"),
        ),
        sort="severity",
        descending=False,
    )
    ends = rows(
        Look(
            "What ends next",
            "Time left of certificates (of exchangers, senders, mailboxes) and of MTA-STS policies, the shortest first.",
            (Query(_left()),),
            "s",
            width=10,
            height=10,
            nothing="no certificate and no policy seen",
        ),
        (Column("kind", "what"), Column("of", "of"), Column("Value", "left", unit="s", steps=SOON)),
        sort="left",
        descending=False,
    )
    exchangers = rows(
        Look(
            "Exchangers, address by address",
            "Whether each address of the MX hosts greets and answers EHLO, and how long it takes to connect and to encrypt.",
            (
                Query(f"min by (domain, host, address) ({select('exchanger_up', 'domain')})"),
                Query(
                    f"sum by (domain, host, address) ({select('exchanger_phase_duration_seconds', 'domain')})"
                ),
                Query(
                    f"max by (domain, host, address) ({select('exchanger_certificate_not_after_timestamp_seconds', 'domain')}) - time()"
                ),
            ),
            "none",
            width=14,
            height=9,
            nothing="no exchanger is visited",
        ),
        (
            Column("domain", "domain", links=(TO_DOMAIN.of_row("domain"),)),
            Column("host", "host"),
            Column("address", "address"),
            Column("Value #A", "answers", words={"0": ("no", RED), "1": ("yes", GREEN)}),
            Column("Value #B", "visit took", unit="s", steps=((None, GREEN), (5, YELLOW), (30, RED))),
            Column("Value #C", "certificate left", unit="s", steps=SOON),
        ),
        sort="answers",
        descending=False,
    )
    listed = f"max by (domain, zone) ({select('dnsbl_listed', 'domain')})"
    return dashboard(
        UID,
        "smtp-probe / DNS and exchangers",
        "What is about to fail: what domains publish, what their exchangers answer, what ends soon, who lists us?",
        (
            (findings, ends),
            (
                exchangers,
                matrix(
                    Look(
                        "Block lists",
                        "1: a block list has an address or a name of the domain. Empty: the list said nothing.",
                        (Query(listed),),
                        "none",
                        ((None, GREEN), (1, RED)),
                        width=10,
                        height=9,
                        nothing="no block list is asked",
                        words={"0": ("not listed", GREEN), "1": ("listed", RED)},
                        links=(TO_DOMAIN.of_row("domain"),),
                    ),
                    row="domain",
                    column="zone",
                ),
            ),
            (
                timeline(
                    Look(
                        "Exchangers over time",
                        "Whether each address answered.",
                        (
                            Query(
                                f"min by (host, address) ({select('exchanger_up', 'domain')})",
                                "{{host}} {{address}}",
                            ),
                        ),
                        "none",
                        ((None, RED), (1, GREEN)),
                        words={"0": ("down", RED), "1": ("up", GREEN)},
                        width=12,
                        links=(TO_DOMAIN,),
                        nothing="no exchanger is visited",
                    )
                ),
                graph(
                    Look(
                        "Visits to exchangers by phase",
                        "Longest of all addresses: where a visit spends its time.",
                        (
                            Query(
                                f"max by (domain, phase) ({select('exchanger_phase_duration_seconds', 'domain')})",
                                "{{domain}} {{phase}}",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (5, YELLOW), (30, RED)),
                        width=12,
                        least=0,
                        links=(TO_DOMAIN,),
                        nothing="no exchanger is visited",
                    )
                ),
            ),
            (
                matrix(
                    Look(
                        "Verdicts of the last messages",
                        "Routes whose last message has a method that did not pass, by our own verification and by the receiver's word.",
                        (
                            Query(
                                f'max by (route, method) (label_join({select("verdict", "route", "result!=pass")} == 1, "method", " ", "method", "source", "result"))'
                            ),
                        ),
                        "none",
                        ((None, GREEN), (1, ORANGE)),
                        width=12,
                        nothing="all pass",
                        links=(TO_ROUTE.of_row("route"),),
                    ),
                    row="route",
                    column="method",
                ),
                rows(
                    Look(
                        "What cannot be looked at",
                        "Checks that could not be observed at the last look: their findings stay as they were.",
                        (Query(f"min by (domain, check) ({select('check_up', 'domain')}) == 0"),),
                        "none",
                        width=6,
                        nothing="all can be looked at",
                    ),
                    (
                        Column("domain", "domain", links=(TO_DOMAIN.of_row("domain"),)),
                        Column("check", "check"),
                    ),
                ),
                rows(
                    Look(
                        "Room left",
                        "SPF look-ups left of ten, bits of the shortest DKIM key, and when the domain was looked at.",
                        (
                            Query(f"min by (domain) ({select('spf_lookups_left', 'domain')})"),
                            Query(f"min by (domain) ({select('dkim_key_length', 'domain')})"),
                            Query(
                                f"max by (domain) ({select('domain_last_check_timestamp_seconds', 'domain')}) * 1000"
                            ),
                        ),
                        "none",
                        width=6,
                    ),
                    (
                        Column("domain", "domain", links=(TO_DOMAIN.of_row("domain"),)),
                        Column(
                            "Value #A",
                            "SPF look-ups",
                            unit="none",
                            steps=((None, RED), (1, YELLOW), (3, GREEN)),
                        ),
                        Column("Value #B", "DKIM key", unit="none", steps=((None, RED), (2048, GREEN))),
                        Column("Value #C", "looked at", unit="dateTimeFromNow"),
                    ),
                ),
            ),
            (
                graph(
                    Look(
                        "Records that changed",
                        "Record sets seen to change, by what they are.",
                        (
                            Query(
                                f"sum by (domain, record) ({increase('$window', 'dns_record_changes_total', 'domain')}) > 0",
                                "{{domain}} {{record}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, YELLOW)),
                        width=8,
                        least=0,
                        links=(TO_DOMAIN,),
                        nothing="no change",
                    ),
                    bars=True,
                ),
                graph(
                    Look(
                        "Questions to DNS",
                        "Questions that went out, by how they ended. Time-outs here make checks and verdicts unobserved.",
                        (
                            Query(
                                f"sum by (status) ({increase('$window', 'dns_queries_total')}) > 0",
                                "{{status}}",
                            ),
                            Query(
                                f"histogram_quantile(0.95, sum by (le) ({increase('$window', 'dns_query_duration_seconds_bucket')}))",
                                "95 % answered within",
                            ),
                        ),
                        "none",
                        width=8,
                        least=0,
                        links=(PROBER,),
                    ),
                    dashed="B",
                    dashed_unit="s",
                ),
                rows(
                    Look(
                        "Least TTL",
                        "How soon a change of a record set is seen by the world, at the latest.",
                        (Query(f"min by (domain, record) ({select('dns_record_ttl_seconds', 'domain')})"),),
                        "s",
                        width=8,
                    ),
                    (
                        Column("domain", "domain", links=(TO_DOMAIN.of_row("domain"),)),
                        Column("record", "record"),
                        Column("Value", "TTL", unit="s"),
                    ),
                    sort="TTL",
                    descending=True,
                ),
            ),
        ),
        (ROUTE, DOMAIN, WINDOW),
    )

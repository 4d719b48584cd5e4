"""Route: where does the time of one route go, and why do its probes fail?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from .frame import HOP, ONE_ROUTE, WINDOW, dashboard
from .links import BOUNCES, PATHS, PROBER
from .links import HOP as TO_HOP
from .panels import GREEN, GREY, ORANGE, RED, YELLOW, Column, Look, Query, graph, heat, number, rows, timeline
from .selectors import increase, quantile, select, usual

UID = "smtp-probe-route"
RESULTS = ("pass", "none", "neutral", "policy", "softfail", "temperror", "permerror", "fail", "other")
"""Results of authentication; the state timeline shows each by its place here."""


def verdicts() -> str:
    """Give the result of each method as a number: the place in `RESULTS`."""
    return " or ".join(
        f"{place} * max by (method, source) ({select('verdict', 'route', f'result={result}')} == 1)"
        for place, result in enumerate(RESULTS)
    )


def per_hop(metric: str) -> str:
    """A gauge of the last arrival's hops."""
    return f"max by (hop, by) ({select(metric, 'route', 'by')})"


def build() -> Dashboard:
    """Give the dashboard."""
    slow = ((None, GREEN), (60, YELLOW), (300, RED))
    colours = (GREEN, GREY, GREY, GREY, ORANGE, YELLOW, RED, RED, GREY)
    words = {str(place): (result, colours[place]) for place, result in enumerate(RESULTS)}
    arrived = (
        f"sum(increase({select('delivery_duration_seconds_bucket', 'route')}[$__rate_interval])) by (le)"
    )
    placed = f"sum by (placement) ({increase('$window', 'placement_total', 'route')})"
    last = (
        number(
            Look(
                "Last message took",
                "Delivery time of the message that arrived last.",
                (Query(f"max(({select('last_delivery_duration_seconds', 'route')}))", "delivery"),),
                "s",
                slow,
                links=(TO_HOP,),
                width=4,
                height=4,
                nothing="none yet",
            )
        ),
        number(
            Look(
                "Last success",
                "When a probe last ended well and in time.",
                (Query(f"max({select('last_success_timestamp_seconds', 'route')}) * 1000", "success"),),
                "dateTimeFromNow",
                width=4,
                height=4,
                nothing="none yet",
            )
        ),
        number(
            Look(
                "Last probe sent",
                "When a probe was last submitted. It should be no longer ago than the interval.",
                (
                    Query(f"max({select('last_probe_timestamp_seconds', 'route')}) * 1000", "sent"),
                    Query(f"max({select('interval_seconds', 'route')}) * 1000", "interval"),
                ),
                "dateTimeFromNow",
                width=6,
                height=4,
                nothing="none yet",
            ),
            units={"interval": "ms"},
        ),
        number(
            Look(
                "Slowest hop now",
                "Which host took the longest with the last message.",
                (Query(f"max by (by) ({select('slowest_hop', 'route')} == 1)", "{{by}}"),),
                "none",
                links=(TO_HOP,),
                width=6,
                height=4,
                nothing="none yet",
            ),
            words_only=True,
        ),
        number(
            Look(
                "Doubled",
                "Further copies of messages that had been found before.",
                (Query(f"sum({increase('$window', 'duplicate_messages_total', 'route')})", "copies"),),
                "none",
                ((None, GREEN), (0.5, ORANGE)),
                width=4,
                height=4,
            )
        ),
    )
    hops = rows(
        Look(
            "The last message, hop by hop",
            "Time of each hop of the last arrival, corrected for the hosts' clocks, and how far at most the truth is from it.",
            (Query(per_hop("hop_last_duration_seconds")), Query(per_hop("hop_uncertainty_seconds"))),
            "s",
            width=8,
            height=9,
        ),
        (
            Column("hop", "hop"),
            Column("by", "taken by", links=(TO_HOP.of_row("taken by"),)),
            Column("Value #A", "took", unit="s", steps=((None, GREEN), (30, YELLOW), (120, RED))),
            Column("Value #B", "give or take", unit="s"),
        ),
        sort="took",
    )
    return dashboard(
        UID,
        "smtp-probe / Route",
        "Where does the time of a route go, what becomes of its messages, and why do they fail?",
        (
            last,
            (
                heat(
                    Look(
                        "When do messages arrive?",
                        "Delivery times; each dot is a probe: click it, then 'Open probe', for its waterfall, dialogue and hops.",
                        (Query(arrived, "{{le}}", exemplar=True),),
                        "s",
                        links=(PATHS,),
                        nothing="no arrival",
                    )
                ),
                graph(
                    Look(
                        "Half and 95 of 100 arrive within",
                        "Quantiles of the delivery time against the usual 95 % (dashed).",
                        (
                            Query(
                                quantile(0.95, "$window", "delivery_duration_seconds", "route"),
                                "{{route}} 95 %",
                                exemplar=True,
                            ),
                            Query(usual(0.95, "delivery_duration_seconds", "route"), "{{route}} 95 % usual"),
                            Query(
                                quantile(0.5, "$window", "delivery_duration_seconds", "route"),
                                "{{route}} 50 %",
                            ),
                        ),
                        "s",
                        slow,
                        links=(PATHS,),
                        least=0,
                    ),
                    dashed="B",
                ),
            ),
            (
                graph(
                    Look(
                        "Where does the time go: hops",
                        "Time of each hop of the last arrival, stacked: the sum is the delivery time. Dashed: how uncertain each is.",
                        (
                            Query(per_hop("hop_last_duration_seconds"), "{{hop}} {{by}}"),
                            Query(per_hop("hop_uncertainty_seconds"), "give or take {{hop}} {{by}}"),
                        ),
                        "s",
                        links=(TO_HOP,),
                        width=16,
                        height=9,
                        least=0,
                    ),
                    stacked=True,
                    dashed="B",
                ),
                hops,
            ),
            (
                graph(
                    Look(
                        "Legs",
                        "Whose side is slow: our own servers, the way between, or the receiver's servers.",
                        (Query(f"max by (leg) ({select('leg_duration_seconds', 'route')})", "{{leg}}"),),
                        "s",
                        links=(PATHS,),
                        least=0,
                        width=8,
                    ),
                    stacked=True,
                ),
                graph(
                    Look(
                        "Submission",
                        "Phases of the last SMTP transaction. 'accept' is the server's content filter; 'connect' the network.",
                        (
                            Query(
                                f"max by (phase) ({select('submission_phase_last_duration_seconds', 'route')})",
                                "{{phase}}",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (10, YELLOW), (60, RED)),
                        least=0,
                        width=8,
                        links=(PROBER,),
                    ),
                    stacked=True,
                ),
                graph(
                    Look(
                        "Submission, 95 of 100 within",
                        "The same by sender, over all its routes.",
                        (
                            Query(
                                quantile(
                                    0.95, "$window", "submission_phase_duration_seconds", by="sender, phase"
                                ),
                                "{{sender}} {{phase}}",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (10, YELLOW), (60, RED)),
                        least=0,
                        width=8,
                        links=(PROBER,),
                    )
                ),
            ),
            (
                graph(
                    Look(
                        "Failures by reason",
                        "Probes that failed.",
                        (
                            Query(
                                f"sum by (reason) ({increase('$window', 'probe_failures_total', 'route')}) > 0",
                                "{{reason}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, RED)),
                        links=(BOUNCES,),
                        width=8,
                        least=0,
                        nothing="no failure",
                    ),
                    stacked=True,
                    bars=True,
                ),
                graph(
                    Look(
                        "Ends of probes",
                        "How probes ended; an overdue one ends as late, bounced or lost.",
                        (
                            Query(
                                f"sum by (outcome) ({increase('$window', 'outcomes_total', 'route')}) > 0",
                                "{{outcome}}",
                            ),
                        ),
                        "none",
                        links=(BOUNCES,),
                        width=8,
                        least=0,
                    ),
                    stacked=True,
                    bars=True,
                ),
                graph(
                    Look(
                        "SMTP replies",
                        "Replies that decided a submission, by phase and code, and transactions to be tried again.",
                        (
                            Query(
                                f"sum by (phase, code) ({increase('$window', 'smtp_replies_total', 'route')}) > 0",
                                "{{phase}} {{code}}",
                            ),
                            Query(
                                f"sum by (sender) ({increase('$window', 'submission_retries_total')})",
                                "to be tried again: {{sender}}",
                            ),
                        ),
                        "none",
                        links=(BOUNCES,),
                        width=8,
                        least=0,
                        nothing="no reply",
                    ),
                    stacked=True,
                    bars=True,
                ),
            ),
            (
                graph(
                    Look(
                        "Placement",
                        "Where messages were found. Anything but the inbox is mail that nobody reads.",
                        (Query(placed, "{{placement}}"),),
                        "none",
                        links=(BOUNCES,),
                        width=8,
                        least=0,
                    ),
                    stacked=True,
                    bars=True,
                ),
                timeline(
                    Look(
                        "Verdicts",
                        "Authentication of the last message: our own verification, and the receiver's word.",
                        (Query(verdicts(), "{{method}} {{source}}"),),
                        "none",
                        words=words,
                        width=8,
                        links=(PATHS,),
                    )
                ),
                graph(
                    Look(
                        "Spam score",
                        "Score of the last message by filter, and where it becomes spam (dashed).",
                        (
                            Query(f"max by (filter) ({select('spam_score', 'route')})", "{{filter}}"),
                            Query(
                                f"max by (filter) ({select('spam_score_threshold', 'route')})",
                                "{{filter}}: spam from",
                            ),
                        ),
                        "none",
                        width=8,
                        links=(BOUNCES,),
                        nothing="no filter said a score",
                    ),
                    dashed="B",
                ),
            ),
            (
                rows(
                    Look(
                        "What the last message shows",
                        "Findings of the last message, and methods on which we and the receiver disagree.",
                        (
                            Query(
                                f'max by (check, severity) ({select("finding", "route!=", "route")} == 1) or max by (check, severity) (label_replace(label_replace({select("verdict_disagreement", "route")} == 1, "check", "the receiver disagrees on $1", "method", "(.+)"), "severity", "info", "", ""))'
                            ),
                        ),
                        "none",
                        width=12,
                        height=7,
                        nothing="no finding",
                    ),
                    (
                        Column(
                            "severity",
                            "severity",
                            words={
                                "error": ("error", RED),
                                "warning": ("warning", ORANGE),
                                "info": ("info", GREEN),
                            },
                        ),
                        Column("check", "finding (docs/checks.md)"),
                    ),
                    sort="severity",
                    descending=False,
                ),
                rows(
                    Look(
                        "The route",
                        "What it consists of, the way its last message took, and how many servers it passed.",
                        (
                            Query(f"max by (sender, mailbox) ({select('route_info', 'route')})"),
                            Query(f"max by (path, origin) ({select('path_info', 'route')})"),
                            Query(f"max({select('hops', 'route')})"),
                        ),
                        "none",
                        width=12,
                        height=7,
                    ),
                    (
                        Column("sender", "sender"),
                        Column("mailbox", "mailbox"),
                        Column("path", "path"),
                        Column("origin", "lowest line"),
                        Column("Value #C", "Received lines"),
                    ),
                ),
            ),
        ),
        (ONE_ROUTE, HOP, WINDOW),
    )

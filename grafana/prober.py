"""Prober: can what watches the mail be trusted now?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from .frame import ROUTE, WINDOW, dashboard, variable
from .links import ROUTE as TO_ROUTE
from .panels import (
    ANY_IS_BAD,
    GREEN,
    ORANGE,
    RED,
    UP_OR_NOT,
    YELLOW,
    Column,
    Look,
    Query,
    graph,
    number,
    rows,
    timeline,
)
from .selectors import increase, select

UID = "smtp-probe-prober"
MAILBOX = variable("mailbox", "mailbox_up")


def build() -> Dashboard:
    """Give the dashboard."""
    good = {"0": ("no", RED), "1": ("yes", GREEN)}
    version = rows(
        Look(
            "Probers",
            "Version of each, and when its configuration was loaded.",
            (
                Query(f"max by (instance, version, pythonversion) ({select('build_info')})"),
                Query(f"max by (instance) ({select('config_last_reload_success_timestamp_seconds')}) * 1000"),
                Query(f"max by (instance, shard, shards) ({select('shard_info')})"),
            ),
            "none",
            width=8,
            height=5,
        ),
        (
            Column("instance", "instance"),
            Column("version", "version"),
            Column("pythonversion", "Python"),
            Column("shard", "shard"),
            Column("shards", "of"),
            Column("Value #B", "configuration of", unit="dateTimeFromNow"),
        ),
    )
    return dashboard(
        UID,
        "smtp-probe / Prober",
        "Can the prober see? Lag, mailboxes, journal, what could not be observed. What is red here comes before the rest.",
        (
            (
                number(
                    Look(
                        "Scraped",
                        "Whether the last scrape worked.",
                        (Query('min(up{job=~"$job",instance=~"$instance"})', "scraped"),),
                        "none",
                        UP_OR_NOT,
                        words=good,
                        width=4,
                        height=5,
                        nothing="no prober",
                    )
                ),
                number(
                    Look(
                        "Journal",
                        "Whether the journal can be written. Nothing is sent while it cannot.",
                        (Query(f"min({select('journal_up')})", "written"),),
                        "none",
                        UP_OR_NOT,
                        words=good,
                        width=4,
                        height=5,
                    )
                ),
                number(
                    Look(
                        "Configuration",
                        "Whether the last reload was accepted. If not, the one before it is in force.",
                        (Query(f"min({select('config_last_reload_successful')})", "accepted"),),
                        "none",
                        UP_OR_NOT,
                        words=good,
                        width=4,
                        height=5,
                    )
                ),
                number(
                    Look(
                        "Bugs met",
                        "Exceptions that are faults of smtp-probe: please report them.",
                        (Query(f"sum({increase('$window', 'internal_errors_total')})", "bugs"),),
                        "none",
                        ANY_IS_BAD,
                        width=4,
                        height=5,
                    )
                ),
                version,
            ),
            (
                timeline(
                    Look(
                        "Mailboxes in view",
                        "Whether all folders of each mailbox are watched. What ends there meanwhile is unobserved.",
                        (Query(f"min by (mailbox) ({select('mailbox_up', 'mailbox')})", "{{mailbox}}"),),
                        "none",
                        UP_OR_NOT,
                        words={"0": ("out of view", RED), "1": ("watched", GREEN)},
                        links=(TO_ROUTE,),
                    )
                ),
                graph(
                    Look(
                        "Not to be observed",
                        "Probes of which nothing can be said, by reason: our fault, never the mail's.",
                        (
                            Query(
                                f"sum by (route, reason) ({increase('$window', 'unobserved_total', 'route')}) > 0",
                                "{{route}}: {{reason}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, ORANGE)),
                        links=(TO_ROUTE,),
                        least=0,
                        nothing="all was observed",
                    ),
                    stacked=True,
                    bars=True,
                ),
            ),
            (
                graph(
                    Look(
                        "Lag",
                        "How late a scheduled probe began: the worst of a minute. Above a second, the machine is short of processor time.",
                        (Query(f"max by (instance) ({select('scheduler_lag_seconds')})", "{{instance}}"),),
                        "s",
                        ((None, GREEN), (1, YELLOW), (5, RED)),
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
                graph(
                    Look(
                        "Left out, and lost connections",
                        "Probes that were due and not sent, and connections to mailboxes that were lost.",
                        (
                            Query(
                                f"sum by (route) ({increase('$window', 'schedule_missed_total', 'route')})",
                                "left out: {{route}}",
                            ),
                            Query(
                                f"sum by (mailbox) ({increase('$window', 'mailbox_reconnects_total', 'mailbox')})",
                                "lost: {{mailbox}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, YELLOW)),
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
                graph(
                    Look(
                        "From the store to our eyes",
                        "Time until a message that is stored is seen. No part of the delivery time.",
                        (
                            Query(
                                f"max by (mailbox) ({select('visibility_delay_seconds', 'mailbox')})",
                                "{{mailbox}}",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (10, YELLOW), (60, RED)),
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
            ),
            (
                graph(
                    Look(
                        "Our clock",
                        "How far the wall clock was moved since the start. Durations are not touched by it.",
                        (Query(f"max by (instance) ({select('clock_step_seconds')})", "{{instance}}"),),
                        "s",
                        links=(TO_ROUTE,),
                        width=8,
                    )
                ),
                graph(
                    Look(
                        "Lines logged",
                        "Warnings and worse; the log names the cause.",
                        (
                            Query(
                                f"sum by (level) ({increase('$window', 'log_messages_total', 'level=~warning|error|critical')})",
                                "{{level}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (10, YELLOW)),
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
                graph(
                    Look(
                        "Strange messages in the mailboxes",
                        "With a tag whose signature is not ours, of another prober, or changed on their way.",
                        (
                            Query(f"sum({increase('$window', 'forged_messages_total')})", "forged"),
                            Query(
                                f"sum by (mailbox) ({increase('$window', 'stray_messages_total', 'mailbox')})",
                                "of another prober: {{mailbox}}",
                            ),
                            Query(f"sum({increase('$window', 'corrupted_messages_total')})", "damaged"),
                            Query(
                                f"sum by (kind) ({increase('$window', 'altered_messages_total')})",
                                "changed: {{kind}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, ORANGE)),
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
            ),
            (
                rows(
                    Look(
                        "Tokens of credentials",
                        "Time left of each access token that is held; it is renewed before its end.",
                        (
                            Query(
                                f"min by (credential) ({select('credential_expiry_timestamp_seconds')}) - time()"
                            ),
                        ),
                        "s",
                        nothing="no credential holds a token",
                    ),
                    (
                        Column("credential", "credential"),
                        Column("Value", "left", unit="s", steps=((None, RED), (60, YELLOW), (300, GREEN))),
                    ),
                    sort="left",
                    descending=False,
                ),
                graph(
                    Look(
                        "Requests for tokens",
                        "By how they ended. Anything but 'renewed' makes probes unobserved in the end.",
                        (
                            Query(
                                f"sum by (credential, result) ({increase('$window', 'credential_refreshes_total')}) > 0",
                                "{{credential}}: {{result}}",
                            ),
                        ),
                        "none",
                        links=(TO_ROUTE,),
                        least=0,
                        nothing="no token was asked for",
                    ),
                    stacked=True,
                    bars=True,
                ),
            ),
            (
                graph(
                    Look(
                        "Memory",
                        "Resident memory of the process.",
                        (
                            Query(
                                'max by (instance) (process_resident_memory_bytes{job=~"$job",instance=~"$instance"})',
                                "{{instance}}",
                            ),
                        ),
                        "bytes",
                        links=(TO_ROUTE,),
                        least=0,
                    )
                ),
                graph(
                    Look(
                        "Processor",
                        "Processor time by second: 1 is one core.",
                        (
                            Query(
                                'max by (instance) (rate(process_cpu_seconds_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))',
                                "{{instance}}",
                            ),
                        ),
                        "percentunit",
                        ((None, GREEN), (0.8, YELLOW)),
                        links=(TO_ROUTE,),
                        least=0,
                    )
                ),
            ),
        ),
        (ROUTE, MAILBOX, WINDOW),
    )

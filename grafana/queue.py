"""Queue, bounces and drills: what is stuck, what comes back, and what would happen if?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from .dns import SEVERITIES
from .frame import ROUTE, WINDOW, dashboard, variable
from .links import QUEUE as TO_QUEUE
from .links import ROUTE as TO_ROUTE
from .panels import GREEN, ORANGE, RED, YELLOW, Column, Look, Query, bars, graph, rows, timeline
from .selectors import increase, quantile, select

UID = "smtp-probe-queue"
QUEUE = variable("queue", "queue_info")
DRILL = variable("drill", "drill_info")


def build() -> Dashboard:
    """Give the dashboard."""
    old = ((None, GREEN), (900, YELLOW), (3600, RED))
    queue_table = rows(
        Look(
            "Queues",
            "How each queue is read, whether the last look saw all of it, how long ago that was, and our own probes in it.",
            (
                Query(f"max by (queue, kind, method) ({select('queue_info', 'queue')})"),
                Query(f"min by (queue) ({select('queue_up', 'queue')})"),
                Query(f"max by (queue) ({select('queue_last_read_timestamp_seconds', 'queue')}) * 1000"),
                Query(f"max by (queue) ({select('queue_read_duration_seconds', 'queue')})"),
                Query(f"sum by (queue) ({select('queue_probes', 'queue')})"),
                Query(f"sum by (queue) ({select('queue_size_bytes', 'queue')})"),
            ),
            "none",
            width=12,
            height=7,
            nothing="no queue is watched",
        ),
        (
            Column("queue", "queue", links=(TO_QUEUE.of_row("queue"),)),
            Column("kind", "kind"),
            Column("method", "read by"),
            Column("Value #B", "seen", words={"0": ("no", RED), "1": ("yes", GREEN)}),
            Column("Value #C", "last", unit="dateTimeFromNow"),
            Column("Value #D", "took", unit="s"),
            Column("Value #E", "our probes", unit="none"),
            Column("Value #F", "size", unit="bytes"),
        ),
        sort="queue",
        descending=False,
    )
    wrong = rows(
        Look(
            "What is wrong with retries and drills",
            "Findings of the retry schedules and of the drills; docs/checks.md says what to change. Looks that failed, too.",
            (
                Query(
                    f'max by (queue, drill, check, severity) ({select("queue_finding", "queue")} == 1 or {select("drill_finding", "drill")} == 1 or label_replace(label_replace({increase("$window", "queue_read_failures_total", "queue")} > 0, "check", "not to be read: $1", "reason", "(.+)"), "severity", "warning", "", ""))'
                ),
            ),
            "none",
            width=12,
            height=7,
            nothing="nothing is wrong",
        ),
        (
            Column("severity", "severity", words=SEVERITIES),
            Column("queue", "queue"),
            Column("drill", "drill"),
            Column("check", "finding"),
        ),
        sort="severity",
        descending=False,
    )
    drills = rows(
        Look(
            "Drills",
            "When each last ran, how long it took, and what failing over took.",
            (
                Query(f"max by (drill, kind) ({select('drill_info', 'drill')})"),
                Query(f"min by (drill) ({select('drill_healthy', 'drill')})"),
                Query(f"max by (drill) ({select('drill_last_run_timestamp_seconds', 'drill')}) * 1000"),
                Query(f"max by (drill) ({select('drill_duration_seconds', 'drill')})"),
                Query(f"max by (drill) ({select('drill_failover_seconds', 'drill')})"),
            ),
            "none",
            width=12,
            nothing="no drill is configured",
        ),
        (
            Column("drill", "drill"),
            Column("kind", "kind"),
            Column("Value #B", "healthy", words={"0": ("no", RED), "1": ("yes", GREEN)}),
            Column("Value #C", "last run", unit="dateTimeFromNow"),
            Column("Value #D", "took", unit="s"),
            Column("Value #E", "failing over", unit="s", steps=((None, GREEN), (300, YELLOW), (1800, RED))),
        ),
        sort="healthy",
        descending=False,
    )
    return dashboard(
        UID,
        "smtp-probe / Queue, bounces and drills",
        "What is stuck and why, what comes back and why, how are retries spaced, and would bounces and fail-over work?",
        (
            (queue_table, wrong),
            (
                graph(
                    Look(
                        "Messages in the queue",
                        "By state. Deferred ones wait for their next try.",
                        (
                            Query(
                                f"sum by (queue, state) ({select('queue_messages', 'queue')})",
                                "{{queue}} {{state}}",
                            ),
                        ),
                        "none",
                        links=(TO_QUEUE,),
                        width=8,
                        least=0,
                        nothing="no queue is watched",
                    ),
                    stacked=True,
                ),
                graph(
                    Look(
                        "Why messages are kept back",
                        "Deferred messages by reason.",
                        (
                            Query(
                                f"sum by (queue, reason) ({select('queue_deferred_messages', 'queue')})",
                                "{{queue}}: {{reason}}",
                            ),
                        ),
                        "none",
                        links=(TO_QUEUE,),
                        width=8,
                        least=0,
                        nothing="none is kept back",
                    ),
                    stacked=True,
                ),
                bars(
                    Look(
                        "Whom they are for",
                        "Deferred messages by the recipient's domain.",
                        (
                            Query(
                                f"topk(10, sum by (destination) ({select('queue_deferred_destination_messages', 'queue')}))",
                                "{{destination}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (10, YELLOW), (100, RED)),
                        links=(TO_QUEUE,),
                        width=8,
                        least=0,
                        nothing="none is kept back",
                    )
                ),
            ),
            (
                graph(
                    Look(
                        "Age in the queue",
                        "Nine of ten messages are younger than that; dashed: the oldest.",
                        (
                            Query(
                                f"max by (queue, state) ({select('queue_message_age_seconds', 'queue', 'percentile=90')})",
                                "{{queue}} {{state}} 90 %",
                            ),
                            Query(
                                f"time() - min by (queue, state) ({select('queue_oldest_message_timestamp_seconds', 'queue')})",
                                "{{queue}} {{state}} oldest",
                            ),
                        ),
                        "s",
                        old,
                        links=(TO_QUEUE,),
                        width=8,
                        least=0,
                        nothing="the queue is empty",
                    ),
                    dashed="B",
                ),
                graph(
                    Look(
                        "Growth of the queue",
                        "Messages by second that come in and do not leave, over a quarter of an hour.",
                        (
                            Query(
                                f"max by (queue) ({select('queue_growth_messages_per_second', 'queue')})",
                                "{{queue}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.1, YELLOW), (1, RED)),
                        links=(TO_QUEUE,),
                        width=8,
                    )
                ),
                graph(
                    Look(
                        "How the server says it retries",
                        "First and longest wait, and how long it tries at all.",
                        (
                            Query(
                                f"max by (queue, wait) ({select('queue_retry_schedule_seconds', 'queue')})",
                                "{{queue}} {{wait}}",
                            ),
                            Query(
                                f"min by (queue) ({select('queue_retry_schedule_up', 'queue')}) - 1",
                                "{{queue}}: below zero, it does not tell",
                            ),
                        ),
                        "s",
                        links=(TO_QUEUE,),
                        width=8,
                        nothing="no server is asked",
                    )
                ),
            ),
            (
                graph(
                    Look(
                        "Bounces",
                        "Probes that came back, by class of the status and by why.",
                        (
                            Query(
                                f"sum by (route, status_class, category) ({increase('$window', 'bounces_total', 'route')}) > 0",
                                "{{route}} {{status_class}}xx {{category}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (0.5, RED)),
                        links=(TO_ROUTE,),
                        width=6,
                        least=0,
                        nothing="no bounce",
                    ),
                    stacked=True,
                    bars=True,
                ),
                graph(
                    Look(
                        "How soon they come back",
                        "Time from the final dot to the bounce: 95 of 100 within.",
                        (
                            Query(
                                quantile(0.95, "$window", "bounce_duration_seconds", by="status_class"),
                                "{{status_class}}xx",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (3600, YELLOW), (86400, RED)),
                        links=(TO_ROUTE,),
                        width=6,
                        least=0,
                        nothing="no bounce",
                    )
                ),
                _notices(
                    "Other notices",
                    "Delivery status notifications that ended no probe: delays above all.",
                    Query(
                        f"sum by (action) ({increase('$window', 'bounce_notices_total')})",
                        "{{action}}",
                    ),
                ),
                _notices(
                    "Put off, and came back, by why",
                    "Routes of which a server told that it puts a message off; and why probes of all routes came back.",
                    Query(
                        f"sum by (route) ({increase('$window', 'delay_notices_total', 'route')}) > 0",
                        "{{route}} put off",
                    ),
                    Query(
                        f"sum by (status_class, category) ({increase('$window', 'bounce_reasons_total')}) > 0",
                        "came back: {{status_class}}xx {{category}}",
                    ),
                ),
            ),
            (
                drills,
                bars(
                    Look(
                        "Retries that were measured",
                        "Wait before each further attempt, in the last drill of that kind.",
                        (
                            Query(
                                f"max by (drill, attempt) ({select('drill_retry_interval_seconds', 'drill')})",
                                "{{drill}}: {{attempt}}",
                            ),
                        ),
                        "s",
                        ((None, RED), (60, YELLOW), (300, GREEN)),
                        width=6,
                        least=0,
                        nothing="no retry was measured",
                        links=(TO_ROUTE,),
                    )
                ),
                timeline(
                    Look(
                        "Results of drills",
                        "Runs by result, over the time chosen.",
                        (
                            Query(
                                f"sum by (drill, result) ({increase('$window', 'drill_runs_total', 'drill')}) > bool 0",
                                "{{drill}} {{result}}",
                            ),
                        ),
                        "none",
                        ((None, GREEN), (1, ORANGE)),
                        words={"0": ("none", "text"), "1": ("ran", "blue")},
                        width=6,
                        nothing="no drill ran",
                        links=(TO_ROUTE,),
                    )
                ),
            ),
        ),
        (ROUTE, QUEUE, DRILL, WINDOW),
    )


def _notices(title: str, text: str, *queries: Query) -> Panel:
    """Counts of notices, beside each other."""
    return graph(
        Look(
            title,
            text,
            queries,
            "none",
            ((None, GREEN), (0.5, YELLOW)),
            width=6,
            least=0,
            nothing="no notice",
            links=(TO_ROUTE,),
        ),
        stacked=True,
        bars=True,
    )

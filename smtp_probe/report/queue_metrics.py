"""The metrics of watched queues: a part of the list in `metrics`, which is checked against docs/metrics.md as a whole.

Out: `QUEUE_METRICS`. What cannot be read is absent.
"""

from __future__ import annotations

from smtp_probe.report.metric import Metric, counter, gauge, info

QUEUE_INFO = info(
    "queue_info", "A watched queue and how it is read, with its labels.", "queue", "kind", "method"
)
QUEUE_UP = gauge("queue_up", "Whether the last look into a queue saw all of it (1) or not (0).", "queue")
QUEUE_FAILURES = counter(
    "queue_read_failures_total", "Looks into a queue that failed.", "queue", "reason", durable=False
)
QUEUE_LAST_READ = gauge("queue_last_read_timestamp_seconds", "When a queue was last read well.", "queue")
QUEUE_DURATION = gauge("queue_read_duration_seconds", "How long the last look into a queue took.", "queue")
QUEUE_MESSAGES = gauge("queue_messages", "Messages in a queue, by state.", "queue", "state")
QUEUE_SIZE = gauge("queue_size_bytes", "Size of the messages in a queue, by state.", "queue", "state")
QUEUE_OLDEST = gauge(
    "queue_oldest_message_timestamp_seconds", "When the oldest message came in.", "queue", "state"
)
QUEUE_AGE = gauge(
    "queue_message_age_seconds", "Age of messages by percentile, to 5 %.", "queue", "state", "percentile"
)
QUEUE_DEFERRED = gauge(
    "queue_deferred_messages", "Deferred messages, by what keeps them back.", "queue", "reason"
)
QUEUE_DESTINATIONS = gauge(
    "queue_deferred_destination_messages", "Deferred messages by recipient domain.", "queue", "destination"
)
QUEUE_GROWTH = gauge(
    "queue_growth_messages_per_second", "Change of a queue's length, over 15 minutes at most.", "queue"
)
QUEUE_PROBES = gauge("queue_probes", "Our own probes in a queue, of those in flight.", "queue")
QUEUE_RETRY_UP = gauge(
    "queue_retry_schedule_up", "Whether the server last told how it retries (1) or not (0).", "queue"
)
QUEUE_RETRY = gauge("queue_retry_schedule_seconds", "How the server says that it retries.", "queue", "wait")
QUEUE_FINDING = gauge(
    "queue_finding", "1 while this is wrong with its retries: docs/checks.md.", "queue", "check", "severity"
)

QUEUE_METRICS: tuple[Metric, ...] = (
    QUEUE_INFO,
    QUEUE_UP,
    QUEUE_FAILURES,
    QUEUE_LAST_READ,
    QUEUE_DURATION,
    QUEUE_MESSAGES,
    QUEUE_SIZE,
    QUEUE_OLDEST,
    QUEUE_AGE,
    QUEUE_DEFERRED,
    QUEUE_DESTINATIONS,
    QUEUE_GROWTH,
    QUEUE_PROBES,
    QUEUE_RETRY_UP,
    QUEUE_RETRY,
    QUEUE_FINDING,
)

"""The metrics of the engine. They exist only in processes that have a role (`run --role`)."""

from __future__ import annotations

from smtp_probe.report.metric import counter, gauge, info

ENGINE_INFO = info(
    "engine_info", "Which part of the work this process does, and from where.", "member", "roles", "vantage"
)
ENGINE_UP = gauge("engine_up", "Whether the engine takes the word of this process (1) or not (0).")
ENGINE_SCHEDULES = gauge(
    "engine_schedules", "Schedules in the engine when they were last brought in order; by the controller."
)
ENGINE_ORDERED = gauge(
    "engine_schedules_timestamp_seconds",
    "When the schedules were last seen to be in order; by the controller.",
)
ENGINE_RUNS = counter(
    "engine_runs_total", "Runs that this worker was given, by what it did.", "answer", durable=False
)
ENGINE_GROUPS = gauge("engine_mailbox_groups", "Groups of mailboxes that this watcher watches now.")
ENGINE_TAKEOVERS = counter(
    "engine_takeovers_total",
    "Probes whose worker fell silent, and which this watcher took over. They are never sent again.",
    durable=False,
)
ENGINE_BEHIND = gauge(
    "engine_events_behind",
    "Events in the engine that this exporter has not counted yet. Absent when not known.",
)
ENGINE_ANSWERS = ("taken", "returned", "refused")

ENGINE_METRICS = (
    ENGINE_INFO,
    ENGINE_UP,
    ENGINE_SCHEDULES,
    ENGINE_ORDERED,
    ENGINE_RUNS,
    ENGINE_GROUPS,
    ENGINE_TAKEOVERS,
    ENGINE_BEHIND,
)

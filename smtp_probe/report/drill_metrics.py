"""The metrics of drills, declared: what their last runs came to. What was not observed is absent.

Out: `DRILL_METRICS`, a part of `metrics.METRICS`. See there for the rules.
"""

from __future__ import annotations

from smtp_probe.report.metric import counter, gauge, info

DRILL_INFO = info("drill_info", "A drill of the configuration.", "drill", "kind")
DRILL_HEALTHY = gauge("drill_healthy", "Whether all was as it should be (1) or not (0).", "drill")
DRILL_LAST_RUN = gauge("drill_last_run_timestamp_seconds", "When a drill last ended.", "drill")
DRILL_DURATION = gauge("drill_duration_seconds", "How long its last run took.", "drill")
DRILL_RUNS = counter("drill_runs_total", "Runs of a drill, by result.", "drill", "result", durable=False)
DRILL_FINDING = gauge("drill_finding", "1 while this is wrong: docs/checks.md.", "drill", "check", "severity")
DRILL_RETRY = gauge("drill_retry_interval_seconds", "Wait before a further attempt.", "drill", "attempt")
DRILL_FAILOVER = gauge("drill_failover_seconds", "Time until the next MX host was reached.", "drill")

DRILL_METRICS = (
    *(DRILL_INFO, DRILL_HEALTHY, DRILL_LAST_RUN, DRILL_DURATION, DRILL_RUNS),
    *(DRILL_FINDING, DRILL_RETRY, DRILL_FAILOVER),
)
"""In the order in which `/metrics` shows them."""

"""Which metrics of a route a page leaves out where fewer series are wanted than at the default detail.

In: `metrics.detail` of the configuration. Out: names of metrics. What is left out is counted and kept all the same, and is
shown with its whole count when the detail is raised.
"""

from __future__ import annotations

from smtp_probe.report.metrics import (
    BOUNCES,
    DELAYS,
    DELIVERY_DURATION,
    DUPLICATES,
    HOP_UNCERTAINTY,
    HOPS,
    LAST_HOP,
    LAST_PHASE,
    LEG_DURATION,
    OUTCOMES,
    PATH_CHANGES,
    PATH_INFO,
    PLACEMENTS,
    SLOWEST_HOP,
    SMTP_REPLIES,
    SPAM_SCORE,
    SPAM_THRESHOLD,
    VERDICT,
    VERDICTS_DISAGREE,
)

_PARTS = (LAST_HOP, HOP_UNCERTAINTY, SLOWEST_HOP, LEG_DURATION, LAST_PHASE)
"""How the time of a message is divided."""
_MESSAGES = (SMTP_REPLIES, BOUNCES, DELAYS, SPAM_SCORE, SPAM_THRESHOLD, VERDICT, VERDICTS_DISAGREE)
"""What was said of single messages."""
_WHOLE = (DELIVERY_DURATION, OUTCOMES, PLACEMENTS, DUPLICATES, PATH_INFO, PATH_CHANGES, HOPS)
"""What tells more of a route than that it works, and how fast the last time."""
_LEFT_OUT = {"route": (*_PARTS, *_MESSAGES), "minimal": (*_PARTS, *_MESSAGES, *_WHOLE)}
SERIES_BY_DETAIL = {"minimal": 20, "route": 45, "default": 60, "full": 110}
"""The most series that one route has at each detail with the default buckets. Verdicts, spam scores, findings of messages and
a count of delay notices, where there was one, stand outside of them, at the details that show these."""


def left_out(detail: str) -> frozenset[str]:
    """Name the metrics that a page of this detail does not show."""
    return frozenset(metric.name for metric in _LEFT_OUT.get(detail, ()))

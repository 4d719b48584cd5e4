"""The closed lists of label values, and the bounds of the buckets, from which `metrics` declares.

Out: words and seconds. Whatever a label is not told apart by is `OTHER`.
"""

from __future__ import annotations

from smtp_probe.config.settings import MetricsSettings
from smtp_probe.model import Cause, Leg, Phase

OTHER = "other"
"""The label value for whatever is not told apart."""
FAILURE_REASONS = ("refused", "deferred", "unreachable", "overdue", "bounced", "junked")
UNOBSERVED_REASONS = (
    Cause.MAILBOX_UNWATCHED.value,
    Cause.RESOLVER_FAILED.value,
    Cause.CREDENTIAL.value,
    OTHER,
)
STATUS_CLASSES = ("4", "5", "unknown")
"""The first digit of a status code (RFC 3463) with which a message came back; or that none is told."""
NOTICES = ("delayed", "delivered", "relayed", "expanded", "failed", OTHER)
ENGINE_ANSWERS = ("taken", "returned", "refused")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
_FEW_PHASES = (Phase.CONNECT, Phase.ACCEPT)
SHOWN_PHASES = {
    "minimal": _FEW_PHASES,
    "route": _FEW_PHASES,
    "default": _FEW_PHASES,
    "full": tuple(phase for phase in Phase if phase is not Phase.QUIT),
}
"""The phases that have a last value by route, by detail; the others are one, `other`. QUIT is in none: it comes after the
answer, so it tells nothing of the path. The histogram of the sender has every phase at any detail."""
LEGS = (*(leg.value for leg in Leg), "unknown")

PHASE_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
HOP_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
BOUNCE_BUCKETS = (1.0, 10.0, 60.0, 600.0, 3600.0, 21600.0, 86400.0, 432000.0)
DNS_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 8.0)
DELIVERY_BUCKETS = tuple(float(bound) for bound in MetricsSettings().delivery_buckets)

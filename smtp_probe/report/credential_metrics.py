"""The metrics of OAuth2 credentials, declared: how long their tokens last, and how the requests for new ones ended.

Out: `CREDENTIAL_METRICS`, a part of `metrics.METRICS`. See there for the rules.
"""

from __future__ import annotations

from smtp_probe.report.metric import counter, gauge

CREDENTIAL_EXPIRY = gauge(
    "credential_expiry_timestamp_seconds",
    "When the access token that is held expires. Absent without one, or where the server does not tell.",
    "credential",
)
CREDENTIAL_REFRESHES = counter(
    "credential_refreshes_total",
    "Requests for an access token, by how they ended.",
    *("credential", "result"),
    durable=False,
)

CREDENTIAL_METRICS = (CREDENTIAL_EXPIRY, CREDENTIAL_REFRESHES)
"""In the order in which `/metrics` shows them."""

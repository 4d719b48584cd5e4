"""An explained message as a JSON object, for programs.

In: an explanation, and the file and place that it came from. Out: one line of JSON, ASCII, the same keys always: what is
not known is null. Texts are sanitised and bounded, and the proof of a probe's tag is left out. Pure.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from smtp_probe.cli.authentication_view import authentication_to_dict
from smtp_probe.cli.wording import clean
from smtp_probe.mail.bounce.reason import find_reason, is_temporary
from smtp_probe.mail.bounce.report import BounceReport
from smtp_probe.mail.explanation.explain import Explanation
from smtp_probe.mail.path.passages import Passage
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import Authentication

_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def explanation_to_json(
    file: str,
    message: int,
    found: Explanation,
    authentication: Authentication = Authentication(),  # noqa: B008  # it is immutable
    *,
    is_online: bool = False,
) -> str:
    """Everything that is known of one message as one line, without a line end."""
    facts: dict[str, Any] = {
        "file": file,
        "message": message,
        "subject": found.subject,
        "from": found.author,
        "to": found.recipients,
        "date": format_instant(found.date_ns, 1.0),
        "message_id": found.message_id,
        "hops": [_hop(passage) for passage in found.passages],
        "total_seconds": _rounded(found.total_seconds),
        "total_uncertainty_seconds": _rounded(found.total_uncertainty_seconds),
        "own": {
            "hosts": [clean(name) for name in found.border.own],
            "assumed": found.border.is_assumed,
            "first_hop": found.border.first_own_hop,
        },
        "legs": [
            {
                "leg": leg.leg,
                "from_hop": leg.from_hop,
                "to_hop": leg.to_hop,
                "seconds": _rounded(leg.seconds),
            }
            for leg in found.legs
        ],
        "findings": [
            {
                "check": finding.check,
                "severity": finding.severity.value,
                "hop": finding.hop,
                "message": finding.message,
            }
            for finding in (*found.findings, *authentication.findings)
        ],
        "authentication": authentication_to_dict(authentication, is_online=is_online),
        "bounce": _bounce(found.bounce),
        "spam": [
            {
                "filter": result.filter.value,
                "score": result.score,
                "threshold": result.threshold,
                "verdict": result.verdict.value,
                "detail": clean(result.detail),
            }
            for result in found.spam
        ],
    }
    return json.dumps(facts)


def format_instant(instant_ns: int | None, resolution_seconds: float | None) -> str | None:
    """An instant as RFC 3339 writes it, in UTC, with as many decimals as are known; None where no calendar has it."""
    if instant_ns is None:
        return None
    seconds, fraction_ns = divmod(instant_ns, _NS)
    try:
        whole = (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    except OverflowError:
        return None
    digits = _count_digits(resolution_seconds)
    fraction = f".{fraction_ns:09d}"[: digits + 1] if digits else ""
    return f"{whole.removesuffix('+00:00')}{fraction}Z"


def _count_digits(resolution_seconds: float | None) -> int:
    """The decimals that a resolution fills: none for a second, three for a millisecond and for five."""
    if resolution_seconds is None or not 0 < resolution_seconds < 1:
        return 0
    return min(9, math.ceil(-math.log10(resolution_seconds) - 1e-6))


def _hop(passage: Passage) -> dict[str, Any]:
    hop = passage.hop
    return {
        "from_name": clean(hop.from_name),
        "from_host": clean(hop.from_host),
        "from_ip": clean(hop.from_ip),
        "by": clean(hop.by),
        "with": clean(hop.with_),
        "id": _show(hop.id),
        "for": _show(hop.for_),
        "tls_version": clean(hop.tls_version),
        "tls_cipher": clean(hop.tls_cipher),
        "at": format_instant(hop.at_ns, hop.resolution_seconds),
        "resolution_seconds": hop.resolution_seconds,
        "stamp_source": hop.stamp_source,
        "delay_seconds": _rounded(passage.delay_seconds),
        "uncertainty_seconds": _rounded(passage.uncertainty_seconds),
        "flags": list(hop.flags),
    }


def _bounce(report: BounceReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "kind": "dsn" if report.kind == "dsn" else "nonstandard",
        "action": report.action,
        "status": report.status,
        "recipient": _show(report.recipient),
        "reason": find_reason(report),
        "reporting_mta": clean(report.reporting_mta),
        "remote_mta": clean(report.remote_mta),
        "diagnostic": _show(report.diagnostic),
        "temporary": is_temporary(report),
    }


def _show(text: str | None) -> str | None:
    return None if text is None else clean(hide_tokens(text))


def _rounded(seconds: float | None) -> float | None:
    """To the nanosecond: what lies below is the noise of floating point."""
    return None if seconds is None else round(seconds, 9)

"""What a client asks for: the format of the metrics page, and its compression.

In: the `Accept` and `Accept-Encoding` headers, as they came. Out: a choice. Pure; never raises on what a client wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

_READ_CHARACTERS = 2000


class Format(StrEnum):
    """The two text formats. Exemplars and start times show in OpenMetrics only."""

    TEXT = "text"
    """The Prometheus text format 0.0.4."""
    OPENMETRICS = "openmetrics"
    """OpenMetrics 1.0.0."""


def choose_format(accept: str) -> Format:
    """Choose by the media types and their weights (RFC 9110 section 12.5.1); the text format when in doubt."""
    openmetrics, text = 0.0, 0.0
    for media_type, weight in _weighted(accept):
        if media_type == "application/openmetrics-text":
            openmetrics = max(openmetrics, weight)
        elif media_type in ("text/plain", "text/*"):
            text = max(text, weight)
    return Format.OPENMETRICS if openmetrics > 0 and openmetrics >= text else Format.TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the client takes gzip (RFC 9110 section 12.5.3)."""
    weights = dict(_weighted(accept_encoding))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header[:_READ_CHARACTERS].split(","):
        value, *parameters = (word.strip().lower() for word in part.split(";"))
        yield value, _weight(parameters)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0

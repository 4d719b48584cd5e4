"""Bounces as events: what Amazon's notification service mails of a bounce, as JSON in a text.

In: the fields of a header, and the parts of a message. Out: what the event says of each recipient that failed, in the
words of RFC 3464, which its fields borrow. Delivery and complaint events say nothing of a bounce. Input is bounded,
nothing raises, and what comes out is sanitised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from smtp_probe.mail.bounce.delivery_status import DeliveryStatus, find_status, show
from smtp_probe.mail.syntax.mime_parts import Part

_SIGN = "x-amz-sns-message-id"
_MAX_BYTES = 65_536
_MAX_RECIPIENTS = 50
_DECODER = json.JSONDecoder()


def is_event(fields: Sequence[tuple[str, bytes]]) -> bool:
    """Tell by the header whether the notification service wrote the message."""
    return any(name == _SIGN for name, _ in fields)


def read_events(parts: Sequence[Part]) -> Iterator[DeliveryStatus]:
    """Give what a bounce event says, recipient by recipient; nothing for any other text."""
    body = next((part.body for part in parts if part.media_type == "text/plain"), b"")[:_MAX_BYTES]
    text = body.decode("utf-8", "replace").lstrip()
    if not text.startswith("{"):
        return
    try:
        event, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return
    if event.get("notificationType", event.get("eventType")) != "Bounce":
        return
    bounce = _mapping(event.get("bounce"))
    recipients = bounce.get("bouncedRecipients")
    for recipient in recipients[:_MAX_RECIPIENTS] if isinstance(recipients, list) else ():
        yield _tell(_mapping(recipient), bounce)


def _tell(recipient: dict[str, Any], bounce: dict[str, Any]) -> DeliveryStatus:
    diagnostic = _text(recipient, "diagnosticCode")
    return DeliveryStatus(
        action="failed",
        status=find_status(_text(recipient, "status") or diagnostic),
        recipient=_text(recipient, "emailAddress") or None,
        reporting_mta=_text(bounce, "reportingMTA").removeprefix("dsn;").removeprefix("dns;").strip() or None,
        diagnostic=diagnostic.partition(";")[2].strip() or diagnostic or None,
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    return show(text.encode("utf-8", "replace")) if isinstance(text, str) else ""

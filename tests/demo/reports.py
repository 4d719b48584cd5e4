"""A bounce as the standard library's email package reads it."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Report:
    message: Message
    text: str
    about_message: Any
    """The fields of the first block of the delivery status."""
    about_recipient: Any
    returned: Message

    @property
    def returned_text(self) -> str:
        return str(self.returned.get_payload())


def read_report(raw: bytes) -> Report:
    message = message_from_bytes(raw)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    parts: Any = message.get_payload()
    text, status, returned = parts
    assert status.get_content_type() == "message/delivery-status"
    about_message, about_recipient = status.get_payload()
    return Report(message, text.get_payload(), about_message, about_recipient, returned)

"""The bounce: a delivery status notification as a mail server writes it (RFC 3464, in a report of RFC 6522).

In: what failed (`FailedDelivery`). Out: the bytes of the notification, with CRLF line ends. Pure; decides nothing
about whether one is due (RFC 3461 section 5.2) and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from smtp_probe.demo.dialects import pickup_received
from smtp_probe.model import Reply

_HEADER_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDelivery:
    """One message that one host could not hand on. Instants are on that host's clock."""

    reporting_host: str
    remote_host: str
    queue_id: str
    """Of the message that failed."""
    notification_id: str
    """The queue id of the notification itself."""
    sender: str
    recipient: str
    content: bytes
    reply: Reply
    stage: str
    """The command that was refused, in words: `RCPT TO command`."""
    arrived_ns: int
    now_ns: int
    envid: str | None = None
    """The sender's envelope identifier, decoded from xtext (RFC 3461 section 4.4)."""
    original_recipient: str | None = None
    """As in ORCPT, decoded: `rfc822;somebody@example.test`."""
    return_full: bool = False
    """Whether the sender asked for the whole message back (RET=FULL)."""


def _date(at_ns: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_ns // 1_000_000_000, UTC))


def _header_of(content: bytes) -> bytes:
    """The header section of a message, at most 64 KiB of it, cut at a line end."""
    header = content.partition(b"\r\n\r\n")[0]
    if len(header) > _HEADER_LIMIT_BYTES:
        header = header[:_HEADER_LIMIT_BYTES].rpartition(b"\r\n")[0]
    return header + b"\r\n"


def _said(failed: FailedDelivery) -> str:
    return f"host {failed.remote_host} said: {failed.reply} (in reply to {failed.stage})"


def _letter(failed: FailedDelivery) -> tuple[str, ...]:
    return (
        f"This is the mail system at host {failed.reporting_host}.",
        "",
        "The message whose header follows could not be delivered to the recipient",
        "below. Nothing more will be tried.",
        "",
        f"<{failed.recipient}>: {_said(failed)}",
    )


def _report(failed: FailedDelivery) -> tuple[str, ...]:
    """The two blocks of machine-readable fields (RFC 3464 sections 2.2 and 2.3)."""
    about_message = (
        f"Reporting-MTA: dns; {failed.reporting_host}",
        f"Original-Envelope-Id: {failed.envid}" if failed.envid else "",
        f"X-Postfix-Queue-ID: {failed.queue_id}",
        f"X-Postfix-Sender: rfc822; {failed.sender}",
        f"Arrival-Date: {_date(failed.arrived_ns)}",
    )
    about_recipient = (
        f"Final-Recipient: rfc822; {failed.recipient}",
        f"Original-Recipient: {failed.original_recipient}" if failed.original_recipient else "",
        "Action: failed",
        f"Status: {failed.reply.enhanced or '5.0.0'}",
        f"Remote-MTA: dns; {failed.remote_host}",
        f"Diagnostic-Code: smtp; {failed.reply}",
    )
    return (*filter(None, about_message), "", *filter(None, about_recipient))


def _text(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


def build_bounce(failed: FailedDelivery) -> bytes:
    """The notification for one failed recipient, addressed to the sender, in the dialect of Postfix."""
    boundary = f"{failed.notification_id}.{failed.now_ns // 1_000_000_000}/{failed.reporting_host}"
    header = _text(
        f"From: MAILER-DAEMON@{failed.reporting_host} (Mail Delivery System)",
        "Subject: Undelivered Mail Returned to Sender",
        f"To: {failed.sender}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
        "Content-Transfer-Encoding: 8bit",
        f"Message-Id: <{failed.notification_id}@{failed.reporting_host}>",
        f"Date: {_date(failed.now_ns)} (UTC)",
        "",
    )
    returned_type = "message/rfc822" if failed.return_full else "text/rfc822-headers"
    returned = failed.content if failed.return_full else _header_of(failed.content)
    parts = (
        ("Notification", "text/plain; charset=us-ascii", _text(*_letter(failed))),
        ("Delivery report", "message/delivery-status", _text(*_report(failed))),
        ("Undelivered Message", returned_type, returned),
    )
    body = b"".join(
        _text(f"--{boundary}", f"Content-Description: {description}", f"Content-Type: {kind}", "")
        + data
        + b"\r\n"
        for description, kind, data in parts
    )
    received = pickup_received(failed.reporting_host, failed.notification_id, failed.now_ns)
    return received + header + body + _text(f"--{boundary}--")

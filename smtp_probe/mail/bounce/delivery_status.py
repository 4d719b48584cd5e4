"""The machine-readable part of a delivery status notification (RFC 3464).

In: the body of a message/delivery-status part, from a stranger. Out: what it says of one recipient, and of the message
as a whole. A probe has one recipient; where an alias has made several of it, one that failed speaks for all. Texts are
sanitised and bounded, everything may be missing, nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from smtp_probe.mail.syntax.dates import parse_date
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.syntax.tokens import read_text
from smtp_probe.mail.tag import hide_tokens

ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
"""RFC 3464 section 2.3.3."""
_OTHER_WORDS = {
    "failure": "failed",
    "fail": "failed",
    "error": "failed",
    "delay": "delayed",
    "deferred": "delayed",
}
"""What some servers write in its place."""

_MAX_BLOCKS = 100
_SHOWN_BYTES = 4096
_BETWEEN_BLOCKS = re.compile(rb"(?:\r?\n){2,}")
_STATUS = re.compile(r"(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])")
_REPLY = re.compile(r"[245][0-9]{2} \S")
_XTEXT = re.compile(rb"\+([0-9A-Fa-f]{2})")
_NAMES = frozenset({"final-recipient", "original-recipient"})
_OF_RECIPIENT = _NAMES | {"action", "status", "diagnostic-code"}
_MAILBOX = re.compile(r"(?!(?i:smtp:))[^\s<>@]+@[^\s<>@.]+\.[^\s<>@]+")
_MAILBOX_WITHIN = re.compile(r"[^\s<>@()\":;]+@[^\s<>@().]+\.[^\s<>@()]+")
"""The address in a value that is more than one: with a name, a comment, or another type in front of it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Block = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """What a notification says. An `action` is one of `ACTIONS`; `envelope_id` and `addresses` are raw."""

    action: str | None = None
    status: str | None = None
    recipient: str | None = None
    reporting_mta: str | None = None
    remote_mta: str | None = None
    diagnostic: str | None = None
    will_retry_until: datetime | None = None
    queue_id: str | None = None
    envelope_id: bytes = field(default=b"", repr=False)
    addresses: bytes = field(default=b"", repr=False)
    """Final and original recipients: a tag may stand in them."""


def parse_delivery_status(body: bytes) -> DeliveryStatus | None:
    """Read the part; None when it has no field of a recipient. A report need not separate its blocks rightly."""
    blocks = [_read_block(raw) for raw in _BETWEEN_BLOCKS.split(body.lstrip(), _MAX_BLOCKS)[:_MAX_BLOCKS]]
    of_recipients = [block for block in blocks if not _OF_RECIPIENT.isdisjoint(block)]
    if not of_recipients:
        return None
    block = next((block for block in of_recipients if _read_action(block) == "failed"), of_recipients[0])
    block = _mend(block, of_recipients)
    whole = blocks[0]
    return DeliveryStatus(
        action=_read_action(block),
        status=find_status(_show(block, "status")) or find_status(_show(block, "diagnostic-code")),
        recipient=_choose_recipient(block),
        reporting_mta=_show_untyped(whole, "reporting-mta"),
        remote_mta=_show_untyped(block, "remote-mta"),
        diagnostic=_show_untyped(block, "diagnostic-code") or _read_reply(block),
        will_retry_until=_read_date(block.get("will-retry-until", b"")),
        queue_id=_show(whole, "x-postfix-queue-id") or None,
        envelope_id=decode_xtext(whole.get("original-envelope-id", b"")),
        addresses=block.get("final-recipient", b"") + b" " + block.get("original-recipient", b""),
    )


def find_status(text: str) -> str | None:
    """Give the first status code (RFC 3463) in a text; a part of a number or of an address is none."""
    match = _STATUS.search(text)
    return match.group() if match else None


def show(value: bytes) -> str:
    """Make a value fit to be shown: sanitised, bounded, and without the proof that a tagged address carries."""
    return sanitise(hide_tokens(value[:_SHOWN_BYTES].decode("utf-8", "replace")))


def decode_xtext(value: bytes) -> bytes:
    """Undo xtext (RFC 3461 section 4); what is not well formed stays as it is."""
    return _XTEXT.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), value)


def _read_block(raw: bytes) -> Block:
    return dict(reversed(split_fields(raw)))


def _mend(block: Block, blocks: Sequence[Block]) -> Block:
    """Join a block that names nobody with the one that follows it: an empty line has torn it."""
    following = blocks[blocks.index(block) + 1 :][:1] if _NAMES.isdisjoint(block) else ()
    return block | {name: value for each in following for name, value in each.items() if name not in block}


def _read_action(block: Block) -> str | None:
    """Give the action. Where a report has none, a permanent status says as much; a temporary one does not."""
    word = re.match(r"[a-z]*", _show(block, "action").lower())
    action = word.group() if word else ""
    action = _OTHER_WORDS.get(action, action)
    if action in ACTIONS:
        return action
    return "failed" if not action and (find_status(_show(block, "status")) or "").startswith("5") else None


def _read_reply(block: Block) -> str | None:
    """Give a reply that stands where the status should."""
    status = _show(block, "status")
    return status if _REPLY.match(status) else None


def _read_date(value: bytes) -> datetime | None:
    at_ns = parse_date(read_text(value)[0]).at_ns
    try:
        return None if at_ns is None else _EPOCH + timedelta(microseconds=at_ns // 1000)
    except OverflowError:
        return None


def _choose_recipient(block: Block) -> str | None:
    """Give the recipient as the reporting server names it; the original one where that is no address of the Internet."""
    named = [_show_untyped(block, name) for name in ("final-recipient", "original-recipient")]
    bare = [each.strip("<> ") for each in named if each is not None]
    whole = next((each for each in bare if _MAILBOX.fullmatch(each)), None)
    within = (match[0] for each in bare if (match := _MAILBOX_WITHIN.search(each)))
    return whole or next(within, bare[0] if bare else None) or None


def _show(block: Block, name: str) -> str:
    return show(block.get(name, b""))


def _show_untyped(block: Block, name: str) -> str | None:
    """Give a value without the type in front of it: `dns; host`, `rfc822; address`, `smtp; 550 ...`."""
    value = block.get(name, b"")
    kind, separator, rest = value.partition(b";")
    is_typed = bool(separator) and re.fullmatch(rb"[A-Za-z0-9_-]+[ \t]*", kind) is not None
    return show(rest if is_typed else value) or None

"""The signed identity of a probe's message.

In: the keys (as bytes; their file is read and made elsewhere), and what a message is about. Out: a token of 53
lower-case characters that goes into the message and is found again in whatever carrier survives the journey. A
token proves that we made it, for this route and this recipient; it does not prove that the message is the first copy.

The layout, 30 bytes, which are exactly 48 characters of base32 (RFC 4648 section 6) behind a fixed prefix:

    version 1 | key id 1 | route hash 4 | sequence 4 | milliseconds since the epoch 6 | MAC 14

The MAC is HMAC-SHA256 cut to 112 bits, over everything before it and also over the full route name and the
recipient, which the token does not spell out. Base32 has no case, since gateways fold the case of addresses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from smtp_probe.model import Tag

TOKEN_PREFIX = "spt1-"  # noqa: S105 - the public start of every token, no secret
"""What every token begins with."""
MAXIMUM_TOKENS = 32
"""How many different tokens of one message are looked at; an honest one has one."""
KEY_BYTES = 32
"""The least length of a key."""

_VERSION = 1
_PUBLIC = struct.Struct(">4sI6s")
_MAC_BYTES = 14
_SIGNED_BYTES = 2 + _PUBLIC.size
_DOMAIN = b"smtp-probe tag"
_TOKEN = re.compile(rb"(?i)spt1-([a-z2-7]{48})(?![a-z2-7])")
_SHOWN = re.compile(r"(spt1-|\+)[a-z2-7]{48}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TagKey:
    """One signing key. Raises ValueError when it is too short to be one."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < KEY_BYTES:
            message = f"a signing key needs at least {KEY_BYTES} bytes"
            raise ValueError(message)

    @property
    def key_id(self) -> int:
        """A hint for people at which key signed; verification does not rely on it."""
        return hashlib.sha256(self.secret).digest()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedTag:
    """What a token claims. Good for looking up the probe that it would have to be, and for nothing else."""

    probe_id: str
    route_hash: bytes
    sequence: int
    sent_ms: int


def hash_route(route: str) -> bytes:
    """Give the four bytes that stand for a route in a token."""
    return hashlib.sha256(route.encode()).digest()[:4]


def make_tag(keys: Sequence[TagKey], route: str, sequence: int, sent_ms: int, recipient: str) -> Tag:
    """Sign with the first of `keys`. `recipient` is the route's, without a tag of ours in it.

    Raises ValueError when there is no key, or a number does not fit its field.
    """
    if not keys:
        message = "no key to sign with"
        raise ValueError(message)
    if not (0 <= sequence < 1 << 32 and 0 <= sent_ms < 1 << 48):
        message = f"sequence {sequence} or time {sent_ms} ms does not fit a tag"
        raise ValueError(message)
    public = _PUBLIC.pack(hash_route(route), sequence, sent_ms.to_bytes(6, "big"))
    signed = bytes((_VERSION, keys[0].key_id)) + public
    raw = signed + _authenticate(keys[0], signed, route, recipient)
    token = TOKEN_PREFIX + base64.b32encode(raw).decode("ascii").lower()
    return Tag(
        probe_id=_name_probe(public),
        route_hash=public[:4],
        sequence=sequence,
        sent_ms=sent_ms,
        token=token,
    )


def find_tokens(text: bytes | str, limit: int = MAXIMUM_TOKENS) -> tuple[str, ...]:
    """Give the different tokens in `text`, lower case, in order, at most `limit`. Linear; verifies nothing."""
    if isinstance(text, str):
        text = text.encode("ascii", "replace")
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        if len(found) >= limit:
            break
        found[match.group().decode("ascii").lower()] = None
    return tuple(found)


def hide_tokens(text: str) -> str:
    """Put `TAG` in the place of every token: a server quotes it in its reply, and a log must not prove anything."""
    return _SHOWN.sub(r"\1TAG", text)


def peek(token: str) -> UnverifiedTag | None:
    """Read what a token claims, without proof. None when it has not our form."""
    raw = _decode(token)
    if raw is None:
        return None
    route_hash, sequence, sent = _PUBLIC.unpack(raw[2:_SIGNED_BYTES])
    return UnverifiedTag(
        probe_id=_name_probe(raw[2:_SIGNED_BYTES]),
        route_hash=route_hash,
        sequence=sequence,
        sent_ms=int.from_bytes(sent, "big"),
    )


def verify(token: str, keys: Sequence[TagKey], route: str, recipient: str) -> Tag | None:
    """Give the tag when one of `keys` signed it for this route and recipient, else None.

    Takes the same time for every token of our form: each key is tried, and compared in constant time.
    """
    raw, claim = _decode(token), peek(token)
    if raw is None or claim is None:
        return None
    signed, mac = raw[:_SIGNED_BYTES], raw[_SIGNED_BYTES:]
    matches = [hmac.compare_digest(mac, _authenticate(key, signed, route, recipient)) for key in keys]
    if not any(matches):
        return None
    return Tag(
        probe_id=claim.probe_id,
        route_hash=claim.route_hash,
        sequence=claim.sequence,
        sent_ms=claim.sent_ms,
        token=token.lower(),
    )


def _authenticate(key: TagKey, signed: bytes, route: str, recipient: str) -> bytes:
    """Give the MAC. The route is length-prefixed, so that no two pairs of route and recipient look alike."""
    name = route.encode()
    message = _DOMAIN + signed + struct.pack(">H", len(name)) + name + recipient.lower().encode()
    return hmac.digest(key.secret, message, "sha256")[:_MAC_BYTES]


def _name_probe(public: bytes) -> str:
    """Give the public name of a probe: the fields of its token without version, key and proof."""
    return base64.b32encode(public).decode("ascii").rstrip("=").lower()


def _decode(token: str) -> bytes | None:
    """Turn a token into its 30 bytes. 48 characters of base32 have no spare bits: one token, one spelling."""
    match = _TOKEN.fullmatch(token.encode("ascii", "replace"))
    if match is None:
        return None
    raw = base64.b32decode(match.group(1), casefold=True)
    return raw if raw[0] == _VERSION else None

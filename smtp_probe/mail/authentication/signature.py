"""One DKIM-Signature header (RFC 6376 section 3.5): what it claims, and whether it has its form.

In: the value of the header. Out: a `Signature`, of which `fault` says why it cannot be verified at all, and
`bad_algorithm` that nobody should. Verifies nothing. Never raises; linear.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from smtp_probe.mail.authentication.tags import TagList, read_tags, squeeze

MAX_SIGNED_FIELDS = 200
MAX_VALUE_BYTES = 4_096
"""No honest one has half of it; those who verify take quadratic time for longer ones."""
ALGORITHMS = frozenset({"rsa-sha256", "ed25519-sha256"})
"""What may be used (RFC 8301 section 3.1, RFC 8463)."""
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})?(?:\.[a-z0-9_][a-z0-9_-]{0,62})*", re.IGNORECASE
)
_CANONICAL = re.compile(r"(simple|relaxed)(/(simple|relaxed))?")
_NEEDED = ("v", "a", "b", "bh", "d", "h", "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What one signature claims. Texts are as written; those that name hosts are in lower case."""

    domain: str
    selector: str
    algorithm: str
    identity: str = ""
    signed_fields: tuple[str, ...] = ()
    expires_seconds: int | None = None
    signed_seconds: int | None = None
    body_length: int | None = None
    """Where given (l=), what follows in the body is not covered."""
    is_body_relaxed: bool = False
    """Whether white space in the body does not count (c=)."""
    fault: str = ""
    """Why it is no signature; empty where it is one."""

    @property
    def key_name(self) -> str:
        """Where its key is published."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def is_algorithm_known(self) -> bool:
        """Whether verifiers may take its algorithm."""
        return self.algorithm in ALGORITHMS


@lru_cache(maxsize=16)  # several parts of the program read one message, one after the other
def read_signature(value: bytes) -> Signature:
    """Read one header."""
    tags = read_tags(value)
    return Signature(
        domain=squeeze(tags.get("d")).lower()[:255],
        selector=squeeze(tags.get("s")).lower()[:255],
        algorithm=squeeze(tags.get("a")).lower()[:40],
        identity=squeeze(tags.get("i"))[:320],
        signed_fields=tuple(squeeze(tags.get("h")).lower().split(":"))[:MAX_SIGNED_FIELDS],
        expires_seconds=_number(tags.get("x")),
        signed_seconds=_number(tags.get("t")),
        body_length=_number(tags.get("l")),
        is_body_relaxed=squeeze(tags.get("c")).endswith("/relaxed"),
        fault=_find_fault(tags)
        if len(value) <= MAX_VALUE_BYTES
        else f"it is longer than {MAX_VALUE_BYTES} bytes",
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None


def _find_fault(tags: TagList) -> str:
    """The first thing that makes it no signature; empty for none."""
    missing = [name for name in _NEEDED if not squeeze(tags.get(name))]
    if tags.faults:
        return tags.faults[0]
    if missing:
        return f"the tag {missing[0]}= is missing or empty"
    if tags.get("v") != "1":
        return f"v={tags.get('v')[:20]} is not 1"
    for name in ("d", "s"):
        if _NAME.fullmatch(squeeze(tags.get(name))) is None:
            return f"{name}= is no name that DNS can have"
    for name in ("b", "bh"):
        try:
            base64.b64decode(squeeze(tags.get(name)), validate=True)
        except (binascii.Error, ValueError):
            return f"{name}= is no base64"
    return _find_deeper_fault(tags)


def _find_deeper_fault(tags: TagList) -> str:
    fields = squeeze(tags.get("h")).lower().split(":")
    if len(fields) > MAX_SIGNED_FIELDS:
        return f"h= names more than {MAX_SIGNED_FIELDS} fields"
    if "from" not in fields:
        return "h= does not name From, which has to be signed"
    if _CANONICAL.fullmatch(squeeze(tags.get("c", "simple"))) is None:
        return f"c={tags.get('c')[:40]} is no canonicalization"
    if squeeze(tags.get("q", "dns/txt")) != "dns/txt":
        return f"q={tags.get('q')[:40]} is no way to get a key"
    for name in ("t", "x", "l"):
        if name in tags.tags and _number(tags.get(name)) is None:
            return f"{name}= is no number"
    signed, expires = _number(tags.get("t")), _number(tags.get("x"))
    if signed is not None and expires is not None and expires < signed:
        return "it ends (x=) before it was made (t=)"
    domain = squeeze(tags.get("d")).lower()
    identity = squeeze(tags.get("i")).lower().rpartition("@")[2]
    if identity and identity != domain and not identity.endswith(f".{domain}"):
        return "i= is not within d="
    return ""

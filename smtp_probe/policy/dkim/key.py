"""One DKIM key record: what it says, and whether a verifier can use it.

In: the answer to the TXT question at `selector._domainkey.domain`. Out: a `DkimKey`, which tells why it is of no use where
it is not. RFC 6376 section 3.6.1; sizes by RFC 8301 section 3.2; Ed25519 by RFC 8463. Pure.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from smtp_probe.mail.authentication.tags import TagList, read_tags, squeeze
from smtp_probe.model import DnsAnswer
from smtp_probe.policy.dkim.rsa_key import read_rsa_key

LEAST_BITS = 1024
"""RFC 8301 section 3.2: verifiers must not take signatures by smaller keys."""
GOOD_BITS = 2048
MOST_BITS = 4096
"""RFC 8301 section 3.2: what every verifier can be expected to take."""
_ED25519_BYTES = 32


class KeyState(StrEnum):
    """Whether a key can be used, and why not."""

    USABLE = "usable"
    UNKNOWN = "unknown"
    """It could not be looked up."""
    MISSING = "missing"
    MULTIPLE = "multiple"
    REVOKED = "revoked"
    SYNTAX = "syntax"
    ALGORITHM = "algorithm"
    """A key type or hash that no verifier knows or accepts."""
    WEAK = "weak"
    SERVICE = "service"
    """It is for something else than mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """What is published at one name."""

    name: str
    state: KeyState
    detail: str = ""
    algorithm: str | None = None
    """`rsa`, `ed25519`, or what the record says."""
    bits: int | None = None
    is_testing: bool = False
    """Flag `y`: verifiers are asked to treat a failure as no signature."""
    is_strict: bool = False
    """Flag `s`: the signer's identity (i=) must be of exactly the domain."""
    record: bytes = b""
    aliases: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether a verifier can use it."""
        return self.state is KeyState.USABLE


def read_key(answer: DnsAnswer) -> DkimKey:
    """Judge one answer."""
    if answer.is_failure:
        detail = answer.detail or answer.status.value
        return DkimKey(name=answer.name, state=KeyState.UNKNOWN, detail=detail)
    records = [value for value in answer.values if isinstance(value, bytes)]
    keys = [record for record in records if _is_key(record)]
    if len(keys) > 1:
        detail = f"{len(keys)} records stand there, and which one a verifier takes is undefined"
        return DkimKey(name=answer.name, state=KeyState.MULTIPLE, detail=detail, record=keys[0])
    if not keys:
        detail = "a TXT record stands there, but it is no DKIM key" if records else ""
        return DkimKey(name=answer.name, state=KeyState.MISSING, detail=detail)
    return replace(_read_record(keys[0]), name=answer.name, aliases=answer.aliases)


@lru_cache(maxsize=256)  # the keys of a few senders, asked for with every message
def _is_key(record: bytes) -> bool:
    """Whether a record claims to be a key: v= may be absent, p= may not."""
    tags = read_tags(record)
    return (tags.first == "v" and tags.get("v").upper().startswith("DKIM")) or "p" in tags.tags


@lru_cache(maxsize=256)
def _read_record(record: bytes) -> DkimKey:
    """Judge a record, wherever it stands."""
    tags = read_tags(record)
    flags = [flag.strip().lower() for flag in tags.get("t").split(":")]
    algorithm = squeeze(tags.get("k", "rsa")).lower() or "rsa"
    state, detail, bits = _judge(tags, algorithm)
    return DkimKey(
        name="",
        state=state,
        detail=detail,
        algorithm=algorithm,
        bits=bits,
        is_testing="y" in flags,
        is_strict="s" in flags,
        record=record,
    )


def _judge(tags: TagList, algorithm: str) -> tuple[KeyState, str, int | None]:
    if tags.faults:
        return KeyState.SYNTAX, tags.faults[0], None
    if "v" in tags.tags and (tags.first != "v" or tags.get("v") != "DKIM1"):
        return KeyState.SYNTAX, "v=DKIM1 has to be its first tag, in exactly this spelling", None
    if "p" not in tags.tags:
        return KeyState.SYNTAX, "it has no p= tag", None
    if not squeeze(tags.get("p")):
        return KeyState.REVOKED, "", None
    if algorithm not in ("rsa", "ed25519"):
        return KeyState.ALGORITHM, f"k={algorithm[:40]} is no key type that verifiers know", None
    hashes = [name.strip().lower() for name in tags.get("h").split(":") if name.strip()]
    if hashes and "sha256" not in hashes:
        return KeyState.ALGORITHM, f"h={':'.join(hashes)[:40]} does not allow sha256", None
    services = [name.strip().lower() for name in tags.get("s", "*").split(":")]
    if not {"*", "email"} & set(services):
        return KeyState.SERVICE, f"s={':'.join(services)[:40]} does not allow mail", None
    try:
        data = base64.b64decode(squeeze(tags.get("p")), validate=True)
        bits = read_rsa_key(data).bits if algorithm == "rsa" else _ed25519_bits(data)
    except (binascii.Error, ValueError) as error:
        why = "p= is no base64" if isinstance(error, binascii.Error) else str(error)
        return KeyState.SYNTAX, why, None
    if algorithm == "rsa" and bits < LEAST_BITS:
        return KeyState.WEAK, f"it has {bits} bits, and verifiers take no signature by less than 1024", bits
    return KeyState.USABLE, "", bits


def _ed25519_bits(data: bytes) -> int:
    if len(data) != _ED25519_BYTES:
        message = f"an Ed25519 key has 32 octets, not {len(data)}"
        raise ValueError(message)
    return 8 * _ED25519_BYTES

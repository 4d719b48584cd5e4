"""The ARC headers of a message (RFC 8617): who sealed it, and whether the sets make a chain.

In: the fields of a message. Out: the sets by their instances, and what breaks the chain before any signature is looked at.
Verifies nothing. Never raises; bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from smtp_probe.mail.authentication.results import AuthenticationResults, read_results
from smtp_probe.mail.authentication.tags import read_tags, squeeze

MAX_VALUE_BYTES = 8_192
MOST_SETS = 50
"""RFC 8617 section 4.2.1."""
RESULTS_FIELD = "arc-authentication-results"
SIGNATURE_FIELD = "arc-message-signature"
SEAL_FIELD = "arc-seal"
_FIELDS = (RESULTS_FIELD, SIGNATURE_FIELD, SEAL_FIELD)
_INSTANCE = re.compile(rb"[ \t]*i[ \t]*=[ \t]*([0-9]{1,4})[ \t]*(?:;|$)")
_ANY_INSTANCE = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSet:
    """One instance: a host that took part, and what it said of the chain when it did."""

    instance: int
    sealer: str
    """d= of its seal, in lower case."""
    selector: str
    signer: str
    signer_selector: str
    chain_validation: str
    """cv= of its seal: `none`, `pass`, `fail`."""
    is_body_relaxed: bool = True
    """Whether white space in the body does not count for its signature (c=)."""
    results: AuthenticationResults | None = None

    @property
    def key_names(self) -> tuple[str, str]:
        """Where the keys of its seal and of its signature are published."""
        return f"{self.selector}._domainkey.{self.sealer}", f"{self.signer_selector}._domainkey.{self.signer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcChain:
    """All sets, the first sealer's first. `fault` says why they are no chain; empty where they are."""

    sets: tuple[ArcSet, ...] = ()
    fault: str = ""

    @property
    def is_present(self) -> bool:
        """Whether the message has ARC headers at all."""
        return bool(self.sets or self.fault)


def read_chain(fields: Iterable[tuple[str, bytes]]) -> ArcChain:
    """Read the ARC headers of a message, as `split_fields` gives its fields."""
    found: dict[int, dict[str, bytes]] = {}
    for name, value in fields:
        if name not in _FIELDS:
            continue
        instance = _read_instance(name, value)
        if instance is None:
            return ArcChain(fault=f"a header {name} has no instance (i=)")
        parts = found.setdefault(instance, {})
        if len(value) > MAX_VALUE_BYTES:
            return ArcChain(fault=f"a header {name} is longer than {MAX_VALUE_BYTES} bytes")
        if name in parts:
            return ArcChain(fault=f"there are two headers {name} with i={instance}")
        parts[name] = value
    sets = []
    for instance, parts in sorted(found.items()):
        missing = [name for name in _FIELDS if name not in parts]
        if missing:
            return ArcChain(fault=f"the set i={instance} has no {missing[0]}")
        sets.append(_read_set(instance, parts))
    return ArcChain(sets=tuple(sets), fault=_find_fault(sets))


def _read_instance(name: str, value: bytes) -> int | None:
    if name == RESULTS_FIELD:
        match = _INSTANCE.match(value)
        return int(match[1]) if match else None
    written = read_tags(value).get("i")
    return int(written) if _ANY_INSTANCE.fullmatch(written) else None


def _read_set(instance: int, parts: dict[str, bytes]) -> ArcSet:
    seal, signature = read_tags(parts[SEAL_FIELD]), read_tags(parts[SIGNATURE_FIELD])
    match = _INSTANCE.match(parts[RESULTS_FIELD])
    return ArcSet(
        instance=instance,
        sealer=squeeze(seal.get("d")).lower()[:255],
        selector=squeeze(seal.get("s")).lower()[:255],
        signer=squeeze(signature.get("d")).lower()[:255],
        signer_selector=squeeze(signature.get("s")).lower()[:255],
        chain_validation=squeeze(seal.get("cv")).lower()[:10],
        is_body_relaxed="c" not in signature.tags or squeeze(signature.get("c")).endswith("/relaxed"),
        results=read_results(parts[RESULTS_FIELD][match.end() :]) if match else None,
    )


def _find_fault(sets: list[ArcSet]) -> str:
    """RFC 8617 section 5.2, steps 1 to 3."""
    if len(sets) > MOST_SETS:
        return f"there are more than {MOST_SETS} sets"
    for expected, found in enumerate(sets, 1):
        if found.instance != expected:
            return f"the set i={expected} is missing"
    for found in sets:
        allowed = ("none",) if found.instance == 1 else ("pass",)
        if found.chain_validation == "fail":
            return f"the seal i={found.instance} of {found.sealer} says that the chain was broken when it came there"
        if found.chain_validation not in allowed:
            return f"the seal i={found.instance} says cv={found.chain_validation}, where it has to be {allowed[0]}"
    return ""

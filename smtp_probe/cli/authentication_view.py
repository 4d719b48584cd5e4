"""Verdicts on a message, for people and for programs.

In: an `Authentication`. Out: short lines, or an object of plain JSON values with the same keys always. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smtp_probe.cli.wording import clean
from smtp_probe.model import Authentication, Method, Source, Verdict


def authentication_to_dict(found: Authentication, *, is_online: bool) -> dict[str, Any]:
    """What each side says of each method. `own` is null where no question was to be asked."""
    return {
        "online": is_online,
        "own": _side(found, Source.OWN) if is_online else None,
        "receiver": _side(found, Source.RECEIVER),
        "disagreements": [method.value for method, agrees in found.agreement.items() if not agrees],
        "unobserved": list(found.unobserved),
    }


def describe_authentication(found: Authentication) -> Iterator[tuple[str, str]]:
    """A line for each side that says something."""
    for source, name in ((Source.RECEIVER, "receiver"), (Source.OWN, "verified")):
        said = [_say(verdict) for verdict in found.verdicts if verdict.source is source]
        if said:
            yield name, ", ".join(said)
    for text in found.unobserved:
        yield "unknown", text


def _say(verdict: Verdict) -> str:
    about = f" ({clean(verdict.domain)})" if verdict.domain else ""
    return f"{verdict.method.value}={verdict.result.value}{about}"


def _side(found: Authentication, source: Source) -> dict[str, Any]:
    """SPF, DMARC and ARC as one object each or null; DKIM as a list."""
    side: dict[str, Any] = {}
    for method in Method:
        verdicts = [each for each in found.verdicts if each.method is method and each.source is source]
        objects = [_verdict(each) for each in verdicts]
        side[method.value] = objects if method is Method.DKIM else next(iter(objects), None)
    return side


def _verdict(verdict: Verdict) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "result": verdict.result.value,
        "domain": clean(verdict.domain) or None,
        "detail": clean(verdict.detail) or None,
    }
    if verdict.method is Method.DKIM:
        facts |= {"selector": clean(verdict.selector) or None, "aligned": verdict.aligned}
    return facts

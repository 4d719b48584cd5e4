"""The records of one kind among all TXT records of a name: those that begin with its version (`v=STSv1`, ...)."""

from __future__ import annotations

from smtp_probe.model import DnsAnswer


def texts_of(answer: DnsAnswer, version: str) -> list[str]:
    """Give the texts that begin with a version, in any case and behind any white space, in the order of the answer."""
    marker = version.lower().encode()
    return [
        value.decode("utf-8", "replace")
        for value in answer.values
        if isinstance(value, bytes) and value.lower().lstrip().startswith(marker)
    ]

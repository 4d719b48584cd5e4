"""What checks saw, as it stands in the engine for the exporters to show, and back.

In: a report of a domain, a drill or a queue, and when it was made; and what the next checker is to know. Out: bytes, and the same from them.
Of each subject only the last one is kept.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from smtp_probe.model import DomainReport, DrillReport, Memo, QueueLook, RetryLook

_LARGEST_BYTES = 8_388_608
_KINDS: dict[str, type[Any]] = {
    "domain": DomainReport,
    "drill": DrillReport,
    "queue": QueueLook,
    "retry": RetryLook,
    "memory": Memo,
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {word: TypeAdapter(kind) for word, kind in _KINDS.items()}
Report = DomainReport | DrillReport | QueueLook | RetryLook | Memo


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """One report. `subject` is a domain, drill or queue."""

    subject: str
    at_ns: int
    report: Report


def kind_of(report: Report) -> str:
    """The word for a kind of report."""
    return _WORDS[type(report)]


def write_check(record: CheckRecord) -> bytes:
    """Give the bytes of a report."""
    kind = kind_of(record.report)
    data = {
        "kind": kind,
        "subject": record.subject,
        "at_ns": record.at_ns,
        "report": _ADAPTERS[kind].dump_python(record.report, mode="json", exclude_defaults=True),
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 6)


def read_check(payload: bytes) -> CheckRecord:
    """Read a report. Raises ValueError for what is none, or of a kind that this version does not know."""
    try:
        data = json.loads(zlib.decompressobj().decompress(payload, _LARGEST_BYTES))
        report = _ADAPTERS[data["kind"]].validate_python(data["report"])
        return CheckRecord(subject=str(data["subject"]), at_ns=int(data["at_ns"]), report=report)
    except (ValidationError, KeyError, TypeError, zlib.error) as error:
        message = f"not a report of this version: {type(error).__name__}"
        raise ValueError(message) from error

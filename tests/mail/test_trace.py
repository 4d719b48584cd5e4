"""The way of a message is read from its header as each mail software writes it, and its raw delays are told."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.trace import MAX_RECEIVED, measure_delays, read_trace
from smtp_probe.model import Hop

MAILS = sorted((Path(__file__).parent.parent / "data" / "received").glob("*.eml"))


def as_ns(instant: str) -> int:
    """Read an ISO instant with up to nine decimals, by other means than the code under test."""
    whole, _, fraction = instant.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def expected_hop(written: dict) -> dict:
    """Complete what is written beside a mail: all that is not written there is unknown, and must be read so."""
    hop = asdict(Hop())
    for name, value in written.items():
        if name == "at":
            hop["at_ns"], hop["stamp_source"] = as_ns(value), "date"
            hop["resolution_seconds"] = written.get("resolution_seconds", 1.0)
        else:
            field = f"{name}_" if name in ("with", "for") else name
            assert field in hop, f"{name} is no field of a hop"
            hop[field] = tuple(value) if isinstance(value, list) else value
    return hop


@pytest.mark.parametrize("mail", MAILS, ids=lambda path: path.stem)
def test_every_dialect_is_read_as_written_beside_it(mail):
    expected = json.loads(mail.with_suffix(".json").read_text(encoding="utf-8"))

    trace = read_trace(mail.read_bytes())

    assert [expected_hop(hop) for hop in expected["hops"]] == [asdict(hop) for hop in trace.hops]
    assert expected["delays"] == [{"by": delay.by, "seconds": delay.delay_seconds} for delay in trace.delays]
    assert tuple(expected["flags"]) == trace.flags

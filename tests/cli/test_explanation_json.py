"""An explanation as an object for programs."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.cli.explanation_json import explanation_to_json, format_instant
from smtp_probe.mail.explanation.explain import explain_message
from smtp_probe.mail.explanation.mailbox_file import SavedMessage, split_messages
from tests.mail.lines import chain, line

SOUND = b"From: joe@example.org\r\nSubject: hi\r\nDate: Tue, 1 Sep 2026 10:00:00 +0200\r\n"
SAMPLES = Path(__file__).parent.parent / "data" / "bounces"
HOP_KEYS = {
    *("from_name", "from_host", "from_ip", "by", "with", "id", "for", "tls_version", "tls_cipher", "at"),
    *("resolution_seconds", "stamp_source", "delay_seconds", "uncertainty_seconds", "flags"),
}


def explain(header, text=b"", **options):
    found = explain_message(SavedMessage(number=1, header=header, text=text), **options)
    return json.loads(explanation_to_json("a.eml", 1, found))


def test_a_hop_has_all_its_keys_and_null_for_what_is_not_known():
    hop = explain(b"Received: by mx.example.net\r\n" + SOUND)["hops"][0]

    assert hop.keys() == HOP_KEYS
    assert hop == {**dict.fromkeys(HOP_KEYS), "by": "mx.example.net", "flags": ["no_date"]}


def test_hops_are_told_oldest_first_with_raw_delays():
    header = chain(("out.example.org", "08:00:01"), ("mx.example.net", "08:00:00"), source="desk")

    first, second = explain(header + SOUND)["hops"]

    assert (first["by"], first["at"], first["delay_seconds"], first["uncertainty_seconds"]) == (
        "out.example.org",
        "2026-09-01T08:00:01Z",
        None,
        None,
    )
    assert second == {
        "from_name": "out.example.org",
        "from_host": "out.example.org",
        "from_ip": "192.0.2.1",
        "by": "mx.example.net",
        "with": "ESMTPS",
        "id": "x-1",
        "for": None,
        "tls_version": None,
        "tls_cipher": None,
        "at": "2026-09-01T08:00:00Z",
        "resolution_seconds": 1.0,
        "stamp_source": "date",
        "delay_seconds": -1.0,
        "uncertainty_seconds": 1.0,
        "flags": [],
    }


def test_the_helo_name_and_the_reverse_name_are_two():
    header = b"Received: from laptop (dsl.example.org [192.0.2.9])\r\n by mx.example.net (Postfix) with ESMTP id 1 for <ann@example.net>; Tue, 1 Sep 2026 08:00:00 +0000\r\n"

    hop = explain(header)["hops"][0]

    assert (hop["from_name"], hop["from_host"], hop["from_ip"], hop["for"]) == (
        "laptop",
        "dsl.example.org",
        "192.0.2.9",
        "ann@example.net",
    )


def test_the_message_and_its_findings_are_told():
    header = chain(("out.example.org", "08:00:00"), ("mx.example.net", "08:00:41"), source="desk")

    found = explain(header + SOUND)

    assert {
        key: found[key] for key in ("file", "message", "subject", "from", "to", "date", "message_id")
    } == {
        "file": "a.eml",
        "message": 1,
        "subject": "hi",
        "from": "joe@example.org",
        "to": None,
        "date": "2026-09-01T08:00:00Z",
        "message_id": None,
    }
    assert (found["total_seconds"], found["total_uncertainty_seconds"]) == (41.0, 1.0)
    assert found["own"] == {"hosts": ["example.net"], "assumed": True, "first_hop": 2}
    assert found["legs"] == [{"leg": "transport", "from_hop": 1, "to_hop": 2, "seconds": 41.0}]
    (finding,) = found["findings"]
    assert finding.keys() == {"check", "severity", "hop", "message"}
    assert (finding["check"], finding["severity"], finding["hop"]) == ("slow_hop", "info", 2)
    assert found["bounce"] is None


def test_the_word_of_a_spam_filter_has_its_own_object():
    header = b"X-Mimecast-Spam-Score: 3\r\nX-Spam-Status: Yes, score=15.3 required=5.0 tests=GTUBE\r\n\r\n"
    saved = SavedMessage(number=1, header=header, text=b"")
    assert json.loads(explanation_to_json("-", 1, explain_message(saved)))["spam"] == [
        {"filter": "mimecast", "score": 3.0, "threshold": None, "verdict": "unknown", "detail": None},
        {"filter": "spamassassin", "score": 15.3, "threshold": 5.0, "verdict": "spam", "detail": None},
    ]


def test_nothing_known_is_null_and_empty():
    found = explain(b"Subject: x\r\n")

    assert (found["hops"], found["total_seconds"], found["legs"], found["bounce"]) == ([], None, [], None)


@pytest.mark.parametrize(
    ("name", "kind", "action", "temporary"),
    [
        ("postfix_failed", "dsn", "failed", False),
        ("postfix_delayed", "dsn", "delayed", True),
        ("exim_failed", "nonstandard", "failed", False),
        ("qmail_failed", "nonstandard", "failed", False),
        ("opensmtpd_failed", "nonstandard", "failed", False),
    ],
)
def test_a_bounce_has_its_own_object(name, kind, action, temporary):
    (saved,) = split_messages([(SAMPLES / f"{name}.eml").read_bytes()])

    bounce = json.loads(explanation_to_json("-", 1, explain_message(saved)))["bounce"]

    assert bounce.keys() == {
        *("kind", "action", "status", "recipient", "reason"),
        *("reporting_mta", "remote_mta", "diagnostic", "temporary"),
    }
    assert (bounce["kind"], bounce["action"], bounce["temporary"]) == (kind, action, temporary)
    assert bounce["status"]
    assert bounce["diagnostic"]


@pytest.mark.parametrize(
    ("resolution", "text"),
    [
        (1.0, "2026-09-01T08:00:00Z"),
        (60.0, "2026-09-01T08:00:00Z"),
        (None, "2026-09-01T08:00:00Z"),
        (0.1, "2026-09-01T08:00:00.0Z"),
        (1e-3, "2026-09-01T08:00:00.064Z"),
        (5e-3, "2026-09-01T08:00:00.064Z"),
        (5e-4, "2026-09-01T08:00:00.0648Z"),
        (1e-6, "2026-09-01T08:00:00.064803Z"),
        (1e-7, "2026-09-01T08:00:00.0648033Z"),
        (1e-9, "2026-09-01T08:00:00.064803347Z"),
        (1e-30, "2026-09-01T08:00:00.064803347Z"),
    ],
)
def test_an_instant_has_the_decimals_that_are_known(resolution, text):
    assert format_instant(1788249600 * 10**9 + 64_803_347, resolution) == text


@given(st.integers(-(2**70), 2**70), st.floats(allow_nan=True))
def test_an_instant_is_rfc_3339_or_nothing(instant_ns, resolution):
    text = format_instant(instant_ns, resolution)

    if text is not None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", text)
        assert datetime.fromisoformat(text[:19]).year == int(text[:4])


def test_an_instant_before_the_epoch_is_not_turned_around():
    assert format_instant(-1, 1e-9) == "1969-12-31T23:59:59.999999999Z"
    assert format_instant(None, 1.0) is None


def test_a_line_of_json_is_one_line_of_ascii_and_proves_nothing():
    token = "spt1-" + "a" * 48
    header = line(id_=token) + f"Subject: \u202e ä {token}\r\n".encode() + SOUND
    written = explanation_to_json("a\udcff\n", 1, explain_message(SavedMessage(number=1, header=header)))

    assert written.isascii()
    assert "\n" not in written
    assert token not in written
    assert "spt1-TAG" in written

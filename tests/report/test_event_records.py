"""Events survive the way through the stream, and the last record of an open probe is all that is needed to go on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from smtp_probe.model import (
    Bounce,
    BounceSeen,
    Disposition,
    DuplicateSeen,
    ForgerySeen,
    Location,
    Memo,
    Outcome,
    Probe,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    Submission,
    SubmissionDeferred,
    VerdictsFormed,
)
from smtp_probe.ports import OpenProbe
from smtp_probe.report.event_records import (
    Record,
    is_end,
    probe_of,
    read_record,
    state_after,
    write_record,
)
from tests.report.samples import make_authentication

SAMPLE = Path(__file__).parents[1] / "bench" / "outcome.json"
OUTCOME = TypeAdapter(Outcome).validate_json(SAMPLE.read_text())
PROBE = Probe(
    probe_id="p", route="r", sequence=1, sender="s", mailbox="m", bounce_mailbox=None, recipient="u@example.test",
    scheduled_ns=1, created_ns=2, deadline_seconds=60.0, give_up_after_seconds=600.0,
)  # fmt: skip
SUBMISSION = Submission(disposition=Disposition.ACCEPTED, started_ns=3, final_dot_ns=4)
PLACE = Location(mailbox="m", folder="INBOX", uidvalidity=1, uid=2)
BOUNCE = Bounce(location=PLACE, seen_ns=5, action="delayed", status="4.4.1")
EVENTS: list[Any] = [
    ProbeStarted(probe=PROBE),
    ProbeHandedOver(probe=PROBE, final_dot_ns=4),
    ProbeSubmitted(probe=PROBE, submission=SUBMISSION),
    SubmissionDeferred(probe=PROBE, submission=SUBMISSION),
    ProbeOverdue(probe=PROBE, at_ns=9),
    ProbeEnded(outcome=OUTCOME, memos=(Memo(kind="clock", name="n", text="{}"),)),
    DuplicateSeen(route="r", probe_id="p", location=PLACE),
    ForgerySeen(location=PLACE),
    StraySeen(location=PLACE),
    BounceSeen(route="r", probe_id="p", bounce=BOUNCE),
    SlotMissed(route="r", count=2, reason="busy"),
    VerdictsFormed(route="r", probe_id="p", found=make_authentication()),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event):
    record = Record(event=event, writer="w", nonce="n", state=state_after(event, None), submitter="w")

    assert read_record(write_record(record)) == record


def test_a_header_that_is_no_text_comes_back_to_the_byte():
    arrival = OUTCOME.arrival
    assert arrival is not None
    outcome = replace(OUTCOME, arrival=replace(arrival, header=bytes(range(256)) * 100))
    payload = write_record(Record(event=ProbeEnded(outcome=outcome), writer="w", nonce="n"))

    assert read_record(payload).event.outcome == outcome
    assert len(payload) < 25_600


def test_the_state_adds_up():
    state = None
    for event in (EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[4]):
        state = state_after(event, state)

    assert state == OpenProbe(probe=PROBE, submission=SUBMISSION, overdue=True, final_dot_ns=4)
    assert state_after(EVENTS[3], replace(state, submission=None)).final_dot_ns is None
    assert state_after(EVENTS[5], state) is None
    assert state_after(EVENTS[6], state) is None


def test_the_delay_of_a_probe_comes_along():
    state = OpenProbe(probe=PROBE, submission=SUBMISSION, overdue=False, delay=BOUNCE)
    record = Record(event=EVENTS[4], writer="w", nonce="n", state=replace(state, overdue=True))

    assert read_record(write_record(record)).state.delay == BOUNCE


def test_only_the_events_of_a_life_have_a_probe():
    assert [probe_of(event) is not None for event in EVENTS] == [True] * 6 + [False] * 6


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"z",
        b"zzz",
        b"[]",
        b"null",
        json.dumps({"kind": "x"}).encode(),
        b'{"kind":"started","event":{}}',
    ],
)
def test_what_is_no_record_is_refused(payload):
    with pytest.raises(ValueError, match=r"not a record|Expecting"):
        read_record(payload)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_the_end_of_a_probe_is_known_by_its_beginning(event):
    assert is_end(write_record(Record(event=event, writer="w", nonce="n"))) is isinstance(event, ProbeEnded)


@pytest.mark.parametrize("payload", [b"", b"z", b"zz", b"{}", b"\x00" * 80])
def test_what_is_no_record_is_no_end(payload):
    assert not is_end(payload)

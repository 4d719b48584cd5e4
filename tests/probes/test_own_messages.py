"""Our own probes in a queue, by the id of the reply or by the envelope."""

from types import SimpleNamespace

import pytest

from smtp_probe.model import QueuedRecipient, QueueEntry, QueueState
from smtp_probe.probes.own_messages import make_recogniser

SENDERS = {"relay": "Probe@example.org"}
NS = 10**9


def flight(probe_id, created, queue_id=None):
    probe = SimpleNamespace(
        probe_id=probe_id,
        route="daily",
        sender="relay",
        recipient="user@example.org",
        created_ns=created * NS,
    )
    return SimpleNamespace(probe=probe, submission=SimpleNamespace(queue_id=queue_id))


def entry(queue_id="X", arrived=200, sender="probe@example.org", recipients=("user@example.org",)):
    return QueueEntry(
        queue_id=queue_id,
        state=QueueState.DEFERRED,
        arrived_seconds=arrived,
        size_bytes=1,
        sender=sender,
        recipients=tuple(map(QueuedRecipient, recipients)),
    )


FLIGHTS = [flight("p1", 100, "ID1"), flight("p2", 150), flight("p3", 300)]


@pytest.mark.parametrize(
    ("seen", "probe"),
    [
        (entry("ID1", sender="", recipients=()), "p1"),
        (entry(), "p2"),
        (entry(arrived=120), "p1"),
        (entry(arrived=299), "p3"),
        (entry(arrived=10), None),
        (entry(arrived=None), "p3"),
        (entry(recipients=("USER+" + "a" * 48 + "@example.org",)), "p2"),
        (entry(recipients=("user+news@example.org",)), None),
        (entry(sender="probe+" + "a" * 48 + "@example.org"), "p2"),
        (entry(sender=""), None),
        (entry(sender="other@example.org"), None),
        (entry(recipients=("user@example.org", "b@example.org")), None),
    ],
)
def test_a_probe_is_named_by_its_id_or_its_envelope(seen, probe):
    found = make_recogniser(FLIGHTS, SENDERS)(seen)

    assert found == (None if probe is None else (probe, "daily"))


def test_each_entry_of_a_listing_stands_for_another_probe_as_long_as_there_is_one():
    recognise = make_recogniser(FLIGHTS, SENDERS)
    named = [recognise(entry(queue_id, arrived=300)) for queue_id in ("A", "B", "C", "D")]

    assert named == [("p3", "daily"), ("p2", "daily"), ("p1", "daily"), ("p3", "daily")]

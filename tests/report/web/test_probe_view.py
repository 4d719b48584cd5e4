"""One probe, from its first SYN to the mailbox."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import Finding, OutcomeKind, QueuedProbe, QueueState, Reply, Severity
from smtp_probe.report.archive import ProbeRecord
from smtp_probe.report.history import State
from smtp_probe.report.redaction import register_secret
from smtp_probe.report.web.checked import SeenInQueue
from smtp_probe.report.web.probe_view import view_header, view_probe
from tests.report.samples import (
    START_NS,
    make_authentication,
    make_bounce,
    make_probe,
    make_submission,
    refused,
)
from tests.report.web.stage import HEADER, delivery, ending

TOKEN = "spt1-" + "a" * 48


def view_of(outcome, header=b""):
    return view_probe(ProbeRecord(probe=outcome.probe, outcome=outcome, header=header))


def test_a_message_that_waits_in_a_queue_is_told_where_and_why():
    def seen(probe_id, arrived=1_795_000_000):
        queued = QueuedProbe(
            queue_id="4jYG3M6jDtz",
            probe_id=probe_id,
            route="inbound",
            state=QueueState.DEFERRED,
            arrived_seconds=arrived,
            reason=f"connection refused {TOKEN}",
        )
        return SeenInQueue(queue="relay", at_ns=START_NS, probe=queued)

    probe = make_probe()
    view = view_probe(ProbeRecord(probe=probe), [seen("another"), seen(probe.probe_id)])
    [place] = view.queued

    assert (place.queue, place.queue_id, place.state) == ("relay", "4jYG3M6jDtz", "deferred")
    assert place.arrived_at == "2026-11-18T11:06:40.000000Z"
    assert place.reason.startswith("connection refused")
    assert TOKEN not in place.reason
    assert view_probe(ProbeRecord(probe=probe), [seen(probe.probe_id, None)]).queued[0].arrived_at is None

    another = replace(seen(probe.probe_id), probe=replace(seen(probe.probe_id).probe, queue_id="Y"))
    record = ProbeRecord(probe=probe, submission=replace(make_submission(), queue_id="4jYG3M6jDtz"))
    told = [view.queue_id for view in view_probe(record, [another, seen(probe.probe_id)]).queued]
    assert told == ["4jYG3M6jDtz"]


def test_a_delivery_with_everything():
    view = view_of(delivery(1, seconds=2.0), HEADER)

    assert (view.state, view.kind, view.sentence) == (State.GOOD, "delivered", "delivered in 2.00 s")
    assert [phase.phase for phase in view.phases][:3] == ["resolve", "connect", "greeting"]
    assert [hop.by for hop in view.hops] == ["submission.example.net", "mx.example.net", "store.example.org"]
    assert view.hops[1].raw_delay_seconds == 0.6
    assert view.hops[0].stamp_source == "postfix id"
    assert view.arrival.folder == "INBOX"
    assert view.header_lines[0].startswith("Received: from mx.example.net")
    assert view.header_lines[1].startswith("    by store")


def test_authentication_is_told_by_whose_word_it_is_and_what_is_wrong_with_it():
    outcome = delivery(1)
    view = view_probe(
        ProbeRecord(
            probe=outcome.probe, outcome=outcome, authentication=make_authentication(f"x {TOKEN}\x1b")
        )
    )
    told = [(each.method, each.source, each.result, each.domain, each.aligned) for each in view.verdicts]

    assert told == [
        ("spf", "own", "softfail", "bounces.example.net", False),
        ("dkim", "own", "pass", "example.net", True),
        ("dkim", "receiver", "fail", "example.net", None),
        ("dmarc", "own", "pass", "example.net", None),
    ]
    assert [each.check for each in view.findings][-1] == "dkim_disagrees"
    assert view.unobserved_verdicts == ("the body was not fetched",)
    assert TOKEN not in view.verdicts[0].detail
    assert "\x1b" not in view.verdicts[0].detail


def test_times_on_our_clock_are_told_with_their_bounds_and_what_is_wrong_with_the_way():
    finding = Finding(
        check="origin", severity=Severity.WARNING, message="not\n ours", advice="look", source="RFC 5321"
    )
    outcome = delivery(1, seconds=2.0)
    outcome = replace(outcome, path=replace(outcome.path, findings=(finding,)))
    view = view_of(outcome)

    assert [hop.label for hop in view.corrected_hops] == [hop.by for hop in outcome.timing.hops]
    assert sum(hop.seconds for hop in view.corrected_hops) == pytest.approx(outcome.timing.delivery.seconds)
    assert all(hop.lower_seconds <= hop.seconds <= hop.upper_seconds for hop in view.corrected_hops)
    assert [clock.name for clock in view.clocks] == [clock.by for clock in outcome.timing.offsets]
    assert all(clock.lower_seconds <= clock.offset_seconds <= clock.upper_seconds for clock in view.clocks)
    (told,) = view.findings
    assert (told.check, told.severity, told.subject) == ("origin", "warning", "example")
    assert "\n" not in told.message


def test_an_open_probe_says_what_is_waited_for():
    probe = make_probe()

    assert view_probe(ProbeRecord(probe=probe)).sentence == "being submitted"
    assert (
        view_probe(ProbeRecord(probe=probe, submission=make_submission())).sentence
        == "accepted, waiting for the message"
    )
    overdue = view_probe(ProbeRecord(probe=probe, submission=make_submission(), is_overdue=True))
    assert (overdue.state, overdue.kind) == (State.FAILED, "open")
    assert "still awaited" in overdue.sentence


def test_a_delay_is_told_while_a_probe_is_open_and_when_it_has_ended():
    delay = make_bounce(action="delayed", status="4.4.1", retry_until_ns=START_NS)
    waiting = view_probe(ProbeRecord(probe=make_probe(), submission=make_submission(), delay=delay))
    assert waiting.sentence.startswith("waiting for the message; put off on its way, told at 2026-")
    assert "4.4.1, to be tried until 2026-" in waiting.sentence
    record = ProbeRecord(probe=make_probe(), submission=make_submission(), delay=delay, is_overdue=True)
    assert "still awaited; put off on its way, told at 2026-" in view_probe(record).sentence
    ended = view_of(replace(delivery(1), delay=delay))

    for view in (waiting, ended):
        assert (view.bounce, view.delay.action, view.delay.status) == (None, "delayed", "4.4.1")
        assert view.delay.retry_until is not None


def test_how_many_attempts_it_took_is_told():
    tried = replace(make_submission(), attempts=3)
    assert view_of(replace(delivery(1), submission=tried)).attempts == 3
    assert view_of(delivery(1)).attempts == 1


def test_the_proof_in_a_tag_is_shown_nowhere():
    header = (
        f"Subject: [{TOKEN}]\nMessage-ID: <{TOKEN}@x>\nDelivered-To: probe+{'b' * 48}@example.org\n".encode()
    )
    submission = refused(550, f"no such message {TOKEN}")
    view = view_of(ending(OutcomeKind.REFUSED, 1, submission=submission), header)

    assert "a" * 20 not in repr(view)
    assert "b" * 20 not in repr(view)
    assert "TAG" in view.header_lines[0]


def test_a_secret_that_a_server_quotes_is_struck_out():
    register_secret("planted-in-a-reply")
    submission = replace(make_submission(), queue_id="planted-in-a-reply")
    phases = tuple(
        replace(phase, reply=Reply(code=250, text="hello planted-in-a-reply")) for phase in submission.phases
    )
    view = view_of(
        ending(OutcomeKind.LOST, 1, submission=replace(submission, phases=phases)), b"X: planted-in-a-reply\n"
    )

    assert "planted" not in repr(view)


@given(st.binary(max_size=3000))
def test_a_header_of_whatever_bytes_is_lines_that_can_be_seen(header):
    lines = view_header(header)

    assert all(line.isprintable() for line in lines)
    assert all(len(line) <= 604 for line in lines)


def test_a_header_without_end_has_one():
    assert len(view_header(b"a: b\n" * 10_000)) == 401
    assert view_header(b"a: b\n" * 10_000)[-1] == "(9600 more lines)"

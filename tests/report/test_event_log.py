"""Events as log lines."""

import logging

import pytest

from smtp_probe.model import (
    BounceSeen,
    ClockStep,
    DuplicateSeen,
    ForgerySeen,
    Location,
    OutcomeKind,
    PathChange,
    PathFacts,
    PathIdentity,
    ProbeEnded,
    ProbeOverdue,
    SlotMissed,
    Span,
    StraySeen,
    SubmissionDeferred,
    Timing,
)
from smtp_probe.report.event_log import log_event
from smtp_probe.report.log_format import LogfmtFormatter
from tests.report.samples import NS, START_NS, life_of, make_bounce, make_outcome, make_probe, refused

COPY = Location(mailbox="inbox", folder="INBOX\n", uidvalidity=1, uid=3)
FORGED = "message with a forged tag, or of another smtp-probe with a key of its own on this mailbox"
STRAY = "message of the command probe, of another smtp-probe with the same key on this mailbox, or of a journal that is gone"
OTHERS = [
    (ProbeOverdue(probe=make_probe(), at_ns=START_NS), "warning", "probe overdue: not arrived within 5 min"),
    (DuplicateSeen(route="example", probe_id="p1", location=COPY), "warning", "duplicate message"),
    (ForgerySeen(location=COPY), "warning", FORGED),
    (StraySeen(location=COPY), "warning", STRAY),
    (BounceSeen(route="example", probe_id="p1", bounce=make_bounce(action="relayed")), "info", "notice about a probe"),
    (BounceSeen(route="example", probe_id="p1", bounce=make_bounce(action="delayed", remote_mta="mx.example.net", diagnostic="450 4.2.0 later")),
     "warning", "probe put off on its way, told at 2026-09-21 14:13:20 UTC by mx.example.net: 450 4.2.0 later"),
    (SubmissionDeferred(probe=make_probe(), submission=refused(451)), "info", "probe put off, to be tried again"),
    (SlotMissed(route="example", count=2, reason="busy"), "info", "scheduled probe not sent"),
]  # fmt: skip


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG, "smtp_probe.events")

    def told(*events):
        for event in events:
            log_event(event)
        return [(record.levelname.lower(), record.getMessage(), record) for record in caplog.records]

    return told


def test_a_delivery_is_one_line_of_information(lines):
    ((level, message, record),) = lines(ProbeEnded(outcome=make_outcome()))

    assert (level, message) == ("info", "probe ended: delivered in 1.50 s")
    assert (record.route, record.probe_id, record.outcome) == ("example", "probe0001", "delivered")
    assert record.delivery_seconds == 1.5


def test_a_changed_path_and_a_clock_that_was_set_are_warnings_of_their_own(lines):
    before = PathIdentity(fingerprint="0a0a0a0a", hosts=("mx.example.org",), first_seen_ns=0)
    now = PathIdentity(fingerprint="1b1b1b1b", hosts=("scan.example.net", "mx.example.org"), first_seen_ns=1)
    span = Span(took_ns=NS, least_ns=0, most_ns=2 * NS)
    outcome = make_outcome(
        path=PathFacts(identity=now, change=PathChange(previous=before, appeared=("scan.example.net",))),
        timing=Timing(
            delivery=span, hops=(), steps=(ClockStep(by="mx.example.org", at_ns=0, shift_ns=5 * NS),)
        ),
    )
    _, (level, message, record), (step_level, step_message, step) = lines(ProbeEnded(outcome=outcome))

    assert (level, message) == ("warning", "path changed: scan.example.net appeared")
    assert (record.route, record.path, record.before) == ("example", "1b1b1b1b", "0a0a0a0a")
    assert (step_level, step_message) == ("warning", "clock of a host was set")
    assert (step.by, step.shift_seconds) == ("mx.example.org", 5.0)


def test_a_failure_is_one_warning_with_stage_cause_and_reply(lines):
    ((level, message, record),) = lines(ProbeEnded(outcome=make_outcome(OutcomeKind.REFUSED)))

    assert (level, message) == (
        "warning",
        "probe ended: 550 5.7.1 at RCPT by 192.0.2.1: blocked by policy",
    )
    assert (record.failed_at, record.cause, record.reply) == (
        "rcpt",
        "reply_permanent",
        "550 5.7.1 blocked by policy",
    )


@pytest.mark.parametrize("kind", OutcomeKind)
def test_every_end_is_logged_once_and_only_successes_are_no_warning(lines, kind):
    told = lines(ProbeEnded(outcome=make_outcome(kind)))

    assert [level for level, _, _ in told] == ["info" if kind is OutcomeKind.DELIVERED else "warning"]


@pytest.mark.parametrize(("event", "level", "message"), OTHERS)
def test_what_else_happened_is_logged(lines, event, level, message):
    assert [each[:2] for each in lines(event)] == [(level, message)]


@pytest.mark.parametrize("kind", OutcomeKind)
def test_no_mail_address_reaches_the_log(lines, kind):
    told = lines(*life_of(make_outcome(kind)))
    text = "\n".join(LogfmtFormatter().format(record) for _, _, record in told)

    assert len(told) == 3
    assert "@" not in text

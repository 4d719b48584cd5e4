"""Events as log lines."""

import logging

import pytest

from smtp_probe.model import (
    BounceSeen,
    DuplicateSeen,
    ForgerySeen,
    Location,
    OutcomeKind,
    ProbeEnded,
    ProbeOverdue,
    SlotMissed,
)
from smtp_probe.report.event_log import log_event
from smtp_probe.report.log_format import LogfmtFormatter
from tests.report.samples import START_NS, life_of, make_bounce, make_outcome, make_probe

COPY = Location(mailbox="inbox", folder="INBOX\n", uidvalidity=1, uid=3)
OTHERS = [
    (ProbeOverdue(probe=make_probe(), at_ns=START_NS), "warning", "probe overdue: not arrived within 5 min 0 s"),
    (DuplicateSeen(route="example", probe_id="p1", location=COPY), "warning", "duplicate message"),
    (ForgerySeen(location=COPY), "warning", "message with a forged tag"),
    (BounceSeen(route="example", probe_id="p1", bounce=make_bounce(action="delayed")), "info", "notice about a probe"),
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

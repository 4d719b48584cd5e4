"""Bounces that come as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.event import is_event, read_events
from smtp_probe.mail.syntax.mime_parts import Part

BOUNCE = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "reportingMTA": "dns; a6-11.out.example",
        "bouncedRecipients": [
            {
                "emailAddress": "a@there.example",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            },
            {"emailAddress": "b@there.example", "diagnosticCode": "smtp; 552 5.2.2 full"},
        ],
    },
}


def read(text):
    return [*read_events([Part("text/plain", b"", text.encode())])]


def test_each_recipient_of_an_event_is_told():
    first, second = read(
        "\n" + json.dumps(BOUNCE) + "\n\n--\nIf you wish to stop receiving notifications, click\n"
    )

    assert (first.action, first.status, first.recipient) == ("failed", "5.1.1", "a@there.example")
    assert (first.reporting_mta, first.diagnostic) == ("a6-11.out.example", "550 5.1.1 user unknown")
    assert (second.status, second.recipient) == ("5.2.2", "b@there.example")


def test_the_newer_name_of_the_kind_is_understood():
    event = {"eventType": "Bounce", "bounce": BOUNCE["bounce"]}

    assert len(read(json.dumps(event))) == 2


@pytest.mark.parametrize(
    "event",
    [
        {"notificationType": "Delivery", "delivery": {"recipients": ["a@b.example"]}},
        {"notificationType": "Complaint", "complaint": {}},
        {"notificationType": "Bounce", "bounce": None},
        {"notificationType": "Bounce", "bounce": {"bouncedRecipients": "a@b.example"}},
        {},
    ],
)
def test_other_events_say_nothing(event):
    assert read(json.dumps(event)) == []


@pytest.mark.parametrize("text", ["", "{", "{]", "hello", "[" * 100_000, '{"a":' * 50_000])
def test_what_is_no_event_says_nothing(text):
    assert read(text) == []


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    read("{" + text)


def test_the_header_tells_who_wrote_it():
    assert is_event([("x-amz-sns-message-id", b"1")])
    assert not is_event([("subject", b"AWS Notification Message")])

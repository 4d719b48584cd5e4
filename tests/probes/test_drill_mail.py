"""The message of a drill: tagged in its recipient, and in its header; and what is said when nobody takes it."""

import pytest

from smtp_probe.mail.addresses import find_address_tokens, strip_tag
from smtp_probe.mail.tag import find_tokens, verify
from smtp_probe.model import Cause, Disposition, Failure, Reply, Submission
from smtp_probe.probes.drill_mail import why_not_taken
from tests.probes.drill_fakes import KEYS, FakeServer, sender_of

RECIPIENT = "drill@drill.example.org"


def test_the_tag_stands_in_the_recipient_and_in_the_header():
    probe_id, envelope = sender_of(FakeServer()).prepare("retries", RECIPIENT)

    (token,) = find_address_tokens(envelope.recipient.encode())
    assert strip_tag(envelope.recipient) == RECIPIENT
    assert token in find_tokens(envelope.message[:2000])
    tag = verify(token, KEYS, "retries", RECIPIENT)
    assert tag is not None
    assert tag.probe_id == probe_id
    assert envelope.sender == "probe@example.org"


@pytest.mark.parametrize("disposition", [Disposition.ACCEPTED, Disposition.UNCERTAIN])
def test_of_a_message_that_may_be_on_its_way_nothing_is_said(disposition):
    assert why_not_taken(Submission(disposition=disposition, started_ns=0)) == ""


def test_a_refusal_is_told_without_the_tag():
    _, envelope = sender_of(FakeServer()).prepare("retries", RECIPIENT)
    reply = Reply(code=554, text=f"<{envelope.recipient}>: Relay access denied")
    failure = Failure(stage="rcpt", cause=Cause.REPLY_PERMANENT.value, reply=reply)
    said = why_not_taken(Submission(disposition=Disposition.REFUSED, started_ns=0, failure=failure))

    assert "refused at rcpt: 554" in said
    assert "Relay access denied" in said
    assert not find_address_tokens(said.encode())

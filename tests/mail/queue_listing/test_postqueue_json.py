"""`postqueue -j`, as Postfix 3.7 wrote it in the lab, and what is no such thing."""

import pytest

from smtp_probe.mail.queue_listing.postqueue_json import PostqueueJson
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueState

LINE = (
    b'{"queue_name": "deferred", "queue_id": "4jbjZ06lcfzJBc2", "arrival_time": 1795806376, "message_size": 1600, '
    b'"forced_expire": false, "sender": "probe1@example.test", "recipients": [{"address": "probe2@example.test", '
    b'"delay_reason": "connect to mx2.example.test[127.77.1.5]:25: Connection refused"}]}\n'
)


def read(content, size=7):
    listing = PostqueueJson()
    found = [each for at in range(0, len(content), size) for each in listing.feed(content[at : at + size])]
    return [*found, *listing.end()]


def test_an_entry_of_a_real_queue():
    (entry,) = read(LINE)

    assert (entry.queue_id, entry.state, entry.arrived_seconds) == (
        "4jbjZ06lcfzJBc2",
        QueueState.DEFERRED,
        1795806376,
    )
    assert (entry.size_bytes, entry.sender) == (1600, "probe1@example.test")
    assert entry.recipients == (
        QueuedRecipient(
            "probe2@example.test", "connect to mx2.example.test[127.77.1.5]:25: Connection refused"
        ),
    )


def test_an_empty_queue_is_no_error():
    assert read(b"") == []


def test_a_bounce_has_the_empty_sender_and_an_active_message_no_reason():
    (entry,) = read(
        b'{"queue_name": "active", "queue_id": "A", "arrival_time": 1, "message_size": 2, '
        b'"sender": "MAILER-DAEMON", "recipients": [{"address": "a@b"}]}\n'
    )

    assert entry.sender == ""
    assert entry.recipients == (QueuedRecipient("a@b", ""),)


def test_bytes_that_are_not_utf8_do_not_end_the_reading():
    (entry,) = read(LINE.replace(b"probe2", b"\xff\xfe"))

    assert entry.recipients[0].address == "\N{REPLACEMENT CHARACTER}" * 2 + "@example.test"


@pytest.mark.parametrize(
    "content",
    [
        b"Mail queue is empty\n",
        b"[]\n",
        b"{}\n",
        b"null\n",
        LINE.replace(b"1600", b'"many"'),
        LINE.replace(b"1600", b"null"),
        LINE.replace(b'"recipients"', b'"recipients": 5, "x"'),
        LINE[:-1],
        LINE + LINE[:40],
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_listing_is_an_error_and_never_a_shorter_queue(content):
    with pytest.raises(ListingError):
        read(content, 4096)

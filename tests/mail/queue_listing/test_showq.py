"""The stream of Postfix's showq service, as it came from the socket in the lab."""

import pytest

from smtp_probe.mail.queue_listing.showq import ShowqStream
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueState

GREETING = b"protocol\0mail_queue_list_protocol\0\0"
ENTRY = (
    b"queue_name\0deferred\0queue_id\x004jbjZ06lcfzJBc2\0time\x001795806376\0size\x001600\0forced_expire\x000\0"
    b"sender\0probe1@example.test\0recipient\0probe2@example.test\0"
    b"reason\0connect to mx2.example.test[127.77.1.5]:25: Connection refused\0\0"
)
TWO = (
    b"queue_name\0active\0queue_id\0BBBBBB\0time\x001795806377\0size\x0010\0sender\0MAILER-DAEMON\0"
    b"original_recipient\0a@c\0recipient\0a@b\0recipient\0c@d\0reason\0later\0\0"
)
END = b"\0"


def read(content, size=5):
    stream = ShowqStream()
    found = [each for at in range(0, len(content), size) for each in stream.feed(content[at : at + size])]
    return [*found, *stream.end()]


@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize("greeting", [GREETING, b""], ids=["3.6 and later", "before"])
def test_entries_of_a_real_queue(greeting, size):
    first, second = read(greeting + ENTRY + TWO + END, size)

    assert (first.queue_id, first.state, first.arrived_seconds, first.size_bytes, first.sender) == (
        "4jbjZ06lcfzJBc2",
        QueueState.DEFERRED,
        1795806376,
        1600,
        "probe1@example.test",
    )
    assert first.recipients[0].reason.endswith("Connection refused")
    assert (second.state, second.sender) == (QueueState.ACTIVE, "")
    assert second.recipients == (QueuedRecipient("a@b"), QueuedRecipient("c@d", "later"))


def test_an_empty_queue_is_a_greeting_and_an_end():
    assert read(GREETING + END) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GREETING,
        GREETING + ENTRY,
        GREETING + ENTRY[:-20],
        GREETING + ENTRY.replace(b"1600", b"big") + END,
        GREETING + ENTRY.replace(b"queue_id", b"id") + END,
        GREETING + END + ENTRY,
        b"220 smtp.example.org ESMTP\r\n",
    ],
)
def test_what_is_no_whole_listing_is_an_error(content):
    with pytest.raises(ListingError):
        read(content)

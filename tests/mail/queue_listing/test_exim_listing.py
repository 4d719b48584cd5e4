"""`exim -bp`, in the form of the manual's examples (chapter 5 and 52)."""

import pytest

from smtp_probe.mail.queue_listing.exim_listing import EximListing, arrival_of
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueState

LISTING = b"""\
25m  2.9K 0t5C6f-0000c8-00 <alice@wonderland.fict.example>
          red.king@looking-glass.fict.example
          <other@looking-glass.fict.example>

 3d   11M 1rABCd-00000001abc-0XYz <> *** frozen ***
        D done@example.org
          left@example.org

 0m   512 1rABCe-000001-2A (root) <root@example.org>
          one@example.org

"""


def read(content, size=6):
    listing = EximListing()
    found = [each for at in range(0, len(content), size) for each in listing.feed(content[at : at + size])]
    return [*found, *listing.end()]


def test_messages_and_those_whom_they_still_have_to_reach():
    first, second, third = read(LISTING)

    assert (first.queue_id, first.state, first.size_bytes) == ("0t5C6f-0000c8-00", QueueState.QUEUED, 2970)
    assert first.sender == "alice@wonderland.fict.example"
    assert len(first.recipients) == 2
    assert (second.state, second.sender, second.size_bytes) == (QueueState.HOLD, "", 11 * 1024 * 1024)
    assert second.recipients == (QueuedRecipient("left@example.org"),)
    assert (third.sender, third.size_bytes) == ("root@example.org", 512)


def test_the_arrival_is_in_the_id():
    assert arrival_of("000010-000000-00") == 62
    assert read(LISTING)[0].arrived_seconds == arrival_of("0t5C6f")


def test_an_empty_queue():
    assert read(b"") == []


@pytest.mark.parametrize(
    "content",
    [
        b"exim: permission denied\n",
        LISTING[:-30],
        b"          stray@example.org\n",
        LISTING + b"what is this\n",
    ],
)
def test_what_is_no_listing_is_an_error(content):
    with pytest.raises(ListingError):
        read(content)


def test_a_message_that_exim_cannot_read_hides_no_other():
    listing = (
        " 2h  1.2K 1qXyZa-0003Ab-Ce\n    *** spool format error: size=0 ***\n\n"
        " 2h       1qXyZa-0003Ab-Cf <a@x.example>\n    *** spool read error: Permission denied ***\n\n"
        " 3h  1.1G 1qXyZa-0003Ab-Cg <a@x.example> *** frozen ***\n        D c@y.example\n       +D d@y.example\n"
        "          b@y.example\n\n"
    )
    reader = EximListing()
    entries = [*reader.feed(listing.encode()), *reader.end()]
    assert [(entry.queue_id[-2:], entry.sender, len(entry.recipients)) for entry in entries] == [
        ("Ce", "", 0), ("Cf", "a@x.example", 0), ("Cg", "a@x.example", 1),
    ]  # fmt: skip
    assert entries[2].size_bytes == round(1.1 * 1024**3)
    with pytest.raises(ListingError):
        list(EximListing().feed(b"    *** spool format error: size=0 ***\n"))

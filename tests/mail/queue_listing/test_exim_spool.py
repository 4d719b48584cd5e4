"""Exim's -H files: the envelope, in the form of the manual's chapter on spool files."""

import pytest

from smtp_probe.mail.queue_listing.exim_spool import last_deferral, read_spool_header
from smtp_probe.mail.queue_listing.states import ListingError
from smtp_probe.model import QueuedRecipient, QueueState

ID = "1rABCd-000001-2A"
HEADER = f"""\
{ID}-H
Debian-exim 101 103
<probe@example.org>
1700000000 0
-received_time_usec .123456
-helo_name prober.example.org
-host_address [192.0.2.1]:4711
-body_linecount 3
OPTIONS
TREE
RECIPIENTS

123P Received: from prober.example.org
"""
LOG = b"""\
2026-11-27 19:00:00.1 Received from probe@example.org
2026-11-27 19:00:01.2 a@example.org R=mx T=smtp defer (111): Connection refused
2026-11-27 19:00:02.3 a@example.org R=mx T=smtp H=mx defer (-44): SMTP error after RCPT TO: 451 later
"""


def make(options="-local_scan x", tree="XX", recipients="1\na@example.org"):
    text = HEADER.replace("OPTIONS", options).replace("TREE", tree).replace("RECIPIENTS", recipients)
    return text.encode()


def test_a_message_that_was_tried_in_vain():
    entry = read_spool_header(make(), ID, 2048, LOG)

    assert (entry.queue_id, entry.state, entry.sender, entry.size_bytes) == (
        ID,
        QueueState.DEFERRED,
        "probe@example.org",
        2048,
    )
    assert entry.recipients == (QueuedRecipient("a@example.org", "SMTP error after RCPT TO: 451 later"),)


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ("-deliver_firsttime", QueueState.INCOMING),
        ("-frozen 1700000100", QueueState.HOLD),
        ("-deliver_firsttime\n-frozen 1700000100", QueueState.HOLD),
    ],
)
def test_its_state_is_in_the_options(options, state):
    assert read_spool_header(make(options), ID, 1).state is state


def test_who_has_been_reached_is_left_out():
    tree = "YY b@example.org\nNN A@example.org\nNN c@example.org"
    recipients = "4\na@example.org\nb@example.org\nc@example.org\nd@example.org 1,2"
    entry = read_spool_header(make(tree=tree, recipients=recipients), ID, 1)

    assert [each.address for each in entry.recipients] == ["d@example.org"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"something else\n",
        make()[:60],
        make(tree="YY b@example.org"),
        make(tree="what"),
        make(recipients="many"),
        make(recipients="999999999\na@example.org"),
        make(recipients="40\na@example.org"),
    ],
)
def test_a_damaged_file_is_an_error(content):
    with pytest.raises(ListingError):
        read_spool_header(content, ID, 1)


def test_a_log_without_a_deferral_gives_no_reason():
    assert last_deferral(b"") == ""
    assert last_deferral(LOG.splitlines()[0]) == ""

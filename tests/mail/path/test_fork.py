"""Where two copies of one message parted is told by the lines that they have in common."""

from smtp_probe.mail.path.fork import find_fork
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Fork, Trace


def trace(*hops):
    """A trace from `(by, id)` pairs, oldest first."""
    lines = [
        f"Received: from x by {by} (Postfix) with ESMTP id {id_}; Tue, 1 Sep 2026 08:00:0{number} +0000\r\n"
        for number, (by, id_) in enumerate(hops)
    ]
    return read_trace("".join(reversed(lines)).encode())


OUT, MX, STORE = ("out.example.org", "x-1"), ("mx.example.net", "x-2"), ("store.example.net", "x-3")


def test_copies_part_at_the_last_host_that_had_it_once():
    assert find_fork(trace(OUT, MX, STORE), trace(OUT, MX, (STORE[0], "x-9"))) == Fork(
        after_hop=2, host="mx.example.net"
    )
    assert find_fork(trace(OUT, MX, STORE), trace(OUT, ("backup.example.net", "x-5"), STORE)) == Fork(
        after_hop=1, host="out.example.org"
    )


def test_a_copy_that_ends_early_parted_at_its_last_hop():
    assert find_fork(trace(OUT, MX, STORE), trace(OUT, MX)) == Fork(after_hop=2, host="mx.example.net")


def test_the_same_way_to_its_end_was_doubled_in_the_mailbox():
    assert find_fork(trace(OUT, MX), trace(OUT, MX)) == Fork(
        after_hop=2, host="mx.example.net", is_behind_last_hop=True
    )


def test_copies_with_nothing_in_common_parted_before_the_first_hop():
    assert find_fork(trace(OUT, MX), trace((OUT[0], "x-7"), MX)) == Fork(after_hop=0)
    assert find_fork(Trace(), trace(OUT)) == Fork(after_hop=0)

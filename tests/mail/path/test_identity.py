"""A way is recognised again; what appears or vanishes in it is named; machines of a pool are one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.path.identity import PathMemory, read_memory, recognise, write_memory

WAY = ("submit.example.org", "mx.example.net", "store.example.net")
SCANNED = ("submit.example.org", "scan.example.com", "mx.example.net", "store.example.net")


def follow(*ways, memory=None):
    memory, seen = memory or PathMemory(), []
    for number, labels in enumerate(ways, 1):
        memory, identity, change = recognise(memory, labels, number)
        seen.append((identity, change))
    return memory, seen


def test_the_first_way_is_no_change_and_the_same_one_again_is_none():
    memory, seen = follow(WAY, WAY, WAY)

    assert [change for _, change in seen] == [None, None, None]
    assert len({identity for identity, _ in seen}) == 1
    assert seen[2][0].first_seen_ns == 1
    assert memory.previous is None


def test_a_scanner_is_named_on_the_day_it_is_inserted_and_when_it_goes():
    memory, seen = follow(WAY, SCANNED, WAY)
    inserted, removed = seen[1][1], seen[2][1]

    assert (inserted.appeared, inserted.vanished) == (("scan.example.com",), ())
    assert (removed.appeared, removed.vanished) == ((), ("scan.example.com",))
    assert inserted.previous.hosts == WAY
    assert seen[2][0].fingerprint == seen[0][0].fingerprint != seen[1][0].fingerprint
    assert (memory.changed_ns, memory.previous.hosts) == (3, SCANNED)


def test_the_backup_in_the_place_of_the_first_exchanger_is_news():
    _, seen = follow(("a.example", "mx1.example.net"), ("a.example", "mx2.example.net"))

    assert (seen[1][1].appeared, seen[1][1].vanished) == (("mx2.example.net",), ("mx1.example.net",))


def test_a_host_that_is_passed_twice_is_counted_twice():
    _, seen = follow(("a.example", "b.example"), ("a.example", "b.example", "b.example"))

    assert seen[1][1].appeared == ("b.example",)


@pytest.mark.parametrize(
    "pool",
    [
        [f"out{number}.example.org" for number in range(20)],
        [f"smtp-{number:x}f9k{number}.pods.example.org" for number in range(10, 30)],
        [f"relay-{number}.eu{number % 3}.example.org" for number in range(20)],
    ],
)
def test_a_pool_is_one_host_once_three_of_it_were_met(pool):
    _, seen = follow(*(("a.example", name, "z.example") for name in pool))
    changes = [change for _, change in seen]

    assert all(changes[1:2])
    assert changes[3:] == [None] * (len(pool) - 3)
    assert "#" in seen[-1][0].hosts[1]


def test_lines_of_one_provider_in_a_row_are_one():
    _, seen = follow(("a.example", "google.com", "google.com"), ("a.example", "google.com"))

    assert seen[1][1] is None
    assert seen[0][0].hosts == ("a.example", "google.com")


def test_an_order_turned_around_is_a_change():
    _, seen = follow(("a.example", "b.example"), ("b.example", "a.example"))

    assert (seen[1][1].appeared, seen[1][1].vanished) == ((), ())


def test_the_memory_comes_back_from_the_journal():
    memory, _ = follow(WAY, SCANNED, ("x1.example", "x2.example", "x3.example", "x4.example"))
    again = read_memory(json.loads(json.dumps(write_memory(memory))))

    assert again == memory
    assert read_memory(write_memory(PathMemory())) == PathMemory()


@pytest.mark.parametrize(
    "damage", [None, 3, {}, {"current": 5, "previous": None, "changed_ns": None, "pools": {}}]
)
def test_a_damaged_memory_is_not_read(damage):
    assert read_memory(damage) is None


@given(st.lists(st.lists(st.text("ab1.-", max_size=6), max_size=5), max_size=60))
def test_the_memory_is_bounded_and_every_way_is_recognised_at_once(ways):
    memory, _ = follow(*ways)

    assert len(memory.pools) <= 32
    for labels in ways[-1:]:
        assert recognise(memory, labels, 99)[2] is None


def test_flooding_does_not_fill_the_memory():
    memory, _ = follow(
        *((f"h{number}x{number}a.d{number % 7}q{number}z.example",) for number in range(10_000))
    )

    assert len(json.dumps(write_memory(memory))) < 8_000

"""A bucket of tokens."""

import pytest

from smtp_probe.report.doors.rate import ClientBuckets, TokenBucket, client_of


class Time:
    def __init__(self):
        self.at = 100.0

    def __call__(self):
        return self.at


def test_a_burst_and_then_one_at_a_time():
    now = Time()
    bucket = TokenBucket(0.5, 2, now)

    assert [bucket.take(), bucket.take(), bucket.take()] == [0.0, 0.0, 2.0]
    now.at += 2.0
    assert [bucket.take(), bucket.take()] == [0.0, 2.0]


def test_what_is_not_used_does_not_grow_without_end():
    now = Time()
    bucket = TokenBucket(10.0, 3, now)
    now.at += 1e6

    assert [bucket.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.1]


def test_one_client_takes_nothing_from_another():
    buckets = ClientBuckets(1.0, 2, Time())

    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 1.0]
    assert buckets.take("b") == 0.0


def test_only_so_many_clients_are_remembered():
    buckets = ClientBuckets(1.0, 1, Time(), most=10)
    for number in range(100):
        assert buckets.take(f"client-{number}") == 0.0

    assert len(buckets._buckets) == 10
    assert buckets.take("client-99") > 0


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_a_network(address, client):
    assert client_of(address) == client

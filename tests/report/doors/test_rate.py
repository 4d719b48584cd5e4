"""A bucket of tokens."""

from smtp_probe.report.doors.rate import TokenBucket


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

"""The values that go in and come out."""

from smtp_probe.mail.clocks.facts import Estimate


def test_the_half_width_covers_the_truth_wherever_it_lies():
    assert Estimate(value_ns=10, lower_ns=7, upper_ns=30).half_width_ns == 20
    assert Estimate(value_ns=10, lower_ns=-30, upper_ns=11).half_width_ns == 40

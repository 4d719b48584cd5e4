"""The lowest line must be that of the server we spoke to, where its reply and its line bear one id."""

import pytest

from smtp_probe.mail.path.origin import check_origin, find_origin
from smtp_probe.model import Hop, Origin


def hops(*ids):
    return tuple(Hop(by="a.example", id=each) for each in ids)


@pytest.mark.parametrize(
    ("ids", "queue_id", "expected"),
    [
        (("4bKp0W3Vz8zB", "x"), "4bKp0W3Vz8zB", (Origin.CONFIRMED, 0)),
        (("forged", "4bKp0W3Vz8zB", "x"), "4bKp0W3Vz8zB", (Origin.ABOVE, 1)),
        (("re-injected", None), "4bKp0W3Vz8zB", (Origin.MISSING, 0)),
        (("x21sm123pfn.1.2026.11.27.01.02.03",), "x21sm123pfn.1", (Origin.CONFIRMED, 0)),
        (("x21sm123pfn.12",), "x21sm123pfn.1", (Origin.MISSING, 0)),
        (("anything",), None, (None, 0)),
        ((), "4bKp0W3Vz8zB", (None, 0)),
        (("15.20.8769.10",), "42949672972812", (None, 0)),
        (("dvx1",), "0100018f3b2c4d5e-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-000000", (None, 0)),
    ],
)
def test_the_id_of_the_reply_is_looked_for(ids, queue_id, expected):
    assert find_origin(hops(*ids), queue_id) == expected


def test_a_mismatch_is_a_finding_that_names_both_ids():
    finding = check_origin(hops("re-injected"), Origin.MISSING, "4bKp0W3Vz8zB")[0]

    assert finding.check == "origin"
    assert "re-injected" in finding.message
    assert "4bKp0W3Vz8zB" in finding.message
    assert check_origin(hops("a", "b"), Origin.ABOVE, "b")[0].hop == 1


@pytest.mark.parametrize("origin", [Origin.CONFIRMED, None])
def test_what_is_right_or_not_known_is_no_finding(origin):
    assert check_origin(hops("a"), origin, "a") == ()

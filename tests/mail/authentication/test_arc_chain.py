"""The structure of ARC chains."""

from __future__ import annotations

import pytest

from smtp_probe.mail.authentication.arc_chain import MOST_SETS, read_chain

Fields = list[tuple[str, bytes]]


def arc_set(instance: int, cv: str = "pass", sealer: str = "relay.test") -> Fields:
    return [
        ("arc-seal", f"i={instance}; a=rsa-sha256; cv={cv}; d={sealer}; s=s{instance}; b=YQ==".encode()),
        (
            "arc-message-signature",
            f"i={instance}; a=rsa-sha256; d={sealer}; s=m; h=from; bh=YQ==; b=YQ==".encode(),
        ),
        ("arc-authentication-results", f"i={instance}; mx.{sealer}; spf=pass smtp.mailfrom=e.test".encode()),
    ]


CHAIN = [*arc_set(2), *arc_set(1, "none", "First.test")]


def test_who_sealed() -> None:
    found = read_chain(CHAIN)
    assert not found.fault
    assert [(each.instance, each.sealer, each.chain_validation) for each in found.sets] == [
        (1, "first.test", "none"),
        (2, "relay.test", "pass"),
    ]
    assert found.sets[1].key_names == ("s2._domainkey.relay.test", "m._domainkey.relay.test")
    results = found.sets[0].results
    assert results is not None
    assert (results.authserv_id, results.results[0].result) == ("mx.first.test", "pass")


def test_no_headers_are_no_chain() -> None:
    assert not read_chain([("from", b"a@b.test")]).is_present


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([*arc_set(2), *arc_set(2)], "two headers"),
        (arc_set(2), "i=1 is missing"),
        ([*arc_set(3), *arc_set(1, "none")], "i=2 is missing"),
        (arc_set(1, "pass"), "has to be none"),
        ([*arc_set(2, "none"), *arc_set(1, "none")], "has to be pass"),
        ([*arc_set(2, "fail"), *arc_set(1, "none")], "was broken"),
        (arc_set(1, "none")[:2], "has no arc-authentication-results"),
        ([("arc-seal", b"a=b")], "no instance"),
        ([("arc-seal", b"i=0; a=b")], "no instance"),
        (
            [each for i in range(MOST_SETS + 1, 0, -1) for each in arc_set(i, "pass" if i > 1 else "none")],
            "more than",
        ),
    ],
)
def test_what_breaks_a_chain(fields: Fields, words: str) -> None:
    found = read_chain(fields)
    assert words in found.fault
    assert found.is_present

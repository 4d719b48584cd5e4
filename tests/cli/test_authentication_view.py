"""Verdicts for people and for programs."""

from __future__ import annotations

from smtp_probe.cli.authentication_view import authentication_to_dict, describe_authentication
from smtp_probe.model import Authentication, Method, Source, Verdict, VerdictResult

FOUND = Authentication(
    verdicts=(
        Verdict(
            method=Method.DKIM, source=Source.OWN, result=VerdictResult.FAIL, domain="e.test", selector="s"
        ),
        Verdict(
            method=Method.DKIM, source=Source.OWN, result=VerdictResult.FAIL, domain="f.test", aligned=None
        ),
        Verdict(method=Method.DKIM, source=Source.RECEIVER, result=VerdictResult.PASS, domain="e.test"),
        Verdict(method=Method.SPF, source=Source.RECEIVER, result=VerdictResult.NEUTRAL, detail="why"),
    ),
    unobserved=("ARC: x",),
)


def test_the_object() -> None:
    found = authentication_to_dict(FOUND, is_online=True)
    assert found["own"]["dkim"] == [
        {"result": "fail", "domain": "e.test", "detail": None, "selector": "s", "aligned": None},
        {"result": "fail", "domain": "f.test", "detail": None, "selector": None, "aligned": None},
    ]
    assert (found["own"]["spf"], found["own"]["dmarc"], found["own"]["arc"]) == (None, None, None)
    assert found["receiver"]["spf"] == {"result": "neutral", "domain": None, "detail": "why"}
    assert (found["disagreements"], found["unobserved"], found["online"]) == (["dkim"], ["ARC: x"], True)


def test_offline_there_is_no_verdict_of_our_own() -> None:
    assert authentication_to_dict(Authentication(), is_online=False) == {
        "online": False,
        "own": None,
        "receiver": {"spf": None, "dkim": [], "dmarc": None, "arc": None},
        "disagreements": [],
        "unobserved": [],
    }


def test_the_lines() -> None:
    assert list(describe_authentication(FOUND)) == [
        ("receiver", "dkim=pass (e.test), spf=neutral"),
        ("verified", "dkim=fail (e.test), dkim=fail (f.test)"),
        ("unknown", "ARC: x"),
    ]
    assert not list(describe_authentication(Authentication()))

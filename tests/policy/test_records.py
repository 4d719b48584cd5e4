"""TXT records by their version."""

from smtp_probe.model import DnsAnswer, DnsStatus
from smtp_probe.policy.records import texts_of


def test_the_records_of_one_version_are_found_among_all_others():
    values = (
        b"v=STSv1; id=1",
        b"v=spf1 -all",
        b"  V=stsv1; id=2",
        b"x v=STSv1",
        b"v=STSv1; \xff",
        "v=STSv1 of another kind",
    )
    answer = DnsAnswer(name="_mta-sts.example.org", kind="TXT", status=DnsStatus.FOUND, values=values)

    assert texts_of(answer, "v=STSv1") == ["v=STSv1; id=1", "  V=stsv1; id=2", "v=STSv1; \ufffd"]


def test_an_answer_without_records_has_none():
    assert texts_of(DnsAnswer(name="a", kind="TXT", status=DnsStatus.NO_DATA), "v=STSv1") == []

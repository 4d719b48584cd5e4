"""Verdicts side by side."""

from __future__ import annotations

from smtp_probe.model import Authentication, Method, Source, Verdict, VerdictResult


def _verdict(
    method: Method, source: Source, result: VerdictResult, *, aligned: bool | None = None
) -> Verdict:
    return Verdict(method=method, source=source, result=result, aligned=aligned, domain=str(aligned))


def test_of_several_signatures_the_one_that_counts_is_the_summary() -> None:
    found = Authentication(
        verdicts=(
            _verdict(Method.DKIM, Source.OWN, VerdictResult.FAIL),
            _verdict(Method.DKIM, Source.OWN, VerdictResult.PASS, aligned=False),
            _verdict(Method.DKIM, Source.OWN, VerdictResult.PASS, aligned=True),
        )
    )
    summary = found.summary(Method.DKIM, Source.OWN)
    assert summary is not None
    assert (summary.result, summary.aligned) == (VerdictResult.PASS, True)
    assert found.summary(Method.SPF, Source.OWN) is None


def test_agreement_is_on_whether_it_passed() -> None:
    found = Authentication(
        verdicts=(
            _verdict(Method.SPF, Source.OWN, VerdictResult.SOFTFAIL),
            _verdict(Method.SPF, Source.RECEIVER, VerdictResult.FAIL),
            _verdict(Method.DKIM, Source.OWN, VerdictResult.PASS),
            _verdict(Method.DKIM, Source.RECEIVER, VerdictResult.FAIL),
            _verdict(Method.DMARC, Source.OWN, VerdictResult.TEMPERROR),
            _verdict(Method.DMARC, Source.RECEIVER, VerdictResult.FAIL),
            _verdict(Method.ARC, Source.OWN, VerdictResult.NONE),
        )
    )
    assert found.agreement == {Method.SPF: True, Method.DKIM: False}

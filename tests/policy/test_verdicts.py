"""Both sides put together, and what there is to say of them."""

from __future__ import annotations

import pytest

from smtp_probe.mail.authentication.arc_chain import ArcChain
from smtp_probe.mail.authentication.changes import Changes
from smtp_probe.mail.authentication.received_spf import read_received_spf
from smtp_probe.mail.authentication.results import read_results
from smtp_probe.mail.authentication.signature import read_signature
from smtp_probe.model import Authentication, Method, Source, Verdict, VerdictResult
from smtp_probe.policy.dkim.verification import ArcResult, SignatureResult, SignatureState
from smtp_probe.policy.verdicts import OwnView, form_authentication, receiver_verdicts

SIGNATURE = read_signature(b"v=1; a=rsa-sha256; d=e.test; s=s; h=from; bh=YQ==; b=YQ==")


def _own(
    state: SignatureState, *, aligned: bool | None = True, changes: Changes | None = None, value: bytes = b""
) -> OwnView:
    signature = read_signature(value) if value else SIGNATURE
    found = SignatureResult(signature=signature, state=state)
    return OwnView(author="e.test", signatures=(found,), alignments=(aligned,), changes=changes)


def _ids(found: Authentication) -> list[str]:
    return [finding.check for finding in found.findings]


@pytest.mark.parametrize(
    "state", [s for s in SignatureState if s not in (SignatureState.PASS, SignatureState.TEMPORARY)]
)
def test_each_cause_has_its_finding(state: SignatureState) -> None:
    found = form_authentication(_own(state, aligned=None), ())
    assert _ids(found) == [f"signature_{state.value}"]
    assert all(finding.advice and finding.source and finding.subject for finding in found.findings)


@pytest.mark.parametrize("state", [SignatureState.PASS, SignatureState.TEMPORARY])
def test_what_is_well_or_unknown_has_none(state: SignatureState) -> None:
    assert not form_authentication(_own(state), ()).findings


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        (SignatureState.BODY_CHANGED, Changes((), True), "changed on the way"),
        (SignatureState.BODY_CHANGED, Changes((), False), "arrived as it was sent"),
        (SignatureState.HEADER_CHANGED, Changes(("subject", "to"), False), "Changed on the way: subject, to"),
        (SignatureState.HEADER_CHANGED, Changes((), False), "look at the key"),
    ],
)
def test_the_comparison_with_what_was_sent_tells_the_cause(
    state: SignatureState, changes: Changes, words: str
) -> None:
    (finding,) = form_authentication(_own(state, changes=changes), ()).findings
    assert words in finding.message


def test_a_signature_of_somebody_else_counts_nothing_for_dmarc() -> None:
    assert _ids(form_authentication(_own(SignatureState.PASS, aligned=False), ())) == [
        "signature_not_aligned"
    ]


def test_a_partial_signature() -> None:
    value = b"v=1; a=rsa-sha256; d=e.test; s=s; l=5; h=from; bh=YQ==; b=YQ=="
    assert _ids(form_authentication(_own(SignatureState.PASS, value=value), ())) == ["signature_partial"]


def test_dmarc_and_arc() -> None:
    dmarc = Verdict(
        method=Method.DMARC, source=Source.OWN, result=VerdictResult.FAIL, domain="e.test", detail="why"
    )
    arc = ArcResult(result=VerdictResult.FAIL, detail="a gap")
    own = OwnView(author="e.test", dmarc=dmarc, arc=arc, chain=ArcChain(fault="a gap"))
    found = form_authentication(own, ())
    assert _ids(found) == ["arc_broken", "dmarc_fails"]
    dkim = found.summary(Method.DKIM, Source.OWN)
    assert dkim is not None
    assert dkim.result is VerdictResult.NONE


def test_disagreement_is_a_finding() -> None:
    trusted = (read_results(b"mx.r.test; dkim=fail (body hash did not verify) header.d=e.test; spf=pass"),)
    found = form_authentication(_own(SignatureState.PASS), trusted)
    assert _ids(found) == ["dkim_disagrees"]
    assert "body hash did not verify" in found.findings[0].message
    assert found.agreement == {Method.DKIM: False}


def test_the_topmost_word_of_the_receiver_counts() -> None:
    trusted = (
        read_results(b"mx.r.test; spf=hardfail smtp.mailfrom=a@e.test; iprev=pass; dmarc=bestguesspass"),
        read_results(b"mx.r.test; spf=pass; dkim=pass header.d=E.test header.s=s; dkim=fail header.d=f.test"),
    )
    assert [(v.method.value, v.result.value, v.domain) for v in receiver_verdicts(trusted)] == [
        ("spf", "fail", "e.test"),
        ("dmarc", "other", ""),
        ("dkim", "pass", "e.test"),
        ("dkim", "fail", "f.test"),
    ]


def test_received_spf_counts_where_there_is_nothing_else() -> None:
    spf = read_received_spf(b"pass (ok) envelope-from=a@e.test; client-ip=192.0.2.1")
    (verdict,) = receiver_verdicts((), spf)
    assert (verdict.method, verdict.result, verdict.domain) == (Method.SPF, VerdictResult.PASS, "e.test")
    assert len(receiver_verdicts((read_results(b"mx.r.test; spf=fail"),), spf)) == 1

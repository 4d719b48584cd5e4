from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.letter import (
    MAIL_KEYWORDS,
    RCPT_KEYWORDS,
    DsnRequest,
    decode_xtext,
    take_dsn_parameters,
)

EMPTY = DsnRequest()


def test_the_parameters_of_mail_are_taken_out_with_their_case() -> None:
    rest, request = take_dsn_parameters("FROM:<a@b.test> SIZE=12 ret=hdrs ENVID=aB+2Bc", MAIL_KEYWORDS, EMPTY)
    assert rest == "FROM:<a@b.test> SIZE=12"
    assert request == DsnRequest(ret="hdrs", envid="aB+2Bc")
    assert request.mail_parameters() == " ENVID=aB+2Bc RET=hdrs"


def test_the_parameters_of_rcpt_are_taken_out() -> None:
    given_ = "TO:<a@b.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bx@b.test"
    rest, request = take_dsn_parameters(given_, RCPT_KEYWORDS, DsnRequest(envid="x"))
    assert rest == "TO:<a@b.test>"
    assert request == DsnRequest(envid="x", notify="FAILURE,DELAY", orcpt="rfc822;a+2Bx@b.test")
    assert request.rcpt_parameters() == " NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bx@b.test"


def test_a_parameter_of_the_other_command_is_left_to_be_refused() -> None:
    assert take_dsn_parameters("TO:<a@b.test> ENVID=x", RCPT_KEYWORDS, EMPTY) == (
        "TO:<a@b.test> ENVID=x",
        EMPTY,
    )


@pytest.mark.parametrize(
    ("argument", "keywords"),
    [
        ("FROM:<a@b.test> ENVID=a+2g", MAIL_KEYWORDS),
        ("FROM:<a@b.test> ENVID=" + "a" * 101, MAIL_KEYWORDS),
        ("FROM:<a@b.test> ENVID=a ENVID=b", MAIL_KEYWORDS),
        ("FROM:<a@b.test> RET=SOME", MAIL_KEYWORDS),
        ("TO:<a@b.test> NOTIFY=NEVER,FAILURE", RCPT_KEYWORDS),
        ("TO:<a@b.test> NOTIFY=FAILURE,", RCPT_KEYWORDS),
        ("TO:<a@b.test> ORCPT=nothing", RCPT_KEYWORDS),
    ],
)
def test_what_rfc_3461_forbids_is_an_error(argument: str, keywords: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="malformed or repeated"):
        take_dsn_parameters(argument, keywords, EMPTY)


@pytest.mark.parametrize(
    ("notify", "wants"), [(None, True), ("failure,delay", True), ("DELAY", False), ("NEVER", False)]
)
def test_who_is_told_of_failures(notify: str | None, wants: bool) -> None:
    assert DsnRequest(notify=notify).wants_failures is wants


@given(st.text(max_size=200))
def test_decoding_xtext_leaves_nothing_unprintable(text: str) -> None:
    assert all(" " <= character <= "~" for character in decode_xtext(text))


def test_xtext_is_decoded() -> None:
    assert decode_xtext("a+2Bb+3D+0D+0A") == "a+b=??"

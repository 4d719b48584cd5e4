"""A secret in every form in which it is sent, struck out of a server's words."""

from base64 import b64encode

import pytest

from smtp_probe.config.settings import Auth
from smtp_probe.network.concealment import Concealment

SECRET = "hunter2-and-more"


def mask(words: str, secret: str = SECRET) -> str:
    login = Auth(username="probe", password_env="UNUSED")
    return Concealment(login, secret).mask(words)


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET.upper(),
        encoded(SECRET),
        encoded(f"\0probe\0{SECRET}"),
        encoded(f"user=probe\1auth=Bearer {SECRET}\1\1"),
        encoded(f"n,a=probe,\1auth=Bearer {SECRET}\1\1"),
        "hunter2\x00-and\x1b-more",
        "hun\u200bter2-and-mo\u202ere",
    ],
)
def test_each_form_is_masked_as_a_whole(form: str) -> None:
    assert mask(f"535 5.7.8 what is {form}?") == "535 5.7.8 what is ***?"


@pytest.mark.parametrize("before", ["x", "xy", "xyz"])
def test_a_longer_text_in_base64_loses_the_part_that_tells_the_secret(before: str) -> None:
    shown = mask(encoded(before + SECRET + "tail"))

    assert "***" in shown
    assert encoded("xyz" + SECRET)[4:20] not in shown


def test_other_words_and_line_ends_stay_as_they_are() -> None:
    assert mask("250-mail.example.org\n250 SIZE 1000\u00fc") == "250-mail.example.org\n250 SIZE 1000\u00fc"


def test_a_secret_that_reads_like_a_pattern_is_taken_literally() -> None:
    assert mask("a+b (c* a.b", "a+b (c*") == "*** a.b"


@pytest.mark.parametrize("back", ["hunter\ufffd2", "hunter\ufffd\u200b2"])
def test_a_secret_that_is_not_utf_8_is_known_as_it_comes_back(back: str) -> None:
    assert mask(f"535 no: {back}", b"hunter\xe42".decode("utf-8", "surrogateescape")) == "535 no: ***"


def test_a_secret_that_cannot_be_seen_masks_nothing_else() -> None:
    assert mask("535 no", "\u200b") == "535 no"


def test_it_does_not_show_the_secret_itself() -> None:
    assert SECRET not in repr(Concealment(Auth(username="probe", password_env="UNUSED"), SECRET))

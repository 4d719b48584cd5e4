# ruff: noqa: RUF001 - one mark of punctuation is Chinese
"""How a bounce is built, whatever its language; and sentences with an address in them, which are not built so."""

import pytest

from smtp_probe.mail.bounce.structure import is_built_as_bounce
from smtp_probe.mail.syntax.mime_parts import Part

ADDRESS = "al@there.example"


def part(media_type, body):
    return Part(media_type=media_type, header=b"", body=body)


@pytest.mark.parametrize(
    "words",
    [
        "tiu letero ne venis\n<al@there.example>: neniu",
        "tiu letero ne venis\n\n   al@there.example\n      neniu",
        "tiu letero ne venis\n  * al@there.example - neniu",
        "tiu letero ne venis al: <al@there.example>\nneniu",
        "<al@there.example>：neniu",
        "al@there.example ne estas (5.1.1)",
        "la servilo diris: 550 al@there.example",
        "550-neniu kun al@there.example",
    ],
)
def test_a_bounce_in_any_language(words):
    assert is_built_as_bounce(words, (), ADDRESS)


@pytest.mark.parametrize(
    "words",
    [
        "skribu al al@there.example, se vi volas",
        "demandoj: al@there.example",
        "al@there.example ricevis 550 leterojn",
        "al@there.example, versio 5.1.1.2",
        "<pal@there.example>: alia; al@there.example",
        "",
    ],
)
def test_a_sentence_about_somebody(words):
    assert not is_built_as_bounce(words, (), ADDRESS)


@pytest.mark.parametrize(
    ("returned", "is_one"),
    [
        (part("message/rfc822", b""), True),
        (part("text/rfc822-headers", b""), True),
        (part("text/plain", b"jen\n\nReceived: from a by b\nMessage-ID: <1@a>\nSubject: x\n"), True),
        (part("text/plain", b"jen\n\nMessage-ID: <1@a>\nSubject: x\n"), False),
        (part("image/png", b""), False),
    ],
)
def test_a_message_that_is_returned(returned, is_one):
    assert is_built_as_bounce("al al@there.example", (returned,), ADDRESS) is is_one


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("skribu al:\n\n  al@there.example\n\ndankon", False),
        ("skribu al:\n  <al@there.example>\n", False),
        ("<al@there.example>: neniu", True),
        ("<al@there.example>\n   neniu", True),
    ],
)
def test_an_address_without_a_reason_may_be_one_to_write_to(words, is_one):
    assert is_built_as_bounce(words, (), ADDRESS)
    assert is_built_as_bounce(words, (), ADDRESS, with_reason=True) is is_one

"""The tables of words: each pattern compiles, none matches what everybody writes."""

import pytest

from smtp_probe.mail.bounce import phrases

PATTERNS = (
    phrases.FAILED,
    phrases.CAUSE,
    phrases.DELAYED,
    phrases.SUBJECT,
    phrases.SENDER,
    phrases.COPY_BEGINS,
)
HARMLESS = (
    "thank you for your order. we will deliver it on friday.",
    "please find the minutes of the meeting attached.",
    "ann and bob will be reached by phone; the user guide has been updated.",
    "your subscription to the weekly letter has been confirmed.",
    "",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_are_none_of_them(text):
    assert [
        pattern.pattern[:40]
        for pattern in PATTERNS
        if pattern.search(text) and pattern is not phrases.COPY_BEGINS
    ] == []


def test_an_answer_to_a_bounce_has_another_subject():
    assert phrases.SUBJECT.match("undelivered mail returned to sender")
    assert phrases.SUBJECT.match("[postmaster] email delivery failure")
    assert not phrases.SUBJECT.match("re: undelivered mail returned to sender")


def test_an_absence_is_told_from_a_failure():
    assert phrases.AWAY.match("automatic reply: hello")
    assert not phrases.AWAY.match("automatically rejected mail")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("kan ikke leveres: ugens tal", "leveringen mislykkedes for følgende modtagere eller grupper:"),
        ("kunne ikke leveres: ukens tall", "levering til følgende mottakere mislyktes"),
        ("olevererbart: veckans siffror", "leveransen till följande mottagare misslyckades"),
        ("toimittamaton: viikon luvut", "viestin toimitus näille vastaanottajille epäonnistui"),
    ],
)
def test_northern_servers_are_understood(subject, text):
    assert phrases.SUBJECT.match(subject)
    assert phrases.FAILED.search(text)

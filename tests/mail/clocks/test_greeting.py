"""A greeting that tells the time is a reading of the server's clock, if it can be believed."""

import pytest

from smtp_probe.mail.clocks.greeting import read_greeting
from smtp_probe.model import Disposition, Phase, PhaseTiming, Reply, Submission

NS = 1_000_000_000
AT_NS = 1_713_168_672 * NS  # 15 April 2024, 08:11:12 UTC


def greeted(text, code=220):
    return Submission(
        disposition=Disposition.ACCEPTED,
        started_ns=AT_NS,
        phases=(
            PhaseTiming(phase=Phase.CONNECT, started_ns=AT_NS, duration_seconds=0.25),
            PhaseTiming(
                phase=Phase.GREETING,
                started_ns=AT_NS + NS // 4,
                duration_seconds=0.5,
                reply=Reply(code=code, text=text),
            ),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "mx.example.net ESMTP Exim 4.96 Mon, 15 Apr 2024 10:11:12 +0200",
        "mx.example.net ESMTP Sendmail 8.17.1/8.17.1; Mon, 15 Apr 2024 08:11:12 GMT",
        "mx.example.net Microsoft ESMTP MAIL Service ready at Mon, 15 Apr 2024 10:11:12 +0200",
    ],
)
def test_a_dated_greeting_is_read(text):
    sighting = read_greeting(greeted(text))

    assert sighting is not None
    assert (sighting.stamp.domain, sighting.stamp.at_ns) == ("mx.example.net", AT_NS)
    assert sighting.stamp.resolution_ns == NS
    assert (sighting.earliest_ns, sighting.latest_ns) == (AT_NS, AT_NS + NS * 3 // 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mx.example.net ESMTP Postfix", 220),
        ("mx.example.net ESMTP Exim 4.96 Mon, 15 Apr 2024 10:11:12", 220),
        ("[192.0.2.1] ESMTP Exim 4.96 Mon, 15 Apr 2024 10:11:12 +0200", 220),
        ("mx.example.net ESMTP Exim 4.96 Mon, 15 Apr 2024 10:11:12 +0200", 554),
        ("", 220),
    ],
)
def test_what_is_not_certain_is_not_read(text, code):
    assert read_greeting(greeted(text, code)) is None


def test_without_a_greeting_there_is_nothing():
    assert read_greeting(Submission(disposition=Disposition.ACCEPTED, started_ns=AT_NS)) is None

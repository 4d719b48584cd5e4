"""What a host does with a letter, next to a host that answers as a test wants it."""

from __future__ import annotations

import random

import pytest

from smtp_probe.demo.carrier import Carrier, vary
from smtp_probe.demo.letter import DsnRequest, Letter
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.scenarios import HopName
from smtp_probe.model import Reply
from tests.demo.plain_clients import wait_until
from tests.demo.reports import read_report
from tests.demo.stage import Onward, at_once, make_host

LATER = Reply(code=451, enhanced="4.7.1", text="later")
NEVER = Reply(code=550, enhanced="5.1.1", text="never")


def _letter(recipient: str = "on-time@example.test", sender: str = "prober@example.test", **rest) -> Letter:
    return Letter(sender=sender, recipient=recipient, content=b"Subject: x\r\n\r\nbody\r\n", **rest)


def _set_up(onward: Onward, name: str = "on-time", hop: HopName = HopName.FILTER):
    host = make_host(hop, [at_once(name), at_once("on-time")])
    return Carrier(host, onward), host.log


def _told(log) -> list[Happening]:
    return [event.happening for event in log.events()]


async def test_a_letter_is_handed_on() -> None:
    onward = Onward()
    carrier, log = _set_up(onward)
    assert await carrier.take(_letter()) is None
    await wait_until(lambda: Happening.FORWARDED in _told(log))
    assert onward.letters == [_letter()]


async def test_it_is_tried_again_until_it_is_taken() -> None:
    onward = Onward([LATER, LATER])
    carrier, log = _set_up(onward)
    await carrier.take(_letter())
    await wait_until(lambda: Happening.FORWARDED in _told(log))
    assert _told(log) == [Happening.RECEIVED, Happening.DEFERRED, Happening.DEFERRED, Happening.FORWARDED]


async def test_it_is_not_tried_for_ever() -> None:
    onward = Onward([LATER] * 50)
    carrier, log = _set_up(onward)
    await carrier.take(_letter(sender=""))
    await wait_until(lambda: Happening.BOUNCED in _told(log))
    assert len(onward.letters) == 5


@pytest.mark.slow
async def test_a_refused_letter_becomes_a_bounce_to_its_sender() -> None:
    onward = Onward([NEVER])
    carrier, _ = _set_up(onward)
    await carrier.take(_letter(dsn=DsnRequest(envid="a+2Bb", ret="full")))
    await wait_until(lambda: len(onward.letters) == 2)
    bounce = onward.letters[1]
    assert (bounce.sender, bounce.recipient) == ("", "prober@example.test")
    report = read_report(bounce.content)
    assert report.about_message["Original-Envelope-Id"] == "a+b"
    assert report.about_recipient["Remote-MTA"] == "dns; next.example.test"
    assert report.returned.get_content_type() == "message/rfc822"


@pytest.mark.parametrize(
    "letter",
    [_letter(sender=""), _letter(dsn=DsnRequest(notify="NEVER")), _letter(sender="x@elsewhere.example")],
    ids=["a bounce", "not wanted", "a sender outside"],
)
async def test_no_bounce_is_sent(letter: Letter) -> None:
    onward = Onward([NEVER])
    carrier, log = _set_up(onward)
    await carrier.take(letter)
    await wait_until(lambda: Happening.BOUNCED in _told(log))
    await carrier.take(_letter())
    await wait_until(lambda: Happening.FORWARDED in _told(log))
    assert onward.letters == [letter, _letter()]


async def test_only_the_filter_discards() -> None:
    onward = Onward()
    carrier, log = _set_up(onward, "lost", HopName.RELAY)
    await carrier.take(_letter("lost@example.test"))
    await wait_until(lambda: Happening.FORWARDED in _told(log))
    carrier, log = _set_up(onward, "lost", HopName.FILTER)
    await carrier.take(_letter("lost@example.test"))
    await wait_until(lambda: Happening.DISCARDED in _told(log))
    assert len(onward.letters) == 1


async def test_the_store_files_before_it_answers() -> None:
    onward = Onward([NEVER])
    carrier, log = _set_up(onward, hop=HopName.STORE)
    assert await carrier.take(_letter()) == "550 5.1.1 never"
    assert await carrier.take(_letter()) is None
    assert _told(log)[-1] is Happening.STORED


async def test_nothing_is_taken_for_somebody_outside() -> None:
    onward = Onward()
    carrier, log = _set_up(onward)
    refusal = await carrier.take(_letter("somebody@example.org"))
    assert refusal is not None
    assert refusal.startswith("550 5.7.1")
    assert log.events() == ()


async def test_a_full_queue_refuses_for_now() -> None:
    host = make_host(HopName.RELAY, [at_once("on-time")])
    carrier = Carrier(host, Onward())
    for _ in range(200):
        assert await carrier.take(_letter()) is None
    assert carrier.is_full
    assert (await carrier.take(_letter()) or "").startswith("452 4.3.1")
    await carrier.close()
    assert not carrier.is_full


def test_resting_times_vary_around_what_is_set_and_long_ones_little() -> None:
    dice = random.Random(1)
    short = sorted(vary(0.1, dice) for _ in range(1000))
    long = [vary(8.0, dice) for _ in range(1000)]
    assert 0.08 < short[500] < 0.12
    assert short[0] < 0.06
    assert 0.2 < short[-1] <= 0.4
    assert all(8.0 <= seconds <= 8.8 for seconds in long)

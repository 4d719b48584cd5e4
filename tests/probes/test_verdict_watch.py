"""Verdicts on what arrives, beside the judgement."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_probe.errors import JournalError
from smtp_probe.mail.authentication.egress import SeenClient
from smtp_probe.model import (
    Authentication,
    Location,
    MailboxMessage,
    Method,
    Placement,
    SeenMail,
    Source,
    VerdictsFormed,
)
from smtp_probe.policy.dkim.verification import MOST_SIGNATURES
from smtp_probe.probes.verdict_watch import VerdictTerms, VerdictWatch, find_seen_mail
from tests.policy.dkim.signing import MESSAGE, RSA_RECORD, sign
from tests.policy.scripted import ScriptedDns

ZONE: dict[str, Any] = {
    "s._domainkey.e.test": {"TXT": (RSA_RECORD,)},
    "_dmarc.e.test": {"TXT": ("v=DMARC1; p=none",)},
}
LOCATION = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=1)


class Clock:
    def now_ns(self) -> int:
        return 1_795_000_000 * 10**9

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


class Watched:
    def __init__(self) -> None:
        self.shown: list[tuple[str, Authentication]] = []
        self.changed: list[str] = []
        self.probe_ids: list[str] = []
        self.dns = ScriptedDns(ZONE)
        self.watch = VerdictWatch(self.dns, Clock(), self.record, self.changed.append)
        self.watch.terms = {"daily": VerdictTerms(sender="probe@e.test")}

    async def record(self, event: VerdictsFormed) -> bool:
        self.shown.append((event.route, event.found))
        self.probe_ids.append(event.probe_id)
        return True

    async def arrive(
        self, octets: bytes, *, route: str = "daily", probe_id: str = "p1", body: bool = True
    ) -> None:
        header, _, text = octets.partition(b"\r\n\r\n")
        message = MailboxMessage(
            location=LOCATION, placement=Placement.INBOX, seen_ns=0, header=header + b"\r\n\r\n"
        )
        self.watch.arrived(route, probe_id, message, text if body else None)
        await self.watch.settle()

    def results(self) -> list[str | None]:
        summaries = [found.summary(Method.DKIM, Source.OWN) for _, found in self.shown]
        return [None if verdict is None else verdict.result.value for verdict in summaries]


@pytest.fixture
def watched() -> Watched:
    return Watched()


async def test_a_change_is_told_with_the_authors_domain(watched: Watched) -> None:
    await watched.arrive(sign())
    await watched.arrive(sign())
    assert not watched.changed
    await watched.arrive(sign().replace(b"last", b"lost"))
    assert watched.changed == ["e.test"]
    assert watched.results() == ["pass", "pass", "fail"]
    assert watched.probe_ids == ["p1", "p1", "p1"]


async def test_what_was_sent_tells_the_cause(watched: Watched) -> None:
    watched.watch.remember("daily", "p1", MESSAGE)
    await watched.arrive(sign().replace(b"last", b"lost"))
    assert "changed on the way" in watched.shown[0][1].findings[0].message


async def test_our_own_submission_is_no_egress(watched: Watched) -> None:
    await watched.arrive(sign())
    assert watched.shown[0][1].summary(Method.SPF, Source.OWN) is None
    assert not any(name == "e.test" for name, _ in watched.dns.asked)


def test_what_a_message_shows_of_each_domain() -> None:
    header = (
        b"DKIM-Signature: v=1; a=rsa-sha256; d=e.test; s=S1; h=from; bh=AA==; b=AA==\r\n"
        b"DKIM-Signature: v=1; a=rsa-sha256; d=esp.test; s=x; h=from; bh=AA==; b=AA==\r\n"
        b"DKIM-Signature: nonsense\r\n"
        b"From: Probe <probe@e.test>\r\n\r\n"
    )
    client = SeenClient("192.0.2.1", "out.e.test", 2)
    leaving: dict[str, Any] = {"address": "192.0.2.1", "ehlo_name": "out.e.test", "sender": "b@bounces.test"}
    assert find_seen_mail(header, client, "b@bounces.test") == {
        "e.test": SeenMail(**leaving, selectors=("s1",)),
        "bounces.test": SeenMail(**leaving),
        "esp.test": SeenMail(selectors=("x",)),
    }
    assert find_seen_mail(header, None, "")["e.test"] == SeenMail(selectors=("s1",))


async def test_a_body_that_was_not_fetched_is_unobserved(watched: Watched) -> None:
    await watched.arrive(sign(), body=False)
    assert watched.results() == [None]
    assert watched.shown[0][1].unobserved


async def test_a_route_that_is_not_looked_at_is_left_alone(watched: Watched) -> None:
    await watched.arrive(sign(), route="other")
    assert not watched.shown
    assert watched.watch.wanted_bytes("other", sign()) == 0
    assert watched.watch.wanted_bytes("daily", sign()) > 65_536
    assert watched.watch.wanted_bytes("daily", MESSAGE) == 0


async def test_our_own_fault_is_logged_and_ends_nothing(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.watch = VerdictWatch(watched.dns, Clock(), lambda *_: 1 / 0)  # type: ignore[arg-type]
    watched.watch.terms = {"daily": VerdictTerms(sender="probe@e.test")}
    await watched.arrive(sign())
    assert "our own fault" in caplog.text


async def test_a_journal_that_does_not_take_them_is_told(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: VerdictsFormed) -> bool:
        raise JournalError("the disk is full")

    watched.watch = VerdictWatch(watched.dns, Clock(), fail)
    watched.watch.terms = {"daily": VerdictTerms(sender="probe@e.test")}
    await watched.arrive(sign())
    assert "the disk is full" in caplog.text
    assert "our own fault" not in caplog.text


async def test_closing_gives_up_what_is_under_way(watched: Watched) -> None:
    message = MailboxMessage(location=LOCATION, placement=Placement.INBOX, seen_ns=0, header=MESSAGE)
    for number in range(3 * MOST_SIGNATURES):
        watched.watch.arrived("daily", str(number), message, b"")
    await watched.watch.close()
    await watched.watch.settle()

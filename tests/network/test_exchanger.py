"""Visits to servers that are well and to those that are not: each fault gives its finding, and no other."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from pathlib import Path
from typing import Any

import pytest

from smtp_probe.config.settings import TlsOptions
from smtp_probe.model import ExchangerVisit, Phase, Severity, TlsFailure
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.exchanger import ExchangerVisitor, VisitTerms
from smtp_probe.policy.exchangers import judge_visits, visit_facts
from tests.network.certificates import NAME, Certificates
from tests.network.hostile_smtp import Deed, HostileSmtp

TERMS = VisitTerms(ehlo_name="probe.test", answer_seconds=0.5, connect_seconds=1, total_seconds=4)
CLOCK = ReferenceClock()


async def _visit(server: HostileSmtp, ca_file: Path, **terms: Any) -> ExchangerVisit:
    visitor = ExchangerVisitor(CLOCK, TlsOptions(ca_file=ca_file))
    async with server.running(), asyncio.timeout(6):
        return await visitor.visit(NAME, "127.0.0.1", dataclasses.replace(TERMS, port=server.port, **terms))


def _ids(*visits: ExchangerVisit, pinned: tuple[str, ...] = ()) -> list[str]:
    findings, unseen = judge_visits(visits, CLOCK.now_ns(), pinned=pinned)
    assert not unseen
    assert all(finding.advice and finding.source and finding.subject for finding in findings)
    return [finding.check for finding in findings]


async def test_a_good_host_is_visited_to_the_end_and_no_message_is_sent(certificates: Certificates) -> None:
    server = HostileSmtp(tls=certificates.good)
    visit = await _visit(server, certificates.ca_file, recipient="user@mail.test", sender="probe@probe.test")
    assert _ids(visit) == []
    assert visit.is_up
    assert visit.offers_starttls
    assert server.verbs == [b"EHLO", b"STARTTLS", b"EHLO", b"MAIL", b"RCPT", b"RSET", b"QUIT"]
    assert server.commands[3:5] == [b"MAIL FROM:<probe@probe.test>", b"RCPT TO:<user@mail.test>"]
    assert not server.messages
    names = [timing.phase for timing in visit.phases]
    assert names[:4] == [Phase.CONNECT, Phase.GREETING, Phase.EHLO, Phase.STARTTLS]
    assert len(visit.chain) >= 1
    facts = visit_facts(visit)
    assert (facts["up"], facts["starttls"], facts["certificate_failure"]) == (True, True, None)
    assert facts["recipient"].startswith("250")
    assert facts["tls_version"].startswith("TLSv1.")


async def test_nothing_is_asked_of_recipients_unless_it_is_allowed(certificates: Certificates) -> None:
    server = HostileSmtp(tls=certificates.good)
    await _visit(server, certificates.ca_file)
    assert server.verbs == [b"EHLO", b"STARTTLS", b"EHLO", b"QUIT"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "check"),
    [
        ({"GREETING": b"554 5.7.1 go away\r\n"}, "exchanger_refusing"),
        ({"GREETING": b"421 4.3.2 later\r\n"}, "exchanger_deferring"),
        ({"EHLO": b"550 no\r\n"}, "exchanger_refusing"),
        ({"GREETING": Deed.HANG}, "exchanger_silent"),
        ({"GREETING": Deed.CUT}, "exchanger_broken"),
        ({"GREETING": Deed.RESET}, "exchanger_broken"),
        ({"GREETING": b"SSH-2.0-OpenSSH_9.2\r\n"}, "exchanger_broken"),
        ({"GREETING": Deed.ENDLESS_LINE}, "exchanger_broken"),
        ({}, "exchanger_no_starttls"),
    ],
)
async def test_a_host_that_takes_no_mail_is_told(
    answers: dict[str, Any], check: str, certificates: Certificates
) -> None:
    visit = await _visit(HostileSmtp(answers), certificates.ca_file)
    assert _ids(visit) == [check]
    assert visit.is_up is (check == "exchanger_no_starttls")


async def test_a_host_that_knows_only_helo_takes_mail(certificates: Certificates) -> None:
    server = HostileSmtp({"EHLO": b"502 5.5.1 what?\r\n", "HELO": b"250 hello\r\n"})
    visit = await _visit(server, certificates.ca_file, recipient="a@b.test")
    assert _ids(visit) == ["exchanger_no_starttls"]
    assert server.verbs == [b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"QUIT"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "check"),
    [
        ({"STARTTLS": b"454 4.7.0 no TLS now\r\n"}, "exchanger_starttls_broken"),
        ({"HANDSHAKE": Deed.CUT}, "exchanger_starttls_broken"),
        ({"HANDSHAKE": Deed.HANG}, "exchanger_starttls_broken"),
        ({"HANDSHAKE": (0.1, b"this is no TLS\r\n" * 20)}, "exchanger_starttls_broken"),
    ],
)
async def test_tls_that_is_offered_and_fails_is_told(
    answers: dict[str, Any], check: str, certificates: Certificates
) -> None:
    visit = await _visit(HostileSmtp(answers, tls=certificates.good), certificates.ca_file)
    assert _ids(visit) == [check]
    assert visit.is_up


@pytest.mark.parametrize(
    ("kind", "failure", "check"),
    [
        ("expired", TlsFailure.EXPIRED, "exchanger_certificate_expired"),
        ("not_yet_valid", TlsFailure.NOT_YET_VALID, "exchanger_certificate_not_yet_valid"),
        ("wrong_name", TlsFailure.NAME_MISMATCH, "exchanger_certificate_name"),
        ("unknown_issuer", TlsFailure.UNKNOWN_ISSUER, "exchanger_certificate_untrusted"),
        ("self_signed", TlsFailure.SELF_SIGNED, "exchanger_certificate_untrusted"),
        ("revoked", TlsFailure.REVOKED, "exchanger_certificate_revoked"),
    ],
)
async def test_a_bad_certificate_is_told_with_what_is_wrong(
    kind: str, failure: TlsFailure, check: str, certificates: Certificates
) -> None:
    server = HostileSmtp(tls=getattr(certificates, kind))
    visit = await _visit(
        server, certificates.ca_file_with_list if kind == "revoked" else certificates.ca_file
    )
    assert _ids(visit) == [check]
    assert visit.tls is not None
    assert visit.tls.failure is failure
    assert visit.chain
    assert visit.is_up
    assert _ids(visit, pinned=(NAME,)) == []
    assert server.sessions == 1


async def test_a_certificate_that_ends_soon_is_told(certificates: Certificates) -> None:
    visit = await _visit(HostileSmtp(tls=certificates.good), certificates.ca_file)
    assert visit.tls is not None
    assert visit.tls.not_after_ns is not None
    findings, _ = judge_visits([visit], visit.tls.not_after_ns - 3 * 86_400 * 10**9)
    assert [finding.check for finding in findings] == ["exchanger_certificate_expiring"]
    assert "3 days" in findings[0].message


@pytest.mark.parametrize(
    ("answers", "terms", "checks"),
    [
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, {"recipient": "a@b.test"}, ["exchanger_recipient_refused"]),
        ({"RCPT": b"451 4.7.1 greylisted\r\n"}, {"recipient": "a@b.test"}, ["exchanger_recipient_deferred"]),
        ({"MAIL": b"550 5.7.1 not you\r\n"}, {"recipient": "a@b.test"}, ["exchanger_recipient_refused"]),
        ({"VRFY": b"252 try\r\n"}, {"tests_relay": True}, ["exchanger_open_relay"]),
        ({"RCPT": b"550 no\r\n", "VRFY": b"250 Post Master\r\n"}, {"tests_relay": True}, ["exchanger_vrfy"]),
        ({"RCPT": b"554 no\r\n", "VRFY": b"502 no\r\n"}, {"tests_relay": True}, []),
    ],
)
async def test_recipients_are_asked_about_where_it_is_allowed(
    answers: dict[str, Any], terms: dict[str, Any], checks: list[str], certificates: Certificates
) -> None:
    server = HostileSmtp({**answers, "RSET": b"250 ok\r\n"}, tls=certificates.good)
    visit = await _visit(server, certificates.ca_file, **terms)
    assert _ids(visit) == checks
    assert b"DATA" not in server.verbs


@pytest.mark.slow
async def test_a_host_that_takes_its_time_over_a_recipient_is_not_judged(certificates: Certificates) -> None:
    visit = await _visit(
        HostileSmtp({"RCPT": Deed.HANG}, tls=certificates.good), certificates.ca_file, recipient="a@b.test"
    )
    findings, unseen = judge_visits([visit], CLOCK.now_ns())
    assert (findings, visit.is_up) == ([], True)
    assert "did not say in time" in unseen[0]


async def test_an_address_that_is_not_there_is_stale_where_others_of_the_host_answer(
    certificates: Certificates,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    visitor = ExchangerVisitor(CLOCK, TlsOptions(ca_file=certificates.ca_file))
    dead = await visitor.visit(NAME, "127.0.0.1", dataclasses.replace(TERMS, port=port))
    live = await _visit(HostileSmtp(tls=certificates.good), certificates.ca_file)
    assert _ids(dead) == ["exchanger_unreachable"]
    (finding,) = judge_visits([dead, live], CLOCK.now_ns())[0]
    assert "left over" in finding.message
    assert finding.subject == f"{NAME} [127.0.0.1]"


async def test_what_is_our_own_side_s_is_unobserved(certificates: Certificates) -> None:
    visitor = ExchangerVisitor(CLOCK, TlsOptions(ca_file=certificates.ca_file))
    terms = dataclasses.replace(TERMS, source_address="192.0.2.250")
    visit = await visitor.visit(NAME, "127.0.0.1", terms)
    findings, unseen = judge_visits([visit], CLOCK.now_ns())
    assert (findings, len(unseen)) == ([], 1)
    broken = ExchangerVisitor(CLOCK, TlsOptions(ca_file=Path("/nowhere.pem")))
    async with HostileSmtp(tls=certificates.good).running() as server:
        visit = await broken.visit(NAME, "127.0.0.1", dataclasses.replace(TERMS, port=server.port))
    findings, unseen = judge_visits([visit], CLOCK.now_ns())
    assert (findings, len(unseen)) == ([], 1)


@pytest.mark.slow
async def test_a_visit_has_an_end_whatever_the_server_does(certificates: Certificates) -> None:
    answers: dict[str, Any] = {"GREETING": (0.4, b"220-a\r\n", 0.4, b"220-b\r\n", Deed.HANG)}
    visit = await _visit(HostileSmtp(answers), certificates.ca_file, total_seconds=1)
    assert [finding.severity for finding in judge_visits([visit], CLOCK.now_ns())[0]] == [Severity.ERROR]


async def test_only_so_many_are_open_at_once(certificates: Certificates) -> None:
    server = HostileSmtp({"GREETING": (0.1, b"220 ok\r\n")})
    visitor = ExchangerVisitor(CLOCK, TlsOptions(ca_file=certificates.ca_file), most_at_once=2)
    async with server.running():
        terms = dataclasses.replace(TERMS, port=server.port)
        visits = [asyncio.create_task(visitor.visit(NAME, "127.0.0.1", terms)) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert server.sessions <= 2
        assert all(visit.is_up for visit in await asyncio.gather(*visits))

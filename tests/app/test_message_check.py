"""Saved messages, verified over a real name server, and without one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rrset
import pytest

from smtp_probe.app.message_check import MessageChecker
from smtp_probe.config.settings import ResolverSettings
from smtp_probe.mail.explanation.mailbox_file import SavedMessage
from smtp_probe.model import Method, Source
from tests.policy.dkim.signing import RSA_RECORD, sign

RECORDS = {
    "s._domainkey.e.test.": RSA_RECORD,
    "_dmarc.e.test.": "v=DMARC1; p=reject",
    "e.test.": "v=spf1 ip4:192.0.2.1 -all",
}
RESULTS = b"Return-Path: <probe@e.test>\r\nAuthentication-Results: mx.r.test; dkim=pass header.d=e.test; spf=fail\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """A name server in a thread, with TXT records alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, ended))
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()


def _serve(server: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            query, client = server.recvfrom(4096)
        except TimeoutError:
            continue
        message = dns.message.from_wire(query)
        answer = dns.message.make_response(message)
        question = message.question[0]
        text = RECORDS.get(question.name.to_text().lower())
        if text is not None and question.rdtype == 16:
            strings = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", strings))
        server.sendto(answer.to_wire(), client)


def _saved(octets: bytes) -> SavedMessage:
    header, _, body = octets.partition(b"\r\n\r\n")
    return SavedMessage(number=1, header=header + b"\r\n\r\n", text=body)


def test_without_a_name_server_only_the_receiver_has_a_say() -> None:
    with MessageChecker([], [], None) as checker:
        found = checker.look(_saved(RESULTS + sign()))
    assert {verdict.source for verdict in found.verdicts} == {Source.RECEIVER}
    assert not found.findings


def test_with_one_the_message_is_verified(port: int) -> None:
    settings = ResolverSettings(nameservers=("127.0.0.1",), port=port)
    with MessageChecker([], [], settings) as checker:
        found = checker.look(_saved(RESULTS + sign()))
        again = checker.look(_saved(sign().replace(b"last", b"lost")))
    own = {
        method: verdict.result.value for method in Method if (verdict := found.summary(method, Source.OWN))
    }
    assert own == {Method.SPF: "pass", Method.DKIM: "pass", Method.DMARC: "pass", Method.ARC: "none"}
    assert [finding.check for finding in found.findings] == ["spf_disagrees"]
    assert [finding.check for finding in again.findings] == ["signature_body_changed"]
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()

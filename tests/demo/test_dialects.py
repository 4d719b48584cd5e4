"""The headers, to the letter, as the real servers fold and order them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smtp_probe.demo.dialects import (
    DOVECOT,
    EXCHANGE,
    EXIM,
    POSTFIX,
    Facts,
    Instants,
    TlsSession,
    pickup_received,
)

_SECOND = 10**9
_START = 1_795_460_404 * _SECOND  # 2026-11-23 19:00:04 UTC
AT = Instants(
    connected_ns=_START + 1,
    mail_ns=_START + 10 * _SECOND,
    recipient_ns=_START + 20 * _SECOND,
    data_ns=_START + 30 * _SECOND,
    received_ns=_START + 40 * _SECOND,
)
PLAIN = Facts(
    by="mx.example.test",
    helo="client.example.test",
    peer_name="localhost",
    peer_address="127.0.0.1",
    sender="prober@example.test",
    recipient="on-time@example.test",
    message_id="<m@example.test>",
)
SECURE = replace(
    PLAIN, tls=TlsSession(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", bits=256), user="prober"
)


def test_postfix_dates_its_header_at_mail() -> None:
    assert POSTFIX.received(PLAIN, AT, "QID") == (
        b"Received: from client.example.test (localhost [127.0.0.1])\r\n"
        b"\tby mx.example.test (Postfix) with ESMTP id QID\r\n"
        b"\tfor <on-time@example.test>; Mon, 23 Nov 2026 19:00:14 +0000 (UTC)\r\n"
    )


def test_postfix_tells_of_encryption_and_login() -> None:
    assert POSTFIX.received(SECURE, AT, "QID") == (
        b"Received: from client.example.test (localhost [127.0.0.1])\r\n"
        b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"
        b"\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)\r\n"
        b"\t(No client certificate requested)\r\n"
        b"\t(Authenticated sender: prober)\r\n"
        b"\tby mx.example.test (Postfix) with ESMTPSA id QID\r\n"
        b"\tfor <on-time@example.test>; Mon, 23 Nov 2026 19:00:14 +0000 (UTC)\r\n"
    )


def test_exim_dates_its_header_at_the_end() -> None:
    assert EXIM.received(PLAIN, AT, "QID") == (
        b"Received: from localhost ([127.0.0.1] helo=client.example.test)\r\n"
        b"\tby mx.example.test with esmtp (Exim 4.98.2)\r\n"
        b"\t(envelope-from <prober@example.test>)\r\n"
        b"\tid QID\r\n"
        b"\tfor on-time@example.test;\r\n"
        b"\tMon, 23 Nov 2026 19:00:44 +0000\r\n"
    )


def test_exim_has_two_spaces_before_the_encryption_and_no_null_sender() -> None:
    header = EXIM.received(replace(SECURE, sender="", user=None), AT, "QID")
    assert b"with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n\t(Exim 4.98.2)\r\n\tid QID\r\n" in header


def test_exchange_folds_with_spaces_and_has_its_own_zone() -> None:
    assert EXCHANGE.received(replace(SECURE, user=None), AT, EXCHANGE.queue_id(SECURE, AT)) == (
        b"Received: from client.example.test (127.0.0.1) by mx.example.test (127.0.0.1)\r\n"
        b" with Microsoft SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id\r\n"
        b" 15.2.1544.14 via Frontend Transport; Mon, 23 Nov 2026 20:00:44 +0100\r\n"
    )


def test_dovecot_dates_its_header_at_mail() -> None:
    assert DOVECOT.received(PLAIN, AT, "QID") == (
        b"Received: from client.example.test ([127.0.0.1])\r\n"
        b"\tby mx.example.test with LMTP\r\n"
        b"\tid QID\r\n"
        b"\t(envelope-from <prober@example.test>)\r\n"
        b"\tfor <on-time@example.test>; Mon, 23 Nov 2026 19:00:14 +0000\r\n"
    )


def test_each_server_makes_its_id_at_its_own_step() -> None:
    """Ids made by hand from the steps' instants: RCPT for Postfix, DATA for Exim, the connection for Dovecot."""
    later = replace(AT, recipient_ns=AT.recipient_ns + _SECOND)
    assert POSTFIX.queue_id(PLAIN, later)[:6] > POSTFIX.queue_id(PLAIN, AT)[:6]
    assert EXIM.queue_id(PLAIN, later) == EXIM.queue_id(PLAIN, AT)
    later = replace(AT, data_ns=AT.data_ns + _SECOND)
    assert EXIM.queue_id(PLAIN, later) != EXIM.queue_id(PLAIN, AT)
    assert DOVECOT.queue_id(PLAIN, later) == DOVECOT.queue_id(PLAIN, AT)


def test_a_second_message_on_a_connection_has_the_session_id_with_a_suffix() -> None:
    first = DOVECOT.queue_id(PLAIN, AT)
    assert DOVECOT.queue_id(replace(PLAIN, ordinal=2), AT) == f"{first}:T2"


@pytest.mark.parametrize(
    ("dialect", "reply"),
    [
        (POSTFIX, "250 2.0.0 Ok: queued as QID"),
        (EXIM, "250 OK id=QID"),
        (EXCHANGE, "250 2.6.0 <m@example.test> [InternalId=77309411328] Queued mail for delivery"),
        (DOVECOT, "250 2.0.0 <on-time@example.test> QID Saved"),
    ],
)
def test_the_final_reply_names_what_the_server_names(dialect, reply: str) -> None:
    assert dialect.accepted(PLAIN, "QID") == reply


@pytest.mark.parametrize("dialect", [POSTFIX, EXIM, EXCHANGE, DOVECOT])
@pytest.mark.parametrize("facts", [PLAIN, SECURE])
def test_a_header_is_one_folded_field(dialect, facts: Facts) -> None:
    lines = dialect.received(facts, AT, dialect.queue_id(facts, AT)).split(b"\r\n")
    assert lines[0].startswith(b"Received: from ")
    assert lines[-1] == b""
    assert all(line[:1] in (b"\t", b" ") and line.strip() for line in lines[1:-1])
    assert not [line for line in lines if b"\n" in line or b"\r" in line]


def test_a_server_s_own_message_has_no_from() -> None:
    assert pickup_received("mx.example.test", "QID", AT.mail_ns) == (
        b"Received: by mx.example.test (Postfix)\r\n\tid QID; Mon, 23 Nov 2026 19:00:14 +0000 (UTC)\r\n"
    )

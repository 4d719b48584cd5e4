"""The software behind a header is named only where the header leaves no doubt."""

from __future__ import annotations

import pytest

from smtp_probe.mail.received.header import parse_received


@pytest.mark.parametrize(
    ("value", "software", "event"),
    [
        ("from a (b [192.0.2.1]) by mx (Postfix) with ESMTP id 1", "postfix", "mail"),
        ("by mx (Postfix, from userid 0) id 1", "postfix", None),
        ("by mx (Postfix) with ESMTPSA id 1", "postfix", "mail"),
        ("from a ([192.0.2.1]) by mx with esmtp (Exim 4.98 #2 (Red Hat Linux)) id 1", "exim", "end_of_data"),
        ("from a by mx (Dovecot) with LMTP id 1", "dovecot", "mail"),
        ("from a by mx with LMTP id cF+GOy7WsGnLngIAu9opvQ", "dovecot", "mail"),
        ("from a by mx with LMTP id cF+GOy7WsGnLngIAu9opvQ:T12", "dovecot", "mail"),
        ("from a by mx with ESMTP id cF+GOy7WsGnLngIAu9opvQ", None, None),
        ("from a by mx with LMTP id 12345", None, None),
        ("from a by mx (Cyrus 3.8.1) with LMTPA", "cyrus", "data"),
        ("from a by mx (OpenSMTPD) with ESMTP id 1", "opensmtpd", "data"),
        ("from a by mx (Haraka/3.0.1) with ESMTP id 1", "haraka", "data"),
        ("from a by mx (Stalwart SMTP) with ESMTP id 1", "stalwart", "end_of_data"),
        ("from a ([192.0.2.1]) by mx (envelope-sender <x@y>) with ESMTP id 1a2b3c4d", "maddy", "data"),
        ("from a ([192.0.2.1]) by mx with ESMTP id 1a2b3c4d", None, None),
        ("from a by mx (8.18.1/8.18.1) with ESMTP id 1", "sendmail", None),
        ("from a by mx (8.17/Submit) id 1", "sendmail", None),
        ("from a by mx (192.0.2.1/24) with ESMTP id 1", None, None),
        ("from a by mx.google.com with SMTP id 1", "gmail", None),
        ("from a by mx.google.com (Postfix) with SMTP id 1", "postfix", "mail"),
        ("from Postfix (Postfix [192.0.2.1]) by mx with ESMTP id 1", None, None),
        ("from a (Exim [192.0.2.1]) by mx with ESMTP id 1", None, None),
        ("from fetchmail (fetchmail-6.example [192.0.2.1]) by mx with ESMTP id 1", None, None),
        ("from a by mx", None, None),
    ],
)
def test_software_and_the_event_of_its_stamp(value, software, event):
    hop = parse_received(f"{value}; Tue, 1 Sep 2026 08:00:00 +0000".encode())

    assert (hop.software, hop.stamp_event) == (software, event)
    assert "retrieval" not in hop.flags


def test_without_a_stamp_there_is_no_event():
    assert parse_received(b"from a (b [192.0.2.1]) by mx (Postfix) with ESMTP id 1").stamp_event is None


@pytest.mark.parametrize(
    "value",
    [
        "from a [192.0.2.1] by mx with POP3 (fetchmail-6.4.37) for <a@localhost> (single-drop)",
        "from a [192.0.2.1] by mx with IMAP (fetchmail-6.4.37)",
        "from a by mx with IMAP4-SSL",
        "from a by mx with POP3",
        "from a by mx with getmail 6.18 for <a@localhost>",
        "by mx (mbox inbox)",
        "by mx with ESMTP (getmail6)",
    ],
)
def test_fetching_from_a_mailbox_is_no_hop(value):
    assert "retrieval" in parse_received(f"{value}; Tue, 1 Sep 2026 08:00:00 +0000".encode()).flags


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("from a ([192.0.2.1]) by mx with esmtp (Exim 4.96) id 1", "4.96"),
        ("from a ([192.0.2.1]) by mx with esmtps (TLS1.3) tls X (Exim 4.94.2) id 1", "4.94.2"),
        ("from a ([192.0.2.1]) by mx with esmtp (Exim 4.90_1) id 1", "4.90_1"),
        ("from a ([192.0.2.1]) by mx with esmtp (Exim 3.35 #1 (Debian)) id 1", "3.35"),
        ("from a ([192.0.2.1]) by mx with esmtp (Exim) id 1", None),
        ("from a (Exim 4.96 [192.0.2.1]) by mx with esmtp id 1", None),
        ("from a (b [192.0.2.1]) by mx (Postfix) (Exim 4.96) with ESMTP id 1", None),
        ("from a ([192.0.2.1]) by mx with esmtp (Exim 4.1234567890) id 1", None),
    ],
)
def test_the_version_is_told_of_an_exim_only(value, version):
    hop = parse_received(f"{value}; Tue, 1 Sep 2026 08:00:00 +0000".encode())

    assert hop.software_version == version

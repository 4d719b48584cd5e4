"""Whose results count."""

from __future__ import annotations

import pytest

from smtp_probe.mail.authentication.trust import find_receiver, find_trusted

TOP = b"Received: from mx.receiver.test (mx.receiver.test [192.0.2.7]) by store.receiver.test (Postfix) with LMTP id A for <p@receiver.test>; Fri, 27 Nov 2026 10:00:02 +0000\r\n"
BORDER = b"Received: from out.sender.test (out.sender.test [198.51.100.1]) by mx.receiver.test (Postfix) with ESMTPS id B for <p@receiver.test>; Fri, 27 Nov 2026 10:00:01 +0000\r\n"
FOREIGN = b"Received: from desk (desk [198.51.100.2]) by out.sender.test (Postfix) with ESMTPSA id C; Fri, 27 Nov 2026 10:00:00 +0000\r\n"
END = b"From: a@sender.test\r\n\r\n"


def _result(authserv_id: str, word: str = "pass") -> bytes:
    return f"Authentication-Results: {authserv_id}; dkim={word}\r\n".encode()


def _ids(header: bytes, *ids: str) -> list[str | None]:
    return [found.authserv_id for found in find_trusted(header, find_receiver(header, ids))]


@pytest.mark.parametrize(
    "authserv_id", ["mx.receiver.test", "receiver.test", "other.receiver.test", "MX.Receiver.TEST"]
)
def test_the_receivers_own_word_counts(authserv_id: str) -> None:
    for header in (
        _result(authserv_id) + TOP + BORDER + FOREIGN + END,
        TOP + _result(authserv_id) + BORDER + FOREIGN + END,
        TOP + BORDER + _result(authserv_id) + FOREIGN + END,
    ):
        assert _ids(header) == [authserv_id.lower()]


def test_a_strangers_word_does_not() -> None:
    header = _result("mx.evil.test") + TOP + BORDER + _result("out.sender.test") + FOREIGN + END
    assert not _ids(header)


def test_below_a_strangers_line_nothing_counts() -> None:
    assert not _ids(TOP + BORDER + FOREIGN + _result("mx.receiver.test") + END)


def test_several_headers_topmost_first() -> None:
    header = (
        TOP + _result("mx.receiver.test") + BORDER + _result("filter.receiver.test", "fail") + FOREIGN + END
    )
    assert _ids(header) == ["mx.receiver.test", "filter.receiver.test"]


def test_ids_that_are_given_count_alone() -> None:
    header = _result("OpenDMARC") + TOP + _result("mx.receiver.test") + BORDER + END
    assert _ids(header, "opendmarc") == ["opendmarc"]
    assert _ids(header, "OpenDMARC", "receiver.test") == ["opendmarc", "mx.receiver.test"]


def test_a_host_whose_name_shows_no_organisation() -> None:
    line = b"Received: from x (y [192.0.2.1]) by mx (Postfix) with ESMTP id B; Fri, 27 Nov 2026 10:00:01 +0000\r\n"
    assert _ids(line + _result("mx") + _result("other") + END) == ["mx"]


def test_exchange_online_gives_no_id() -> None:
    line = (
        b"Received: from AB1PR01MB1234.eurprd01.prod.exchangelabs.com (2603:10a6::1) by"
        b" AB2PR01MB1234.eurprd01.prod.exchangelabs.com with HTTPS; Fri, 27 Nov 2026 10:00:01 +0000\r\n"
    )
    nameless = (
        b"Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=e.test; dkim=none\r\n"
    )
    assert _ids(line + nameless + END) == [None]
    assert not _ids(TOP + nameless + BORDER + END)
    assert _ids(TOP + nameless + BORDER + END, "protection.outlook.com") == [None]

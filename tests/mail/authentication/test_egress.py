"""Who handed a message in."""

from __future__ import annotations

import pytest

from smtp_probe.mail.authentication.egress import SeenClient, find_client

STORE = b"Received: from mx.r.test (mx.r.test [192.0.2.7]) by store.r.test with LMTP id A; Fri, 27 Nov 2026 10:00:02 +0000\r\n"
BORDER = b"Received: from out.e.test (host.e.test [198.51.100.1]) by mx.r.test (Postfix) with ESMTPS id B; Fri, 27 Nov 2026 10:00:01 +0000\r\n"
INNER = b"Received: from desk (desk [203.0.113.9]) by out.e.test (Postfix) with ESMTPSA id C; Fri, 27 Nov 2026 10:00:00 +0000\r\n"


@pytest.mark.parametrize("own", [(), ("r.test",), ("mx.r.test", "store.r.test")])
def test_the_client_of_the_border(own: tuple[str, ...]) -> None:
    assert find_client(STORE + BORDER + INNER + b"\r\n", own) == SeenClient("198.51.100.1", "out.e.test", 2)


def test_a_line_that_tells_no_address() -> None:
    assert find_client(b"Received: by mx.r.test; Fri, 27 Nov 2026 10:00:01 +0000\r\n\r\n") is None
    assert find_client(b"From: a@b.test\r\n\r\n") is None
    assert find_client(BORDER + b"\r\n", ("other.test",)) is None


def test_a_client_that_logged_in() -> None:
    found = find_client(BORDER.replace(b"ESMTPS", b"ESMTPSA") + b"\r\n")
    assert found is not None
    assert (found.hop, found.is_authenticated) == (1, True)

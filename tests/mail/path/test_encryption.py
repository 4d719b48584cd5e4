"""A hop is encrypted, or in plaintext, or its line does not say."""

import pytest

from smtp_probe.mail.path.encryption import is_encrypted
from smtp_probe.mail.trace import read_trace
from tests.mail.lines import line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"with_": "ESMTPS"}, True),
        ({"with_": "ESMTPSA"}, True),
        ({"with_": "LMTPS"}, True),
        ({"with_": "UTF8SMTPS"}, True),
        ({"with_": "utf8esmtpsa"}, True),
        ({"with_": "utf8esmtp"}, False),
        ({"with_": "ESMTP"}, False),
        ({"with_": "SMTP"}, False),
        ({"with_": "LMTP"}, False),
        ({"with_": "ESMTP", "ip": "127.0.0.1"}, None),
        ({"with_": "HTTP"}, None),
        ({"with_": "local", "source": ""}, None),
    ],
)
def test_the_protocol_tells(options, expected):
    assert is_encrypted(read_trace(line(**options)).hops[0]) is expected


def test_a_line_that_names_no_client_says_nothing_of_its_connection():
    """Google's own `Received: by 2002:a05:... with SMTP id ...` above the line of its MX."""
    header = b"Received: by 2002:a05:6022:b89:b0:9b:1c2e:9f3a with SMTP id fo9csp1lab; Mon, 2 Mar 2026 02:00:03 -0800\r\n"

    assert is_encrypted(read_trace(header).hops[0]) is None


def test_a_comment_of_tls_counts_whatever_the_protocol_is_called():
    header = line(with_="ESMTP (TLSv1.3:TLS_AES_256_GCM_SHA384:256)")

    assert is_encrypted(read_trace(header).hops[0]) is True


def test_a_line_that_says_that_there_was_tls_is_not_called_plaintext():
    header = (
        b"Received: from a.test (a.test [192.0.2.1]) (Using TLS) by b.test with ESMTP id 1;"
        b" Tue, 1 Sep 2026 08:00:00 +0000\r\n"
    )

    assert is_encrypted(read_trace(header).hops[0]) is True

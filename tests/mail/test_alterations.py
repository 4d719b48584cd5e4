"""What was done to our message is told by its kind, and what no gateway did is not claimed."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.alterations import find_alterations
from smtp_probe.model import Alteration
from tests.mail.test_message import TAG, build

BUILT = build()
HEADER, _, BODY = BUILT.message.partition(b"\r\n\r\n")
END = b"[end of smtp-probe test message]\r\n"


def altered(message, *, with_body=True):
    header, _, body = message.partition(b"\r\n\r\n")
    found = find_alterations(header + b"\r\n\r\n", body if with_body else None, BUILT.body_digest, TAG.token)
    return [kind.value for kind in found]


def recoded(body, encoding, charset=b"us-ascii"):
    header = HEADER.replace(b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: " + encoding)
    return header.replace(b"charset=us-ascii", b"charset=" + charset) + b"\r\n\r\n" + body


def in_parts(*parts):
    header = HEADER.replace(b"text/plain; charset=us-ascii", b'multipart/mixed; boundary="b"')
    pieces = b"".join(b"--b\r\nContent-Type: " + kind + b"\r\n\r\n" + text for kind, text in parts)
    return header + b"\r\n\r\n" + pieces + b"--b--\r\n"


CHANGES = {
    "nothing": (BUILT.message, []),
    "lines above": (b"Received: by mx\r\nX-Spam-Flag: NO\r\n" + BUILT.message, []),
    "blanks at the ends of lines": (
        BUILT.message.replace(b"carry no information.\r", b"carry no information.  \r"),
        [],
    ),
    "another fold of the subject": (BUILT.message.replace(b"]\r\n delivery", b"] delivery"), []),
    "a word": (BUILT.message.replace(b"carry no information", b"carry new information"), ["body"]),
    "cut": (BUILT.message[:-100], ["truncated"]),
    "cut to nothing": (HEADER + b"\r\n\r\n", ["truncated"]),
    "a footer": (BUILT.message + b"-- \r\nThis mail is confidential.\r\n", ["footer"]),
    "a banner": (HEADER + b"\r\n\r\nCAUTION: external\r\n" + BODY, ["footer"]),
    "a footer in a part of its own": (
        in_parts((b"text/plain; charset=us-ascii", BODY), (b"text/html", b"<p>confidential</p>\r\n")),
        ["footer"],
    ),
    "the same as HTML beside it": (
        in_parts((b"text/plain", BODY), (b"text/html", b"<pre>" + BODY + b"</pre>")).replace(
            b"multipart/mixed", b"multipart/alternative"
        ),
        [],
    ),
    "a footer in both": (
        in_parts(
            (b"text/plain", BODY + b"confidential\r\n"),
            (b"text/html", b"<pre>" + BODY + b"</pre>confidential"),
        ),
        ["footer"],
    ),
    "an attachment": (in_parts((b"text/plain", BODY), (b"application/pdf", b"%PDF\r\n")), []),
    "a subject": (BUILT.message.replace(b"Subject: ", b"Subject: [EXTERNAL] "), ["subject"]),
    "a charset": (recoded(BODY, b"7bit", b"utf-8"), ["charset"]),
    "quoted-printable": (recoded(quopri.encodestring(BODY), b"quoted-printable"), ["transfer_encoding"]),
    "base64 and a charset": (
        recoded(base64.encodebytes(BODY).replace(b"\n", b"\r\n"), b"base64", b"iso-8859-1"),
        ["charset", "transfer_encoding"],
    ),
    "bare line feeds": (HEADER + b"\r\n\r\n" + BODY.replace(b"\r\n", b"\n"), ["line_endings"]),
    "doubled carriage returns": (
        HEADER + b"\r\n\r\n" + BODY.replace(b"\r\n", b"\r\r\n"),
        ["body", "line_endings"],
    ),
    "another Message-ID": (BUILT.message.replace(b"Message-ID: <", b"Message-ID: <gateway@x> <", 1), []),
    "a Message-ID of its own": (
        BUILT.message.replace(f"Message-ID: <{TAG.token}@example.org>".encode(), b"Message-ID: <1@gateway>"),
        ["header"],
    ),
    "our header gone": (BUILT.message.replace(b"X-SMTP-Probe:", b"X-Other:"), ["header"]),
    "a second From": (b"From: other@example.com\r\n" + BUILT.message, ["header"]),
    "two at once": (
        BUILT.message.replace(b"carry no information", b"carry ads").replace(
            b"Subject: ", b"Subject: ***SPAM*** "
        ),
        ["body", "subject"],
    ),
}


@pytest.mark.parametrize(("message", "kinds"), CHANGES.values(), ids=CHANGES)
def test_each_kind_is_told(message, kinds):
    assert altered(message) == kinds


def test_a_body_that_was_not_fetched_is_not_judged():
    message = BUILT.message.replace(b"carry no information", b"carry ads").replace(
        b"Subject: ", b"Subject: Re: "
    )
    assert altered(message, with_body=False) == ["subject"]


def test_only_what_is_lost_or_wrong_is_damage():
    assert [kind.value for kind in Alteration if kind.is_damage] == ["truncated", "body", "header"]


@given(st.binary(max_size=400), st.binary(max_size=400), st.integers(0, 2000))
def test_nothing_breaks_it(head, tail, at):
    message = BUILT.message[:at] + head + BUILT.message[at:] + tail
    for header, body in ((message, tail), (BUILT.message, message), (head, None)):
        find_alterations(header, body, BUILT.body_digest, TAG.token)

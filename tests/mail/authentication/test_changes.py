"""What became of a message on its way."""

from __future__ import annotations

from smtp_probe.mail.authentication.changes import compare, remember

HEADER = b"From: a@b.test\r\nSubject: [x]\r\n more\r\n"
BODY = b"one  two\r\nthree\r\n"
SENT = remember(HEADER + b"\r\n" + BODY)


def test_what_only_grew_is_unchanged() -> None:
    received = b"Received: x\r\nDKIM-Signature: y\r\nfrom:  a@b.test\r\nSubject: [x]\r\n\tmore\r\n\r\n"
    found = compare(SENT, received, b"one two \nthree\n\n\n")
    assert (found.fields, found.body) == ((), False)


def test_changed_and_lost_fields_are_named() -> None:
    found = compare(SENT, b"From: c@d.test\r\n\r\n", BODY + b"footer\r\n")
    assert (found.fields, found.body) == (("from", "subject"), True)


def test_a_body_that_is_not_known() -> None:
    assert compare(SENT, HEADER, None).body is None

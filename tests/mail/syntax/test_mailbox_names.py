"""Mailbox names go to modified UTF-7 and back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name, encode_mailbox_name


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", "INBOX"),
        ("Junk E-mail", "Junk E-mail"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501 section 5.1.3
        ("Tom & Jerry", "Tom &- Jerry"),
        ("Entwürfe & 日本", "Entw&APw-rfe &- &ZeVnLA-"),
        ("Courrier indésirable", "Courrier ind&AOk-sirable"),
        ("&ü&", "&-&APw-&-"),
        ("😀", "&2D3eAA-"),
        ("a\r\nb", "a&AA0ACg-b"),
        ("", ""),
    ],
)
def test_known_names(name, encoded):
    assert encode_mailbox_name(name) == encoded
    assert decode_mailbox_name(encoded) == name


@given(st.text())
def test_every_name_comes_back(name):
    assert decode_mailbox_name(encode_mailbox_name(name)) == name


@given(st.text(alphabet=st.characters()))
def test_an_encoded_name_is_printable_ascii_whatever_it_was(name):
    encoded = encode_mailbox_name(name)
    assert encoded.isascii()
    assert encoded == "" or encoded.isprintable()


@pytest.mark.parametrize("name", ["&", "&&", "&AOk", "&A-", "&AO-", "&2D0-", "50% & more", "&=-", "Müll"])
def test_what_is_not_well_formed_stays_as_it_is(name):
    assert decode_mailbox_name(name) == name


@given(st.text(alphabet="&-,+ABCü/ "))
def test_reading_never_raises(name):
    decode_mailbox_name(name)


def test_a_hostile_name_is_read_in_linear_time():
    started = time.process_time()
    decode_mailbox_name("&" + "A" * 1_000_000)
    decode_mailbox_name("&A" * 300_000)
    assert time.process_time() - started < 2

"""Addresses carry a tag, and authors fit into one ASCII header."""

from __future__ import annotations

import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.addresses import find_address_tokens, format_author, tag_address
from smtp_probe.mail.tag import TagKey, make_tag

TOKEN = make_tag([TagKey(b"k" * 32)], "r", 1, 2, "a@b").token


def test_a_tagged_address_gives_its_token_back():
    tagged = tag_address("user@example.org", TOKEN)
    assert tagged == f"user+{TOKEN[5:]}@example.org"
    assert find_address_tokens(f"Delivered: <{tagged.upper()}>".encode()) == (TOKEN,)


def test_the_token_survives_sender_rewriting():
    tagged = tag_address("user@example.org", TOKEN)
    assert find_address_tokens(f"prvs=0123abcdef={tagged}".encode()) == (TOKEN,)


def test_a_local_part_of_fifteen_characters_just_fits():
    local, _, _ = tag_address("a" * 15 + "@example.org", TOKEN).partition("@")
    assert len(local) == 64
    with pytest.raises(ValueError, match="1 to 15 characters"):
        tag_address("a" * 16 + "@example.org", TOKEN)


@pytest.mark.parametrize("recipient", ['"quoted"@example.org', "@example.org", "nobody"])
def test_what_cannot_take_a_tag_is_refused(recipient):
    with pytest.raises(ValueError, match="unquoted local part"):
        tag_address(recipient, TOKEN)


@pytest.mark.parametrize(
    "value", [b"", b"user+detail@example.org", b"u+" + b"a" * 48 + b"@x", b"u+" + b"a" * 49 + b"@x"]
)
def test_other_addresses_have_no_token(value):
    assert find_address_tokens(value) == ()


@pytest.mark.parametrize(
    ("author", "value", "address"),
    [
        ("probe@example.org", "probe@example.org", "probe@example.org"),
        ("<probe@example.org>", "<probe@example.org>", "probe@example.org"),
        ("Mail Probe <probe@example.org>", "Mail Probe <probe@example.org>", "probe@example.org"),
        ('"Probe, Mail" <p@example.org>', '"Probe, Mail" <p@example.org>', "p@example.org"),
        ("Probe, Mail <p@example.org>", '"Probe, Mail" <p@example.org>', "p@example.org"),
        ('A "b" \\ c. <p@example.org>', '"A \\"b\\" \\\\ c." <p@example.org>', "p@example.org"),
    ],
)
def test_an_ascii_author_is_quoted_only_where_needed(author, value, address):
    assert format_author(author) == (value, address)


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=120))
def test_any_display_name_is_read_back_as_it_was(name):
    value, address = format_author(f"{name} ü <p@example.org>")
    assert address == "p@example.org"
    assert value.isascii()
    assert all(len(line) <= 95 for line in value.split("\r\n"))
    assert str(make_header(decode_header(value.removesuffix(" <p@example.org>")))) == f"{name} ü"


def test_the_standard_library_reads_the_name_back():
    value, _ = format_author("Sonde für Grüße, 日本 <p@example.org>")
    message = email.message_from_bytes(f"From: {value}\r\n\r\n".encode(), policy=email.policy.default)
    assert message["From"].addresses[0].display_name == "Sonde für Grüße, 日本"
    assert message["From"].addresses[0].addr_spec == "p@example.org"


@pytest.mark.parametrize(
    "author", ["a@b\r\nBcc: c@d", "a\n<a@b>", "no address", "a@b, c@d", "x <é@b>", "", "a@b\x00"]
)
def test_what_is_no_single_author_is_refused(author):
    with pytest.raises(ValueError):
        format_author(author)

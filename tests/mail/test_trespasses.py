"""The messages that filters must refuse: whole, and what the filters know."""

import email
import hashlib
from pathlib import Path

import pytest

from smtp_probe.mail import trespasses
from smtp_probe.mail.trespasses import eicar_message, gtube_message, pad, plain_message

NOW_NS = 1_790_000_000 * 10**9
FROM, TO = "probe@example.org", "own@example.org"


def plain(author, recipient, now_ns):
    return plain_message(author, recipient, "x", now_ns)


def test_gtube_stands_on_a_line_of_its_own():
    message = gtube_message(FROM, TO, NOW_NS)
    lines = [line for line in message.split(b"\r\n") if b"GTUBE" in line]

    assert [len(line) for line in lines] == [68]
    assert (
        hashlib.md5(lines[0], usedforsecurity=False).hexdigest()
        == hashlib.md5(
            "XJS*C4JDBQADN1.NSBN3*2IDNEN*{}*C.34X".format("GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL").encode(),
            usedforsecurity=False,
        ).hexdigest()
    )


def test_the_attachment_is_the_test_file_byte_for_byte():
    """The digest that scanners' makers publish for the file of 68 bytes."""
    parsed = email.message_from_bytes(eicar_message(FROM, TO, NOW_NS))
    (attached,) = [part for part in parsed.walk() if part.get_filename() == "eicar.com"]

    payload = attached.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert len(payload) == 68
    assert hashlib.md5(payload, usedforsecurity=False).hexdigest() == "44d88612fea8a8f36de82e1278abb02f"


def test_no_test_string_stands_whole_in_our_own_files():
    text = Path(trespasses.__file__).read_text()
    assert "".join(trespasses._GTUBE) not in text
    assert "".join(trespasses._EICAR) not in text


@pytest.mark.parametrize("make", [gtube_message, eicar_message, plain])
def test_every_message_is_ascii_with_short_lines_and_ends_in_one(make):
    message = make(FROM, TO, NOW_NS)

    assert message.isascii()
    assert message.endswith(b"\r\n")
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert email.message_from_bytes(message)["Auto-Submitted"] == "auto-generated"


def test_an_address_cannot_start_a_header():
    with pytest.raises(ValueError, match="control character"):
        plain_message("a@example.org\r\nBcc: b@example.org", TO, "x", NOW_NS)


@pytest.mark.parametrize("size", [0, 5000, 1_000_000])
def test_padding_reaches_the_size(size):
    message = plain_message(FROM, TO, "x", NOW_NS)
    padded = pad(message, size)
    assert size <= len(padded) <= max(size + 72, len(message))
    assert padded.startswith(message)
    assert padded.endswith(b"\r\n")

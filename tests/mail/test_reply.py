"""Replies are read as the servers of the world write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.reply import parse_reply, queue_id_of
from smtp_probe.model import Reply


@pytest.mark.parametrize(
    ("code", "text", "enhanced", "shown"),
    [
        (550, "5.1.1 <a@b>: no such user", "5.1.1", "<a@b>: no such user"),
        (250, b"2.0.0 Ok: queued as 4XyZ", "2.0.0", "Ok: queued as 4XyZ"),
        (451, "4.7.1 Greylisted\n4.7.1 try again", "4.7.1", "Greylisted try again"),
        (550, "5.7.26 first\n5.7.1 other", "5.7.26", "first 5.7.1 other"),
        (250, "4.7.1 wrong class", None, "4.7.1 wrong class"),
        (550, "see 5.1.1 for it", None, "see 5.1.1 for it"),
        (550, "5.1.1234 too long", None, "5.1.1234 too long"),
        (550, "10.1.1.1 is blocked", None, "10.1.1.1 is blocked"),
        (220, "", None, ""),
        (354, "go ahead", None, "go ahead"),
        (550, "5.1.\u0661 arabic digit", None, "5.1.\u0661 arabic digit"),
        (550, "5.7.1 \x1b]0;title\x07 \u202etxet", "5.7.1", "]0;title txet"),
        (550, b"5.1.1 latin \xe9", "5.1.1", "latin \ufffd"),
    ],
)
def test_code_enhanced_code_and_words(code, text, enhanced, shown):
    assert parse_reply(code, text) == Reply(code=code, enhanced=enhanced, text=shown)


def test_a_token_that_the_server_quotes_is_not_kept():
    tagged = f"5.1.1 <probe+{'a' * 48}@example.net>: no such user"
    assert parse_reply(550, tagged).text == "<probe+TAG@example.net>: no such user"


@given(st.integers(-10, 1000), st.one_of(st.text(), st.binary()))
def test_any_text_gives_a_bounded_line(code, text):
    reply = parse_reply(code, text)
    assert len(reply.text) <= 300
    assert reply.text == "" or reply.text.isprintable()
    queue_id_of(reply.text)


@pytest.mark.parametrize(
    ("reply", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4SZ1fK2Nkpz9rxx", "4SZ1fK2Nkpz9rxx"),
        ("Ok: queued as 0A1B2C3D4E", "0A1B2C3D4E"),
        (
            "2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5F0D91C0042",
            "5F0D91C0042",
        ),
        ("OK id=1r4bcD-0000Xy-2Z", "1r4bcD-0000Xy-2Z"),
        ("OK id=1r4bcD-00000000abc-2Z1q", "1r4bcD-00000000abc-2Z1q"),
        ("2.0.0 3AB1Cd2e001234 Message accepted for delivery", "3AB1Cd2e001234"),
        ("2.0.0 1a2b3c4d Message accepted for delivery", "1a2b3c4d"),
        ("2.0.0: 1a2b3c4d Message accepted for delivery", "1a2b3c4d"),
        ("1a2b3c4d: Message accepted for delivery", "1a2b3c4d"),
        ("2.0.0 Ok 1a2b3c4d", "1a2b3c4d"),
        ("Message Queued (AC32E2AF-9E2D-4E6C-9D6F-5F5B3F6B3B1D.1)", "AC32E2AF-9E2D-4E6C-9D6F-5F5B3F6B3B1D.1"),
        ("2.0.0 <user@example.org> kH9RBhqVYmVvJgAAz1Cz2w Saved", "kH9RBhqVYmVvJgAAz1Cz2w"),
        ("2.0.0 <user@example.org> kH9RBhqVYmVvJgAAz1Cz2w:T2 Saved", "kH9RBhqVYmVvJgAAz1Cz2w:T2"),
        ("2.0.0 Message queued with id 11f0a2b3c4d5e6f7.", "11f0a2b3c4d5e6f7"),
        ("2.0.0 OK  1700000000 d9443c01a7336-1cc2f8a1b2csi5 - gsmtp", "d9443c01a7336-1cc2f8a1b2csi5"),
        (
            "Ok 0102018c1f2e3d4c-0a1b2c3d-1111-2222-3333-0123456789ab-000000",
            "0102018c1f2e3d4c-0a1b2c3d-1111-2222-3333-0123456789ab-000000",
        ),
        (
            "2.6.0 <x@y> [InternalId=123456789, Hostname=A.example.com] 9000 bytes in 0.1 Queued mail for delivery",
            "123456789",
        ),
    ],
)
def test_the_queue_id_is_found_where_the_software_is_known(reply, queue_id):
    assert queue_id_of(reply) == queue_id


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "OK",
        "2.0.0 Ok: queued",
        "Thanks! Message accepted",
        "The accepted Message accepted for delivery",
        "Ok thanks12 for all",
        "2.6.0 message received",
        "ok dirdel",
        "2.0.0 <user@example.org> Saved",
        "queued as \u0661\u0662\u0663\u0664\u0665\u0666",
    ],
)
def test_no_queue_id_is_made_up(reply):
    assert queue_id_of(reply) is None


def test_a_hostile_reply_is_read_in_linear_time():
    started = time.process_time()
    for piece in ("queued as ", "<", "OK ", ":T1", "OK id=", "a", " \n", "5.1.1\n", "[InternalId=1"):
        parse_reply(550, piece * 200_000)
        queue_id_of(piece * 200_000)
    assert time.process_time() - started < 2

"""A token proves who made it, and for what; nothing that was changed verifies."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.tag import (
    TagKey,
    UnverifiedTag,
    find_tokens,
    hash_route,
    hide_tokens,
    make_tag,
    peek,
    verify,
)

OLD = TagKey(b"o" * 32)
NEW = TagKey(b"n" * 32)
ROUTE = "office-to-gmail"
RECIPIENT = "Probe@Example.org"
SENT_MS = 1_795_000_000_123
LAYOUT = "0163454349e40000000100000000000293f3913c559622248d751d6f81db"
"""Computed apart, from the layout in the documentation: key 00 01 .. 1f, route r, sequence 1, 2 ms, a@example.org."""

routes = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=63)
secrets = st.binary(min_size=32, max_size=64)
sequences = st.integers(0, 2**32 - 1)
times = st.integers(0, 2**48 - 1)


def sign(keys=(NEW,), route=ROUTE, sequence=7, sent_ms=SENT_MS, recipient=RECIPIENT):
    return make_tag(keys, route, sequence, sent_ms, recipient)


def flip(token: str, bit: int) -> str:
    raw = bytearray(base64.b32decode(token.removeprefix("spt1-").upper()))
    raw[bit // 8] ^= 1 << bit % 8
    return "spt1-" + base64.b32encode(bytes(raw)).decode().lower()


def test_a_token_has_53_lower_case_characters_and_says_its_tag():
    tag = sign()
    assert len(tag.token) == 53
    assert tag.token == tag.token.lower()
    assert tag.token.startswith("spt1-")
    assert (tag.sequence, tag.sent_ms, tag.route_hash) == (7, SENT_MS, hash_route(ROUTE))


def test_the_layout_does_not_change_unnoticed():
    token = make_tag([TagKey(bytes(range(32)))], "r", 1, 2, "a@example.org").token
    assert token == "spt1-" + base64.b32encode(bytes.fromhex(LAYOUT)).decode().lower()


@given(secrets, routes, sequences, times)
def test_what_was_signed_verifies_and_gives_the_same_tag(secret, route, sequence, sent_ms):
    keys = [TagKey(secret)]
    tag = make_tag(keys, route, sequence, sent_ms, RECIPIENT)
    assert verify(tag.token, keys, route, RECIPIENT) == tag


@given(st.integers(0, 239))
def test_any_flipped_bit_fails(bit):
    assert verify(flip(sign().token, bit), [NEW], ROUTE, RECIPIENT) is None


@given(routes.filter(lambda route: route != ROUTE))
def test_any_other_route_fails(route):
    assert verify(sign().token, [NEW], route, RECIPIENT) is None


@given(st.emails().filter(lambda address: address.lower() != RECIPIENT.lower()))
def test_any_other_recipient_fails(recipient):
    assert verify(sign().token, [NEW], ROUTE, recipient) is None


@given(secrets.filter(lambda secret: secret != NEW.secret))
def test_any_other_key_fails(secret):
    assert verify(sign().token, [TagKey(secret)], ROUTE, RECIPIENT) is None


@given(sequences, sequences)
def test_no_two_sequence_numbers_share_a_token(first, second):
    assert (sign(sequence=first).token == sign(sequence=second).token) == (first == second)


def test_route_and_recipient_cannot_borrow_from_each_other():
    token = sign(route="ab", recipient="c@d").token
    assert verify(token, [NEW], "a", "bc@d") is None


def test_another_sequence_in_the_same_token_fails():
    mine, other = (base64.b32decode(sign(sequence=n).token[5:].upper()) for n in (7, 8))
    spliced = "spt1-" + base64.b32encode(other[:16] + mine[16:]).decode().lower()
    claim = peek(spliced)
    assert claim is not None
    assert claim.sequence == 8
    assert verify(spliced, [NEW], ROUTE, RECIPIENT) is None


def test_case_folding_of_token_and_recipient_survives():
    tag = sign()
    assert verify(tag.token.upper(), [NEW], ROUTE, RECIPIENT.lower()) == tag
    assert find_tokens(tag.token.upper()) == (tag.token,)


def test_an_old_key_still_verifies_after_rotation():
    before = sign(keys=(OLD,))
    assert verify(before.token, [NEW, OLD], ROUTE, RECIPIENT) == before
    assert verify(sign(keys=(NEW, OLD)).token, [OLD], ROUTE, RECIPIENT) is None


def test_no_key_verifies_nothing():
    assert verify(sign().token, [], ROUTE, RECIPIENT) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "spt1-",
        "spt1-" + "a" * 47,
        "spt1-" + "a" * 49,
        "spt1-" + "1" * 48,
        "spt2-" + "a" * 48,
        "é" * 53,
        "x\n",
    ],
)
def test_what_has_not_our_form_is_nothing(token):
    assert peek(token) is None
    assert verify(token, [NEW], ROUTE, RECIPIENT) is None


@given(st.text())
def test_reading_a_token_never_raises(text):
    peek(text)
    find_tokens(text)
    verify(text, [NEW], ROUTE, RECIPIENT)


def test_letters_that_only_fold_to_ascii_are_no_token():
    token = sign().token
    assert find_tokens(token.replace("s", "\u017f", 1)) == ()


def test_peek_says_what_the_token_claims():
    tag = sign()
    assert peek(tag.token) == UnverifiedTag(
        probe_id=tag.probe_id, route_hash=tag.route_hash, sequence=7, sent_ms=SENT_MS
    )


def test_the_public_id_holds_no_proof():
    tag = sign()
    assert len(tag.probe_id) == 23
    assert sign(keys=(OLD,)).probe_id == tag.probe_id
    assert sign(sequence=8).probe_id != tag.probe_id


def test_tokens_are_found_in_order_once_and_bounded():
    tokens = [sign(sequence=n).token for n in range(40)]
    text = " ".join([tokens[0], *tokens]).encode()
    assert find_tokens(text) == tuple(tokens[:32])
    assert find_tokens(text, limit=2) == tuple(tokens[:2])
    assert find_tokens(f"<{tokens[0]}@example.org>,({tokens[1]})=3D{tokens[2]}") == tuple(tokens[:3])


def test_a_text_to_be_shown_keeps_no_proof():
    token = sign().token
    text = f"<{token}@example.org> for user+{token[5:].upper()}@example.net"
    assert hide_tokens(text) == "<spt1-TAG@example.org> for user+TAG@example.net"
    assert hide_tokens("user+detail@example.net") == "user+detail@example.net"


def test_a_run_that_is_too_long_is_no_token():
    assert find_tokens(sign().token + "a") == ()


def test_finding_is_linear():
    started = time.process_time()
    find_tokens(b"spt1-" * 400_000)
    find_tokens((b"spt1-" + b"a" * 47) * 40_000)
    assert time.process_time() - started < 2


def test_a_short_key_is_refused_and_no_key_shows_itself():
    with pytest.raises(ValueError, match="at least 32"):
        TagKey(b"x" * 31)
    assert "nnnn" not in repr(NEW)
    assert sign().token not in repr(sign())


@pytest.mark.parametrize(("sequence", "sent_ms"), [(-1, 0), (2**32, 0), (0, -1), (0, 2**48)])
def test_numbers_that_do_not_fit_are_refused(sequence, sent_ms):
    with pytest.raises(ValueError, match="does not fit"):
        sign(sequence=sequence, sent_ms=sent_ms)


def test_signing_without_a_key_is_refused():
    with pytest.raises(ValueError, match="no key"):
        sign(keys=())

"""Our messages are recognised from whichever carrier survives, and no answer is taken for one."""

from __future__ import annotations

import base64
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.message import Draft, build_message
from smtp_probe.mail.recognition import (
    Candidate,
    find_candidates,
    find_digest,
    is_automatic_answer,
    is_own_by_content,
)
from smtp_probe.mail.tag import TagKey, make_tag

KEYS = [TagKey(b"k" * 32)]


def tag_of(sequence):
    return make_tag(KEYS, "lab", sequence, 1_795_000_000_000, "probe@example.net")


TAG = tag_of(1)
BUILT = build_message(
    Draft(
        tag=TAG,
        route="lab",
        sender="bounces@example.org",
        recipient="probe@example.net",
        created_ns=1_795_000_000 * 10**9,
        plus_address=True,
    )
)
HEADER, _, BODY = BUILT.message.partition(b"\r\n\r\n")
HEADER += b"\r\n"


def without(*names):
    """Our header as a gateway leaves it that drops these fields."""
    header = HEADER
    for name in names:
        header = re.sub(rb"(?im)^" + name.encode() + rb":.*\r\n(?:[ \t].*\r\n)*", b"", header)
    return header


def test_the_untouched_message_is_found_by_its_own_header():
    assert find_candidates(HEADER, BODY) == (Candidate(TAG.token, "header"),)
    assert find_digest(HEADER) == BUILT.body_digest
    assert not is_automatic_answer(b"Return-Path: <bounces@example.org>\r\n" + HEADER)


@pytest.mark.parametrize(
    ("dropped", "carrier"),
    [
        ((), "header"),
        (("X-SMTP-Probe",), "message-id"),
        (("X-SMTP-Probe", "Message-ID"), "subject"),
        (("X-SMTP-Probe", "Message-ID", "Subject"), "address"),
        (("X-SMTP-Probe", "Message-ID", "Subject", "To"), "body"),
    ],
)
def test_each_carrier_is_enough(dropped, carrier):
    assert find_candidates(without(*dropped), BODY) == (Candidate(TAG.token, carrier),)


@pytest.mark.parametrize("name", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_a_plus_address_is_found_where_servers_put_it(name):
    header = f"{name}: <{BUILT.recipient.upper()}>\r\n".encode()
    assert find_candidates(header) == (Candidate(TAG.token, "address"),)


def test_a_subject_in_encoded_words_is_found():
    words = base64.b64encode(f"[smtp-probe {TAG.token}] delivery".encode()).decode()
    header = f"Subject: [EXTERN] =?utf-8?B?{words[:48]}?=\r\n =?utf-8?B?{words[48:]}?= test\r\n".encode()
    assert find_candidates(header) == (Candidate(TAG.token, "subject"),)


def test_a_body_in_base64_or_in_a_multipart_is_found():
    bare = without("X-SMTP-Probe", "Message-ID", "Subject", "To", "Content-Transfer-Encoding")
    encoded = bare + b"Content-Transfer-Encoding: base64\r\n"
    assert find_candidates(encoded, base64.encodebytes(BODY)) == (Candidate(TAG.token, "body"),)
    wrapped = b"Content-Type: multipart/mixed; boundary=b\r\n"
    assert find_candidates(wrapped, b"--b\r\n\r\n" + BODY) == (Candidate(TAG.token, "body"),)


def test_a_quotation_or_an_attached_message_is_not_our_body():
    assert find_candidates(b"", BODY.replace(b"\r\n", b"\r\n> ")) == ()
    attached = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + BUILT.message + b"\r\n--b--\r\n"
    assert find_candidates(b"Content-Type: multipart/mixed; boundary=b\r\n", attached) == ()


@pytest.mark.parametrize("name", ["References", "In-Reply-To", "X-Other", "From", "Received"])
def test_other_headers_are_no_carriers(name):
    assert find_candidates(f"{name}: <{TAG.token}@example.org>\r\n".encode()) == ()


def test_a_replaced_message_id_does_not_hide_our_header():
    header = without("Message-ID") + b"Message-ID: <0102018c1f2e3d4c-x-000000@gateway.example.com>\r\n"
    assert not is_automatic_answer(header)
    assert find_candidates(header)[0] == Candidate(TAG.token, "header")


def test_several_tokens_come_in_the_order_of_their_carriers_and_bounded():
    tokens = [tag_of(n).token for n in range(40)]
    header = f"Subject: {tokens[0]}\r\nX-SMTP-Probe: t={tokens[1]}\r\n".encode()
    assert [c.token for c in find_candidates(header)] == [tokens[1], tokens[0]]
    crowd = "".join(f"X-SMTP-Probe: t={token}\r\n" for token in tokens).encode()
    assert len(find_candidates(crowd)) == 32


@pytest.mark.parametrize(
    "value", ["v=1; t=x", "d=sha256:0123", "xd=sha256:0123456789abcdef", "d=md5:0123456789abcdef"]
)
def test_a_digest_of_another_form_is_none(value):
    assert find_digest(f"X-SMTP-Probe: {value}\r\n".encode()) is None


@pytest.mark.parametrize(
    "sign",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: (generated) Auto-Notified; owner-email=x",
        "Auto-Submitted: something-new",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=x",
        "Content-Type: multipart/mixed; report-type=disposition-notification",
        "Content-Type: message/delivery-status",
        "Return-Path: <>",
        "Return-Path: < >",
        "X-Autoreply: yes",
        "X-Autorespond: vacation",
        "X-Failed-Recipients: probe@example.net",
        "Precedence: auto_reply",
        "X-MS-Exchange-Message-Is-Ndr:",
        "X-List-Administrivia: yes",
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        "From: MAILER-DAEMON (Mail Delivery System)",
        "Subject: Re: [smtp-probe x] delivery test",
        "Subject: RE[2]: [smtp-probe x] delivery test",
        "Subject: =?utf-8?Q?R=C3=A9ponse_automatique?= : x",
        "Subject: Automatic reply: [smtp-probe x] delivery test",
        "Subject: Undeliverable: [smtp-probe x] delivery test",
        "Subject: Fwd: [smtp-probe x] delivery test",
        "Subject: 回复\uff1a[smtp-probe x]",
        "Subject: AW: [smtp-probe x]",
    ],
)
def test_an_answer_is_an_answer_even_with_our_header_in_it(sign):
    name = sign.partition(":")[0]
    assert is_automatic_answer(sign.encode() + b"\r\n" + without(name))
    assert is_automatic_answer(sign.encode() + b"\r\nTo: somebody@example.org\r\n")


@pytest.mark.parametrize("name", ["References", "In-Reply-To"])
def test_a_message_that_refers_to_ours_is_an_answer(name):
    reference = f"{name}: <other@x>\r\n <{TAG.token}@example.org>\r\n".encode()
    assert is_automatic_answer(reference + b"Message-ID: <reply@example.net>\r\n" + b"Subject: hello\r\n")
    assert is_automatic_answer(reference + b"Subject: hello\r\n")


@pytest.mark.parametrize(
    "extra",
    [
        "Auto-Submitted: no",
        "Precedence: list",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: All",
        "List-Id: <list.example.org>",
        "X-Autoreply: no",
        "References: <somebody@else.example>",
        "Sender: list-bounces@example.org",
        "From: Mailer-Daemonia <probe@example.org>",
        "Return-Path: <bounces@example.org>",
        "Subject: [EXTERNAL] [smtp-probe x] delivery test",
        "Subject: ***SPAM*** [smtp-probe x] delivery test",
        "Subject: SPAM: [smtp-probe x] delivery test",
    ],
)
def test_what_lists_and_gateways_add_makes_no_answer(extra):
    header = extra.encode() + b"\r\n" + without(extra.partition(":")[0])
    assert not is_automatic_answer(header)
    assert find_candidates(header)[0] == Candidate(TAG.token, "header")


def test_our_message_that_names_itself_is_no_answer():
    assert not is_automatic_answer(f"References: <{TAG.token}@example.org>\r\n".encode() + HEADER)


def test_only_the_topmost_return_path_counts():
    assert not is_automatic_answer(b"Return-Path: <a@b>\r\nReturn-Path: <>\r\n" + HEADER)


@given(st.binary(), st.binary())
def test_nothing_raises(header, text):
    find_candidates(header, text)
    find_candidates(b"Subject: " + header, None)
    is_automatic_answer(header)
    for name in (b"Subject", b"From", b"Content-Type", b"Auto-Submitted", b"Return-Path", b"References"):
        is_automatic_answer(name + b": " + header)
    find_digest(b"X-SMTP-Probe: " + header)


@pytest.mark.parametrize(
    "piece", [b" ", b"(", b"re:", b"mailer-daemon ", b"auto ", b"=?utf-8?Q?a?= ", b"spt1-", b"d="]
)
def test_hostile_headers_are_linear(piece):
    started = time.process_time()
    for name in (
        b"Subject",
        b"From",
        b"Auto-Submitted",
        b"Content-Type",
        b"To",
        b"X-SMTP-Probe",
        b"References",
    ):
        header = (name + b": " + piece * (2000 // len(piece)) + b"\r\n") * 100
        is_automatic_answer(header)
        find_candidates(header, (b"Token: " + piece) * 20_000)
        find_digest(header)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("subject", "text", "is_own"),
    [
        ("[smtp-probe x] delivery test", "Token: " + TAG.token, True),
        ("[EXT] [smtp-probe x] delivery test", "Token: " + TAG.token, True),
        ("SPAM: [smtp-probe x] delivery test", "Token: " + TAG.token, True),
        ("something else", "Token: " + TAG.token, True),
        ("Autosvar: [smtp-probe x] delivery test", "Token: " + TAG.token, False),
        ("Réponse : [smtp-probe x] delivery test", "Token: " + TAG.token, False),
        ("[smtp-probe x] delivery test", "> Token: " + TAG.token, False),
        ("[smtp-probe x] delivery test", "I am away", False),
    ],
)
def test_a_message_without_our_marks_is_known_by_its_text(subject, text, is_own):
    assert is_own_by_content(f"Subject: {subject}\r\n\r\n".encode(), f"{text}\r\n".encode()) is is_own


CREATED_NS = 1_795_000_000 * 10**9
DATE = "Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"


@pytest.mark.parametrize(
    ("head", "is_own"),
    [
        (DATE, True),
        ("Date: Wed, 18 Nov 2026 13:06:40 +0200 (CEST)\r\n", True),
        ("Date: Wed, 18 Nov 2026 11:06:41 +0000\r\n", False),
        ("", False),
        (DATE + DATE, False),
        ("Date: yesterday\r\n", False),
        (DATE + "In-Reply-To: <1@gateway.example.com>\r\n", False),
        (DATE + "References: <1@gateway.example.com>\r\n", False),
    ],
)
@pytest.mark.parametrize(("subject", "is_ours"), [("", True), ("[EXT] ", True), ("Autosvar: ", False)])
def test_one_whose_text_was_replaced_is_known_by_its_date(head, is_own, subject, is_ours):
    header = f"{head}Subject: {subject}[smtp-probe x] delivery test\r\n\r\n".encode()
    text = b"The content of this message was removed.\r\n"

    assert is_own_by_content(header, text, CREATED_NS) is (is_own and is_ours)
    assert not is_own_by_content(header, text)

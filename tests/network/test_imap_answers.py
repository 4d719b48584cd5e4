"""IMAP answers to values: what servers write, what hostile ones write, and that nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.placement import FolderEntry
from smtp_probe.network.imap_answers import (
    Status,
    expand_uids,
    parse_announced_number,
    parse_fetches,
    parse_folders,
    parse_internaldate,
    parse_search,
    parse_status,
    parse_values,
)
from smtp_probe.network.imap_wire import Answer


def fetched(*answers):
    """The messages, where the answers can be read."""
    messages = parse_fetches(answers)
    assert messages is not None
    return messages


def lines(*texts):
    return [Answer((text,)) for text in texts]


def test_a_fetch_answer_is_read():
    [message] = fetched(
        Answer(
            (
                b'* 12 FETCH (UID 107 INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 4286 BODY[HEADER]<0> ',
                b"Subject: (a) {3}\r\n\r\n",
                b' X-GUID "1f0e" X-GM-MSGID 1278455344230334865 FLAGS (\\Seen $x "y"))',
            ),
            42,
        )
    ).values()

    assert message.uid == 107
    assert message.arrived_ns == 42
    assert message.content("HEADER") == b"Subject: (a) {3}\r\n\r\n"
    assert message.number("RFC822.SIZE") == 4286
    assert message.number("X-GM-MSGID") == 1278455344230334865
    assert message.atom("X-GUID") == "1f0e"
    assert message.internaldate_ns == 837596665 * 10**9


def test_flags_before_and_after_are_merged_and_never_overwrite():
    answers = [
        Answer((b"* 7 FETCH (FLAGS () UID 107)",)),
        Answer((b"* 7 FETCH (UID 107 BODY[HEADER]<0> ", b"X: y\r\n\r\n", b")")),
        Answer((b"* 7 FETCH (UID 107 FLAGS (\\Recent))",)),
    ]

    assert fetched(*answers)[107].content("HEADER") == b"X: y\r\n\r\n"


def test_flags_alone_are_no_message():
    assert fetched(*lines(b"* 7 FETCH (FLAGS () UID 107)"))[107].content("HEADER") is None


def test_flags_without_a_uid_belong_to_nobody():
    assert parse_fetches(lines(b"* 7 FETCH (FLAGS (\\Seen))", b"* 8 EXISTS")) == {}


def test_an_empty_header_is_a_header():
    assert fetched(*lines(b'* 7 FETCH (UID 1 BODY[HEADER]<0> "")'))[1].content("HEADER") == b""
    assert fetched(*lines(b"* 7 FETCH (UID 1 BODY[HEADER]<0> NIL)"))[1].content("HEADER") == b""


def test_a_section_with_blanks_and_brackets_is_one_name():
    messages = fetched(*lines(b'* 7 FETCH (UID 1 BODY[HEADER.FIELDS (To "X Y")]<0> "a")'))

    assert messages[1].content('HEADER.FIELDS (To "X Y")'.upper()) == b"a"


@pytest.mark.parametrize(
    "text",
    [
        b"* 1 FETCH (UID 5",
        b"* 1 FETCH UID 5)",
        b"* 1 FETCH (UID 5))",
        b"* 1 FETCH (UID)",
        b"* 1 FETCH (UID 0)",
        b"* 1 FETCH (UID 4294967296)",
        b"* 1 FETCH (UID -5)",
        b"* 1 FETCH (UID (5))",
        b"* 1 FETCH ((a) 5)",
        b'* 1 FETCH (UID "5',
        b"* 1 FETCH (BODY[ 5)",
        b"* 1 FETCH " + b"(" * 100_000,
        b"* 1 FETCH " + b"(" * 40 + b")" * 40,
        b"* 1 FETCH " + b"[" * 100_000,
        b"* 1 FETCH (UID 5 FLAGS (" + b"x " * 20_000 + b"))",
    ],
)
def test_a_broken_fetch_is_unreadable_and_not_half_read(text):
    assert parse_fetches(lines(text)) is None


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_no_bytes_make_a_parser_raise(parts):
    for start in (b"* 1 FETCH ", b"* LIST ", b"* SEARCH ", b"* ESEARCH ", b"* OK [", b""):
        answers = [Answer((start + parts[0], *parts[1:]))]
        parse_fetches(answers)
        parse_folders(answers)
        parse_search(answers)
        parse_announced_number(answers, "UIDNEXT")
    parse_status(parts[0])
    parse_internaldate(parts[0])
    parse_values(parts)
    expand_uids(parts[0])


FETCH_PIECES = st.sampled_from(
    [b"(", b")", b"[", b"]", b'"', b"\\", b" ", b"UID", b"5", b"NIL", b"BODY[", b"<0>"]
)


@given(st.lists(FETCH_PIECES, max_size=40))
def test_no_order_of_imap_pieces_makes_fetch_raise(pieces):
    messages = parse_fetches(lines(b"* 1 FETCH (" + b"".join(pieces) + b")"))

    assert messages is None or all(0 < uid < 2**32 for uid in messages)


def test_an_answer_of_many_literals_is_unreadable():
    assert parse_fetches([Answer((b"* 1 FETCH (UID 5 X (", *([b"a", b" "] * 60), b"))"))]) is None


def test_folders_in_all_spellings():
    answers = [
        Answer((b'* LIST (\\HasNoChildren \\Junk) "/" "Junk E-mail"',)),
        Answer((b"* LIST () NIL INBOX",)),
        Answer((b'* LIST (\\Noselect) "." ', b'odd "name"', b"")),
        Answer((b'* LIST () "/" "back\\\\slash \\"q\\""',)),
        Answer((b'* LIST () "/" "5* hotel * x" ("CHILDINFO" ("SUBSCRIBED"))',)),
        Answer((b'* LIST () "/" a]b',)),
        Answer((b'* LIST () "/" [x',)),
        Answer((b"* STATUS x (MESSAGES 1)",)),
    ]

    assert parse_folders(answers) == [
        FolderEntry("Junk E-mail", ("\\HasNoChildren", "\\Junk")),
        FolderEntry("INBOX"),
        FolderEntry('odd "name"', ("\\Noselect",)),
        FolderEntry('back\\slash "q"'),
        FolderEntry("5* hotel * x"),
        FolderEntry("a]b"),
        FolderEntry("[x"),
    ]


@pytest.mark.parametrize(
    "text", [b"* LIST ", b"* LIST () x", b'* LIST x "/" y', b'* LIST () "/" (y)', b"* LIST (("]
)
def test_a_broken_list_is_unreadable(text):
    assert parse_folders(lines(text)) is None


@pytest.mark.parametrize(
    ("texts", "uids"),
    [
        ([], []),
        ([b"* SEARCH"], []),
        ([b"* SEARCH "], []),
        ([b"* SEARCH 9 2 5"], [2, 5, 9]),
        ([b"* search 2", b"* SEARCH 3 2", b"* 4 EXISTS"], [2, 3]),
        ([b"* SEARCH 2 (MODSEQ 917162500)"], [2]),
        ([b'* ESEARCH (TAG "A1") UID ALL 4:6,9'], [4, 5, 6, 9]),
        ([b'* ESEARCH (TAG "A1") UID'], []),
        ([b'* ESEARCH (TAG "A1") UID COUNT 2 ALL 9:8'], [8, 9]),
        ([b"* ESEARCH UID ALL"], None),
        ([b"* ESEARCH UID ALL 1:4294967295"], None),
        ([b"* ESEARCH UID ALL 1:2:3"], None),
        ([b"* ESEARCH UID ALL 1,*"], None),
        ([b"* SEARCH" + b" 1" * 300_001], None),
        ([b"* SEARCH x"], None),
        ([b"* SEARCH 0"], None),
        ([b"* SEARCH 5000000000"], None),
    ],
)
def test_search_results(texts, uids):
    assert parse_search(lines(*texts)) == uids


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"17-Jul-1996 02:44:25 -0700", 837596665),
        (b" 1-Jan-1970 00:00:00 +0000", 0),
        (b"01-JAN-1970 05:30:07 +0530", 7),
        (b"31-Dec-2016 23:59:60 +0000", 1483228799),
        (b"17-Jul-1996 02:44:25", None),
        (b"32-Jul-1996 02:44:25 +0000", None),
        (b"30-Feb-2026 02:44:25 +0000", None),
        (b"17-Xyz-1996 02:44:25 +0000", None),
        (b"17-Jul-1996 25:44:25 +0000", None),
        (b"17-Jul-1996 02:44:25 +9900", None),
        (b"01-Jan-0001 00:00:00 +2300", -62135679600),
        (None, None),
        ([], None),
    ],
)
def test_internaldate(text, seconds):
    assert parse_internaldate(text) == (None if seconds is None else seconds * 10**9)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"[UIDNEXT 5] next", Status("UIDNEXT", b"5", b"next")),
        (b"[alert] hello", Status("ALERT", b"", b"hello")),
        (b"[broken", Status(text=b"[broken")),
        (b"plain", Status(text=b"plain")),
        (b"", Status()),
    ],
)
def test_response_codes(text, status):
    assert parse_status(text) == status


def test_announced_numbers_are_taken_from_ok_only_and_the_last_one_counts():
    answers = lines(b"* OK [UIDNEXT 5] a", b"* NO [UIDNEXT 9] b", b"* OK [UIDNEXT 6] c", b"* OK [X 7] d")

    assert parse_announced_number(answers, "UIDNEXT") == 6
    assert parse_announced_number(answers, "UIDVALIDITY") is None


def test_a_stamp_that_is_no_short_word_is_none():
    long = b"* 1 FETCH (UID 1 X-GUID " + b"a" * 500 + b" X-B (a) X-C \xff X-D \x01)"
    message = fetched(*lines(long))[1]

    assert [message.atom(name) for name in ("X-GUID", "X-B", "X-C", "X-D", "X-E")] == [None] * 5

"""Bounces in the forms of some eighty mail systems, and ordinary mail that looks like them.

Each file of tests/data/bounce_corpus was written by hand after the form of one system; expected.tsv says what
`explain --json` has to tell of it: `-` for what is no bounce, `.` for null, and for a reason that is of no importance.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from smtp_probe.cli.explanation_json import explanation_to_json
from smtp_probe.mail.bounce.event import is_event
from smtp_probe.mail.bounce.prose import may_be_bounce, read_words
from smtp_probe.mail.bounce.report import read_bounce
from smtp_probe.mail.explanation.explain import explain_message
from smtp_probe.mail.explanation.mailbox_file import split_messages
from smtp_probe.mail.recognition import is_automatic_answer
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import split_parts

CORPUS = Path(__file__).parents[2] / "data" / "bounce_corpus"
COLUMNS = ("kind", "action", "status", "recipient", "reason", "temporary")
ROWS = [line.split("\t") for line in (CORPUS / "expected.tsv").read_text("utf-8").splitlines()[1:]]
BOUNCES = [(name, row) for name, *row in ROWS if row != ["-"]]
OTHERS = [name for name, *row in ROWS if row == ["-"]]
SPELLED = {None: ".", True: "yes", False: "no"}


def saved(name, line_end=b"\n"):
    raw = (CORPUS / f"{name}.eml").read_bytes()
    (message,) = split_messages([raw.replace(b"\n", line_end)])
    return message


@cache
def read(name, line_end=b"\n"):
    return json.loads(explanation_to_json("-", 1, explain_message(saved(name, line_end))))["bounce"]


def test_every_file_has_its_row_and_every_row_its_file():
    assert sorted(name for name, *_ in ROWS) == sorted(path.stem for path in CORPUS.glob("*.eml"))
    assert len(BOUNCES) > 120
    assert len(OTHERS) > 30


@pytest.mark.parametrize(("name", "row"), BOUNCES, ids=[name for name, _ in BOUNCES])
def test_a_bounce_says_what_it_says(name, row):
    bounce = read(name)
    told = {column: SPELLED.get(bounce[column], bounce[column]) for column in COLUMNS}
    expected = dict(zip(COLUMNS, row, strict=True))
    if expected["reason"] == ".":
        del expected["reason"], told["reason"]

    assert told == expected


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["crlf", "cr"])
@pytest.mark.parametrize("name", [name for name, _ in BOUNCES[::9]])
def test_the_line_ends_of_the_file_do_not_matter(name, line_end):
    assert read(name, line_end) == read(name)


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_a_bounce_is_none(name):
    assert read(name) is None


def test_the_header_of_each_bounce_tells_the_watcher_to_read_its_text():
    headers = {name: saved(name).header for name, _ in BOUNCES}
    fields = {name: split_fields(header) for name, header in headers.items()}
    passed_over = [
        name
        for name, header in headers.items()
        if not (is_automatic_answer(header) or may_be_bounce(fields[name]) or is_event(fields[name]))
    ]

    assert passed_over == []


PEOPLE = (
    b"From: Ann Client <ann@client.example>\n",
    b"Return-Path: <ann@client.example>\nFrom: Ann Client <ann@client.example>\n",
    b"Return-Path: <SRS0=x=y=client.example=ann@relay.example>\nFrom: ann@client.example\nUser-Agent: Mutt\n",
    b"Return-Path: <postmaster@client.example>\nFrom: Postmaster <postmaster@client.example>\nUser-Agent: Thunderbird\n",
    b"From: Postmaster <postmaster@client.example>\nX-Mailer: Apple Mail (2.3774)\n",
)
"""Each writes with the subject and the words of a bounce, by hand: nothing of its structure is left."""


RETOLD = [("", name) for name, _ in BOUNCES] + [
    (before, name) for before in ("Re: ", "Fwd: ") for name, _ in BOUNCES[::9]
]


@pytest.mark.parametrize(("before", "name"), RETOLD, ids=[f"{before}{name}" for before, name in RETOLD])
def test_whoever_retells_a_bounce_sends_none(before, name):
    message = saved(name)
    subject = dict(reversed(split_fields(message.header))).get("subject", b"")
    words = read_words(split_parts(message.header, message.text)).encode()
    believed = [
        who
        for who in PEOPLE
        for text in (words, b"I got this error:\n\n" + words)
        if read_bounce(
            who + b"To: postmaster@sender.example\nSubject: " + before.encode() + subject + b"\n\n", text
        )
    ]

    assert believed == []

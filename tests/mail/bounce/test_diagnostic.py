# ruff: noqa: RUF001 - mail software speaks Russian, too
"""The server's reason in what a bounce says to people."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.diagnostic import find_diagnostic, find_first_line
from tests.mail.bounce.test_corpus import BOUNCES, read

GONE = "gone@there.example"
SAID = {
    "mimecast": (
        ("This is a delivery failure notification message indicating that\nan email you addressed to email address :\n"
        f"-- {GONE}\nWith subject Weekly figures\ncould not be delivered. The problem appears to be :\n-- Recipient server"
        " unavailable or busy\n\nAdditional information follows :\n-- 4.4.4 Temporary server error\n\nThis condition occurred"),
        "4.4.4 Temporary server error",
    ),
    "mimecast-without-a-code": (
        (f"an email you addressed to email address :\n-- {GONE}\n\ncould not be delivered. The problem appears to be :\n"
        "-- Recipient email address is possibly incorrect\n"),
        "Recipient email address is possibly incorrect",
    ),
    "kerio": (
        f"Your message could not be delivered to the following recipients:\n\n<{GONE}>: Unknown user\n",
        "Unknown user",
    ),
    "kerio-below": (
        f"The following recipient(s) could not be reached:\n\n<{GONE}>\n    Remote server said: 550 no mailbox\n",
        "Remote server said: 550 no mailbox",
    ),
    "domino": (
        f"Your message\n\n  Subject: hello\n\nwas not delivered to:\n\n  {GONE}\n\nbecause:\n\n  User gone ({GONE}) not listed\n",
        f"User gone ({GONE}) not listed",
    ),
    "exchange-2003": (
        ("Your message did not reach some or all of the intended recipients.\n\n      Subject:\thello\n      Sent:\t14.05.2024 11:12\n"
        f"\nThe following recipient(s) could not be reached:\n\n      {GONE} on 14.05.2024 11:12\n"
        "            The e-mail account does not exist at the organization.\n            <exch.there.example #5.1.1>\n"),
        "The e-mail account does not exist at the organization. <exch.there.example #5.1.1>",
    ),
    "exchange-5.5": (
        (f"did not reach the following recipient(s):\n\nc=US;a= ;p=X;dda:SMTP={GONE}; on Fri, 4 Oct 2002\n17:12:28 -0400\n"
        "    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a=\n"),
        "The recipient name is not recognized",
    ),
    "mail.ru": (
        ("К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям.\n\n"
        f"{GONE}\n\nПричина:\nПользователь не найден: такого ящика нет\n"),
        "Пользователь не найден: такого ящика нет",
    ),
    "mail.ru-on-the-line": (
        "Ваше письмо не может быть доставлено.\nПричина: почтовый ящик переполнен\n",
        "почтовый ящик переполнен",
    ),
    "exim": (
        (f"The following address failed:\n\n  {GONE}\n    SMTP error from remote mail server after RCPT TO:<{GONE}>:\n"
        "    host mx.there.example [192.0.2.1]: 550 5.1.1 unknown:\n    retry timeout exceeded\n\n  other@there.example\n    550 other\n"),
        (f"SMTP error from remote mail server after RCPT TO:<{GONE}>: host mx.there.example [192.0.2.1]: 550 5.1.1 unknown:"
        " retry timeout exceeded"),
    ),
    "another-recipient's-reply-is-not-ours": (
        f"<first@there.example>: 452 4.2.2 full\n\n<{GONE}>: no such user\n",
        "no such user",
    ),
    "a transcript": (
        f"----- Transcript of session follows -----\n<<< 550 <{GONE}>... User unknown\n",
        f"550 <{GONE}>... User unknown",
    ),
    "sendmail": (
        (f"   ----- The following addresses had permanent fatal errors -----\n<{GONE}>\n\n   ----- Transcript of session follows"
        f" -----\n<{GONE}>... Deferred: Connection refused by mx.there.example.\n"),
        "Deferred: Connection refused by mx.there.example.",
    ),
    "exchange-2007": (
        f"{GONE}\n#< #5.1.1 smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found> #SMTP#\n",
        "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
    ),
    "dovecot": (f"Your message to <{GONE}> was automatically rejected:\nQuota exceeded\n", "Quota exceeded"),
    "only a sentence": (
        "This is an automatically generated message.\n\nYour message was not delivered. Write to postmaster@there.example.\n",
        "Your message was not delivered.",
    ),
    "nothing of the kind": ("This is a report.\n", None),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_servers_reason_is_given(name):
    words, expected = SAID[name]
    assert find_diagnostic(words, GONE) == expected


def test_without_a_recipient_the_reply_speaks():
    assert (
        find_diagnostic("Sorry.\nhost mx said: 550 5.1.1 gone\n    for good\n")
        == "host mx said: 550 5.1.1 gone for good"
    )


def test_the_first_line_that_says_anything_is_what_is_left():
    assert find_first_line("\n*****\nSubject: hello\n-----\nletero ne venis\n") == "letero ne venis"
    assert find_first_line("---\n\n") is None


@pytest.mark.parametrize("name", [name for name, _ in BOUNCES])
def test_no_field_of_the_message_and_no_heading_is_a_reason(name):
    said = read(name)["diagnostic"] or ""
    fields = ("return-path:", "received: from", "message-id:", "subject:", "the following recipients")

    assert not [each for each in fields if each in said.lower() and name not in ONLY_A_HEADING]
    assert not said.startswith(("---", "***"))


ONLY_A_HEADING = ("exchange2000_utf7", "exchange2003_delay", "nested_report_by_gateway")
"""These name nothing but the recipients: the status code in their machine-readable part is all that they say."""


@given(st.text(max_size=3000), st.text(max_size=40))
def test_whatever_comes_nothing_is_raised_and_all_is_bounded(words, recipient):
    assert len(find_diagnostic(words, recipient) or "") <= 300


@pytest.mark.parametrize(
    "piece",
    ["a@b.c: ", "reason ", "-- ", "(expanded from ", "not delivered to:\n", " 5.1.1", "550 ", "1.1.1 1:1 "],
)
def test_hostile_words_are_linear(piece):
    started = time.process_time()
    find_diagnostic(piece * (60_000 // len(piece)), "a@b.c")
    find_diagnostic("\n".join([piece * (900 // len(piece))] * 120), "a@b.c")
    assert time.process_time() - started < 2

# ruff: noqa: RUF001 - mail software speaks Russian, too
"""Bounces in prose of many programs, and ordinary mail that speaks of bounces."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.bounce.prose import may_be_bounce, read_prose, read_words
from smtp_probe.mail.bounce.report import read_bounce
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.mail.syntax.mime_parts import split_parts


def letter(author, subject, text, *more, path="<>"):
    head = [
        f"Return-Path: {path}",
        f"From: {author}",
        f"Subject: {subject}",
        "To: probe@sender.example",
        *more,
    ]
    return "\n".join(head).encode() + b"\n\n", text.encode()


def read(header, text):
    return read_prose(split_fields(header), split_parts(header, text))


QUOTED = "Received: from a.example by b.example; 1 Jan\nMessage-ID: <1@a.example>\nSubject: ours\n\nbody\n"
BOUNCES = {
    "amavis": (
        letter('"Content-filter at mx.example" <postmaster@mx.example>', "VIRUS (Eicar-Test-Signature) in mail FROM you",
               "VIRUS ALERT\n\nOur content checker found\n    virus: Eicar-Test-Signature\n\nin email presumably from you"
               " <probe@sender.example>\nto the following recipient:\n-> gone@there.example\n\nDelivery of the email was stopped!\n"),
        ("failed", None, "gone@there.example"),
    ),
    "imail": (
        letter("Postmaster <postmaster@imail.example>", "Undeliverable Mail",
               "User mailbox exceeds allowed size: gone@there.example\n\nOriginal message follows.\n\nReceived: from x\n"),
        ("failed", None, "gone@there.example"),
    ),
    "mdaemon": (
        letter("MDaemon@mail.example", "Permanent Delivery Failure",
               "The attached message had PERMANENT fatal delivery errors!\n\nYOUR MESSAGE WAS NOT DELIVERED!\n\n"
               "The following addresses did NOT receive a copy of your message:\n\n> gone@there.example\n\n"
               "--- Session Transcript ---\n 550 5.1.1 no such user\n"),
        ("failed", "5.1.1", "gone@there.example"),
    ),
    "domino": (
        letter("Postmaster@domino.example", "DELIVERY FAILURE: User gone (gone@there.example) not listed in Domino Directory",
               "Your message\n\n  Subject: hello\n\nwas not delivered to:\n\n  gone@there.example\n\nbecause:\n\n"
               "  User gone (gone@there.example) not listed in Domino Directory\n", path="<probe@sender.example>"),
        ("failed", None, "gone@there.example"),
    ),
    "exchange-5.5": (
        letter("System Administrator <postmaster@exchange.example>", "Undeliverable: hello",
               "Your message\n\n  To:      somebody\n  Subject: hello\n\ndid not reach the following recipient(s):\n\n"
               "gone@there.example on Fri, 20 Jul 2001 11:08:59 -0700\n    The recipient name is not recognized\n"),
        ("failed", None, "gone@there.example"),
    ),
    "hmailserver": (
        letter("mailer-daemon@hmail.example", "Message undeliverable: hello",
               "Your message did not reach some or all of the intended recipients.\n\nThe following recipient(s) could not be "
               "reached:\n\ngone@there.example\n   Error Type: SMTP\n   Remote server (192.0.2.1) issued an error.\n"
               "   hMailServer sent: RCPT TO:<gone@there.example>\n   Remote server replied: 550 5.1.1 User unknown\n"),
        ("failed", "5.1.1", "gone@there.example"),
    ),
    "mailenable": (
        letter('"Delivery Subsystem" <POSTMASTER@enable.example>', "Message Delivery Failure",
               "MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:"
               "\n\n  Recipient: [SMTP:gone@there.example]\n  Reason: The message could not be delivered because the domain name"
               " (there.example) does not appear to be registered.\n"),
        ("failed", None, "gone@there.example"),
    ),
    "yahoo": (
        letter("MAILER-DAEMON@yahoo.example", "Failure Notice",
               "Sorry, we were unable to deliver your message to the following address.\n\n<gone@there.example>:\n"
               "550: 5.2.1 <gone@there.example>: this account is disabled\n\n--- Below this line is a copy of the message.\n"
               "\nFrom: other@else.example\n"),
        ("failed", "5.2.1", "gone@there.example"),
    ),
    "gmail-delay": (
        letter("Mail Delivery Subsystem <mailer-daemon@gmail.example>", "Delivery Status Notification (Delay)",
               "This is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nDelivery to "
               "the following recipient has been delayed:\n\n     slow@there.example\n\nMessage will be retried for 2 more day(s)\n"),
        ("delayed", None, "slow@there.example"),
    ),
    "exim-warning": (
        letter("Mail Delivery System <Mailer-Daemon@exim.example>", "Warning: message 1tFabc-0001 delayed 24 hours",
               "A message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours "
               "on the queue on exim.example.\n\nThe address to which the message has not yet been delivered is:\n\n"
               "  slow@there.example\n\nDelivery attempts will continue for some time.\n"),
        ("delayed", None, "slow@there.example"),
    ),
    "german": (
        letter("Mail Delivery System <mailer-daemon@kunde.example>", "Unzustellbar: hallo",
               "Ihre Nachricht konnte nicht zugestellt werden.\n\nEmpfänger: weg@dort.example\n550 5.1.1 Unbekannter Benutzer\n",
               "Content-Type: text/plain; charset=utf-8"),
        ("failed", "5.1.1", "weg@dort.example"),
    ),
    "french": (
        letter("postmaster@fr.example", "Non remis : bonjour",
               "Votre message n'a pas pu être remis à :\n\n  parti@la.example\n", "Content-Type: text/plain; charset=utf-8"),
        ("failed", None, "parti@la.example"),
    ),
    "japanese": (
        (
            b"From: Mail System <MAILER-DAEMON@jp.example>\nSubject: =?UTF-8?B?" + base64.b64encode("配信エラー".encode())
            + b"?=\nContent-Type: text/plain; charset=iso-2022-jp\n\n",
            "以下のアドレスに配信できませんでした。\n<gone@there.example>\n".encode("iso-2022-jp"),
        ),
        ("failed", None, "gone@there.example"),
    ),
    "russian": (
        (
            b"From: MAILER-DAEMON@ru.example\nSubject: failure notice\nContent-Type: text/plain; charset=koi8-r\n\n",
            "К сожалению, сообщение не может быть доставлено:\n<gone@there.example>:\n550 user not found\n".encode("koi8-r"),
        ),
        ("failed", None, "gone@there.example"),
    ),
    "html-only": (
        letter("Mail Administrator <postmaster@html.example>", "Mail System Error - Returned Mail",
               "<html><style>p {}</style><body><p>This Message was undeliverable due to the following reason:</p>"
               "<p>550 5.1.1 unknown<br>&lt;gone@there.example&gt;</p></body></html>", "Content-Type: text/html; charset=us-ascii"),
        ("failed", "5.1.1", "gone@there.example"),
    ),
    "antivirus-gateway": (
        letter("imss@gateway.example", "Mail could not be delivered",
               "****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT TO:<gone@there.example>\n"
               "Received >>> 550 5.1.1 unknown user.\n\nUnable to deliver message to <gone@there.example>.\n",
               path="<probe@sender.example>"),
        ("failed", "5.1.1", "gone@there.example"),
    ),
}  # fmt: skip

ORDINARY = {
    "the recipient is away, and quotes": letter(
        "Jane <gone@there.example>", "Away",
        "I am travelling: mail to gone@there.example could not be delivered to my phone: 550 5.1.1.\n\n" + QUOTED,
    ),
    "a challenge that quotes": letter(
        "gone@there.example", "Please confirm your message",
        "Your message to gone@there.example could not be delivered yet: it waits for your word.\n\n" + QUOTED,
    ),
    "a ticket that quotes": letter(
        "desk@there.example", "[#12] We have your request",
        "Mail that could not be delivered to gone@there.example is dealt with by our team.\n\n" + QUOTED,
    ),
    "a ticket known by its field": letter(
        "desk@there.example", "We have your request",
        "If it could not be delivered to gone@there.example, 550 5.1.1, we tell you.", "X-OTRS-Loop: desk",
    ),
    "answer": letter("Ann <ann@people.example>", "Re: Undelivered Mail Returned to Sender",
                     "Look what I got:\n> <gone@there.example>: 550 5.1.1 User unknown\nWhat now?\n", path="<ann@people.example>"),
    "forward": letter("Ann <ann@people.example>", "Fwd: failure notice",
                      "This could not be delivered to gone@there.example, can you look?\n", path="<ann@people.example>"),
    "ticket": letter("Support <support@desk.example>", "[#4711] Undelivered mail to gone@there.example",
                     "We have received your request: my mail was not delivered.\n", path="<support@desk.example>"),
    "parcel": letter("Parcels <info@parcels.example>", "Delivery failure: your parcel could not be delivered",
                     "Dear customer, your parcel could not be delivered today. Choose another day.\n", path="<b@parcels.example>"),
    "newsletter": letter("Deliverability Weekly <news@weekly.example>", "Why mail is returned to sender",
                         "When a message was rejected, user unknown is the usual reason. Write to editor@weekly.example\n",
                         path="<bounce-77@weekly.example>"),
    "quota-warning": letter("System Administrator <postmaster@sender.example>", "Your mailbox is almost full",
                            "You have used 95 % of your storage. Delete what you do not need.\n"),
    "vacation": letter("Ann <ann@people.example>", "Out of office: hello", "I am away and cannot be reached until Monday.\n"),
    "vacation-plain": letter("Ann <ann@people.example>", "Automatic reply: hello",
                             "I no longer work here; mail to this address does not exist for long. Write to bob@people.example.\n"),
    "dmarc-report": letter("postmaster@big.example", "Report domain: sender.example Submitter: big.example",
                           "This is a DMARC aggregate report.\n", path="<postmaster@big.example>"),
    "moderation": letter("list-bounces@lists.example", "Your message to Talk awaits moderator approval",
                         "Is being held until the list moderator can review it for approval.\n", path="<list-bounces@lists.example>"),
    "list-mail": letter("Bob <bob@people.example>", "[mailop] Undeliverable mail to example.com",
                        "Does anybody else see 550 5.7.1 there? My users complain.\n", path="<mailop-bounces@list.example>"),
    "read-receipt": letter("Ann <ann@people.example>", "Read: hello", "Your message was read on Friday.\n",
                           'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"'),
    "complaint": letter("feedback@big.example", "complaint about message from 192.0.2.1", "This is an email abuse report.\n",
                        "Content-Type: multipart/report; report-type=feedback-report"),
    "invoice": letter("Billing <billing@shop.example>", "Invoice 4711", "Thank you.\n", path="<billing@shop.example>"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOUNCES)
def test_a_bounce_is_recognised_with_what_it_says(name):
    message, expected = BOUNCES[name]
    said = read(*message)

    assert said is not None
    assert (said.action, said.status, said.recipient) == expected


@pytest.mark.parametrize("name", BOUNCES)
def test_the_reader_of_all_forms_gives_the_same(name):
    message, expected = BOUNCES[name]
    report = read_bounce(*message)

    assert report is not None
    assert (report.action, report.status, report.recipient) == expected
    assert report.diagnostic


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_mail_is_no_bounce(name):
    assert read(*ORDINARY[name]) is None
    assert read_bounce(*ORDINARY[name]) is None


def test_the_header_alone_tells_what_is_worth_reading():
    assert all(may_be_bounce(split_fields(message[0])) for message, _ in BOUNCES.values())
    assert not may_be_bounce(split_fields(ORDINARY["invoice"][0]))
    assert not may_be_bounce(split_fields(ORDINARY["answer"][0]))


def test_the_returned_message_is_not_read():
    header, text = letter(
        "mailer-daemon@x.example",
        "failure notice",
        "<gone@there.example>:\nno\n--- Below this line is a copy of the message.\nto other@else.example\n",
    )

    assert "other@else.example" not in read_words(split_parts(header, text))


@given(st.binary(max_size=4096), st.binary(max_size=4096))
def test_whatever_comes_nothing_is_raised(header, text):
    read_prose(split_fields(header), split_parts(header, text))


@given(
    st.text(max_size=2000),
    st.sampled_from(["utf-8", "utf-7", "hex", "zlib", "rot13", "idna", "nonsense", "punycode", "undefined"]),
)
def test_no_character_set_is_fatal(text, name):
    header = f"From: mailer-daemon@x.example\nContent-Type: text/plain; charset={name}\n\n".encode()

    read_prose(split_fields(header), split_parts(header, text.encode("utf-8", "replace")))


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("451 provu denove", "delayed"),
        ("4.3.0 provu denove", "delayed"),
        ("550 neniu tie", "failed"),
        ("451 provu denove, poste 550 neniu", "failed"),
        ("4.4.7 tro longe", "failed"),  # the code of what was given up, though its class is that of a delay
        ("neniu tie", "failed"),
    ],
)
def test_in_words_that_nobody_knows_the_class_of_the_code_tells_a_delay(said, action):
    bounce = letter("MAILER-DAEMON@there.example", "Letero", f"<al@there.example>:\n  {said}\n")
    assert read(*bounce).action == action


@pytest.mark.parametrize(
    "said",
    [
        "<gone@there.example>: host mx.there.example[192.0.2.1] said: 550 5.1.1 User unknown",
        "<gone@there.example>: connect to mx.there.example[192.0.2.1]:25: Connection timed out",
        "... while talking to mx.there.example.:\n>>> RCPT To:<gone@there.example>\n<<< 550 5.1.1 User unknown",
    ],
)
def test_the_remote_server_is_the_one_that_was_talked_to_and_not_the_one_that_writes(said):
    told = read(
        *letter(
            "MAILER-DAEMON@relay.example", "Undelivered Mail Returned to Sender",
            f"This is the mail system at host relay.here.example.\n\nYour message could not be delivered.\n\n{said}\n",
        )
    )  # fmt: skip
    assert told is not None
    assert (told.reporting_mta, told.remote_mta) == ("relay.here.example", "mx.there.example")

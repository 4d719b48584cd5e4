"""Sends and reads mail in a lab as a user's programs would, with the standard library alone."""

import email
import email.policy
import imaplib
import itertools
import os
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from .errors import LabError
from .lab import MailLab

PROBER = "prober.example.test"
PAUSE_SECONDS = 0.05
_numbers = itertools.count(1)


def trust(lab: MailLab) -> ssl.SSLContext:
    """Return a TLS context that trusts the lab's authority, and no other.

    The certificate has the addresses too, so the servers' names need not be resolved.
    """
    return ssl.create_default_context(cafile=str(lab.ca_file))


def write(
    recipient: str, subject: str = "a mail of the lab", sender: str = "probe1@example.test"
) -> EmailMessage:
    """Write a mail with a Message-ID of its own."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail["Message-ID"] = f"<{os.getpid()}.{time.time_ns()}.{next(_numbers)}@{PROBER}>"
    mail.set_content("hello\n")
    return mail


def send(lab: MailLab, mail: EmailMessage, *, implicit_tls: bool = False, user: str = "probe1") -> str:
    """Submit a mail, logged in, with TLS; return its Message-ID."""
    host, starttls_port, implicit_port, *_ = lab.submission
    if implicit_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, implicit_port, PROBER, context=trust(lab))
    else:
        connection = smtplib.SMTP(host, starttls_port, PROBER)
    with connection:
        if not implicit_tls:
            connection.starttls(context=trust(lab))
        connection.login(user, lab.password(user))
        connection.send_message(mail)
    return str(mail["Message-ID"])


@contextmanager
def mailbox(lab: MailLab, user: str, *, starttls: bool = False) -> Iterator[imaplib.IMAP4]:
    """Log in to a user's mailbox, and out at the end."""
    host, starttls_port, tls_port, _ = lab.imap
    if starttls:
        connection = imaplib.IMAP4(host, starttls_port)
        connection.starttls(trust(lab))
    else:
        connection = imaplib.IMAP4_SSL(host, tls_port, ssl_context=trust(lab))
    with connection:
        connection.login(user, lab.password(user))
        yield connection


def look(box: imaplib.IMAP4, folder: str, key: tuple[str, ...]) -> list[EmailMessage]:
    """Return the mails of a folder that an IMAP search finds."""
    box.select(folder, readonly=True)
    uids = box.uid("SEARCH", *key)[1][0] or b""
    found = []
    for uid in uids.split():
        answer = box.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0]
        assert isinstance(answer, tuple)
        found.append(email.message_from_bytes(answer[1], policy=email.policy.default))
    return found


def wait_for_mail(
    lab: MailLab,
    user: str,
    message_id: str,
    folder: str = "INBOX",
    *,
    count: int = 1,
    timeout_seconds: float = 20.0,
) -> list[EmailMessage]:
    """Return the copies of a mail as soon as there are `count` in the folder."""
    return _wait(lab, user, folder, ("HEADER", "Message-ID", message_id), count, timeout_seconds)


def wait_for_bounce(lab: MailLab, user: str, message_id: str, timeout_seconds: float = 20.0) -> EmailMessage:
    """Return the report that names a mail, as soon as it is there."""
    return _wait(lab, user, "INBOX", ("FROM", "MAILER-DAEMON", "TEXT", message_id), 1, timeout_seconds)[0]


def _wait(
    lab: MailLab, user: str, folder: str, key: tuple[str, ...], count: int, timeout_seconds: float
) -> list[EmailMessage]:
    deadline = time.monotonic() + timeout_seconds
    with mailbox(lab, user) as box:
        while len(found := look(box, folder, key)) < count:
            if time.monotonic() > deadline:
                raise LabError(
                    f"{len(found)} of {count} in {user}'s {folder} after {timeout_seconds:g} s: {key}"
                )
            time.sleep(PAUSE_SECONDS)
    return found

"""The times in the ids of real servers are those of their own logs: Postfix with both settings, Exim 4.96, Dovecot.

Each message is sent by a client of the standard library, read from the mailbox, and its trace is set beside what the
servers logged: Postfix logs `client=` as soon as it has made an id, Exim how long the data took, and Dovecot each
connection. On a busy machine a server is late to log, so single values have room; the usual value has little.
"""

from __future__ import annotations

import os
import re
import smtplib
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

import pytest

from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Hop, Trace
from tests.lab import MailLab
from tests.lab.client import send, wait_for_mail, write
from tests.lab.exim import Exim, start_exim

pytestmark = pytest.mark.lab

MAILS = 6
USUAL_SECONDS = 0.02
LATEST_SECONDS = 1.0
_CLIENT = re.compile(r"(?m)^(\S+Z) postfix-\w+/smtpd\[\d+\]: (\w+): client=")
_CONNECTION = re.compile(r"(?m)^(\S+Z) lmtp\(\d+\): Info: Connect from")
_MAIL_COMMAND_SECONDS = 1.0


@pytest.fixture(scope="module")
def lab() -> Iterator[MailLab]:
    with MailLab.start() as running:
        yield running


@pytest.fixture(scope="module")
def short_lab() -> Iterator[MailLab]:
    """A lab whose Postfix instances write short queue ids, as Postfix does by default."""
    with MailLab.start() as running:
        for instance in ("submit", "relay", "mx"):
            _write_short_ids(running, instance)
        yield running


def _write_short_ids(lab: MailLab, instance: str) -> None:
    path: Path = lab.layout.path(instance, "conf", "main.cf")
    text = path.read_text().replace("enable_long_queue_ids = yes", "enable_long_queue_ids = no")
    path.write_text(text)
    os.utime(path, (0, 0))  # Postfix waits until a file it reads is two seconds old
    lab.kill_part(instance)
    lab.start_part(instance)


@pytest.fixture(scope="module")
def exim(lab: MailLab) -> Exim:
    return start_exim(lab)


def _read_trace_of(lab: MailLab, message_id: str) -> Trace:
    (mail,) = wait_for_mail(lab, "probe1", message_id)
    return read_trace(mail.as_bytes())


def _logged_ids(lab: MailLab) -> dict[str, int]:
    """When each queue id was logged first, by id."""
    text = lab.log_file("mail").read_text(errors="replace")
    return {match[2]: _as_ns(match[1]) for match in _CLIENT.finditer(text)}


def _logged_connections(lab: MailLab) -> list[int]:
    return [_as_ns(match[1]) for match in _CONNECTION.finditer(lab.log_file("dovecot").read_text())]


def _as_ns(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1e6) * 1000


def _hops_of(traces: Sequence[Trace], software: str) -> list[Hop]:
    return [hop for trace in traces for hop in trace.hops if hop.software == software]


def _assert_just_before(hops: Sequence[Hop], logged_ns: Sequence[int]) -> None:
    """Every stamp is before its line in the log, usually by hardly anything."""
    late = [(logged - (hop.at_ns or 0)) / 1e9 for hop, logged in zip(hops, logged_ns, strict=True)]
    assert all(-0.001 <= each < LATEST_SECONDS for each in late), late
    assert median(late) < USUAL_SECONDS, late


def test_long_postfix_ids_and_dovecots_are_the_times_of_their_logs(lab):
    traces = [_read_trace_of(lab, send(lab, write("probe1@example.test"))) for _ in range(MAILS)]

    postfix, dovecot = _hops_of(traces, "postfix"), _hops_of(traces, "dovecot")
    assert {(hop.stamp_source, hop.stamp_event) for hop in postfix} == {("postfix_id", "rcpt")}
    assert {(hop.stamp_source, hop.stamp_event) for hop in dovecot} == {("dovecot_id", "connection")}
    logged = _logged_ids(lab)
    _assert_just_before(postfix, [logged[hop.id or ""] for hop in postfix])
    connections = _logged_connections(lab)
    _assert_just_before(dovecot, [min(ns for ns in connections if ns >= (hop.at_ns or 0)) for hop in dovecot])
    assert all((delay.delay_seconds or 0) > 0 for trace in traces for delay in trace.delays[1:])


def test_short_postfix_ids_are_the_times_of_their_logs_in_the_right_second(short_lab):
    """The last Postfix accepts the recipient half a second after the sender: in the same second, or in the next.

    Before the first hop there is none that could settle its second, if its two commands were not in the same: its
    fraction is looked at alone.
    """
    short_lab.set_number("slowrcpt_seconds", 0.5)
    traces = []
    for fraction in (0.1, 0.6, 0.75):
        time.sleep((fraction - time.time_ns() / 1e9) % 1)
        traces.append(_read_trace_of(short_lab, send(short_lab, write("slowrcpt@example.test"))))

    logged = _logged_ids(short_lab)
    first = [trace.hops[0] for trace in traces]
    others = [hop for hop in _hops_of(traces, "postfix") if hop not in first]
    assert {hop.stamp_source for hop in (*first, *others)} == {"postfix_short_id"}
    _assert_just_before(others, [logged[hop.id or ""] for hop in others])
    assert median((logged[hop.id or ""] - (hop.at_ns or 0)) % 10**9 for hop in first) < USUAL_SECONDS * 1e9
    assert all(0.5 < (trace.delays[2].delay_seconds or 0) < 1.4 for trace in traces)


def test_a_postfix_id_is_of_the_first_recipient_and_the_date_of_the_sender(lab):
    """The client waits between the two commands; its header is dated before the wait, its id is made behind it."""
    mail = write("probe1@example.test")
    with smtplib.SMTP(lab.submission.host, lab.submission.plain_port, "prober.example.test") as client:
        client.ehlo()
        client.mail("probe1@example.test")
        time.sleep(_MAIL_COMMAND_SECONDS)
        before_ns = time.time_ns()
        client.rcpt("probe1@example.test")
        after_ns = time.time_ns()
        client.data(mail.as_bytes())

    first = _read_trace_of(lab, str(mail["Message-ID"])).hops[0]

    assert before_ns - 1_000_000 <= (first.at_ns or 0) <= after_ns


def test_a_dovecot_connection_that_is_used_again_leaves_the_date_of_the_second_mail(lab):
    mails = [write("probe1@example.test") for _ in range(2)]
    with smtplib.LMTP(lab.imap.host, 24, "prober.example.test") as client:
        client.send_message(mails[0])
        time.sleep(_MAIL_COMMAND_SECONDS)
        client.send_message(mails[1])

    first, second = (_read_trace_of(lab, str(mail["Message-ID"])).hops[-1] for mail in mails)

    assert first.stamp_source == "dovecot_id"
    assert (second.id or "").endswith(":T2")
    assert (second.stamp_source, second.resolution_seconds) == ("date", 1.0)


def test_exims_ids_are_the_beginnings_of_the_data_in_its_log(lab, exim):
    """The log tells when the data had come and how long it took. An id of 4.96 is cut to its 5 ms."""
    message_ids = []
    for wait_seconds in (0.0, 0.3, 0.0, 1.1):
        mail = write("probe1@example.test")
        _send_slowly(exim, mail.as_bytes(), wait_seconds)
        message_ids.append(str(mail["Message-ID"]))

    hops = [_read_trace_of(lab, message_id).hops[0] for message_id in message_ids]

    assert {(hop.software_version, hop.stamp_source, hop.stamp_event) for hop in hops} == {
        ("4.96", "exim_id", "data")
    }
    began = [exim.receptions()[hop.id or ""].began_at_ns for hop in hops]
    early = [(logged - (hop.at_ns or 0)) / 1e9 for hop, logged in zip(hops, began, strict=True)]
    assert all(-0.003 <= each < 0.1 for each in early), early
    assert median(early) < 0.03, (
        early
    )  # in units of 0.5 ms, as before 4.96, they would be off by half a second


def _send_slowly(exim: Exim, message: bytes, wait_seconds: float) -> None:
    """Send one message with a pause between the command DATA and the data."""
    with smtplib.SMTP(exim.address, exim.port, "prober.example.test") as client:
        client.ehlo()
        client.mail("probe1@example.test")
        client.rcpt("probe1@example.test")
        client.docmd("DATA")
        time.sleep(wait_seconds)
        client.send(message.replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        code, _ = client.getreply()
    assert code == 250


def test_three_softwares_in_a_row_have_their_times_in_order(lab, exim):
    """Exim hands the mail to Postfix, and that to Dovecot, on one clock: within a second, and each after the other."""
    mail = write("probe1@example.test")
    _send_slowly(exim, mail.as_bytes(), 0.0)

    trace = _read_trace_of(lab, str(mail["Message-ID"]))

    assert [hop.stamp_source for hop in trace.hops] == ["exim_id", "postfix_id", "dovecot_id"]
    assert all(0 < (delay.delay_seconds or 0) < LATEST_SECONDS for delay in trace.delays[1:])

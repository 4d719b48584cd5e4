"""Whatever answers a probe in the recipient's mailbox is no delivery, and a genuine message that is sent anew is no copy.

On real servers: the relay holds the message of a probe, while answers that quote it whole come to the mailbox of its
recipient; then it is released, and somebody who has its text sends it once more.
"""

import subprocess
from types import SimpleNamespace

import pytest

from tests.acceptance.daemon import Daemon, account, route, write_config
from tests.lab.client import mailbox
from tests.probes.test_answers import ANSWERS

pytestmark = pytest.mark.lab

HOLD = "\nsmtpd_recipient_restrictions = check_recipient_access pcre:{held}, permit_mynetworks, reject\n"


def postfix(program, lab, *arguments):
    command = [program, "-c", str(lab.layout.path("relay", "conf")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=20).stdout


@pytest.fixture
def held(lab):
    """A relay that holds what is for probe3."""
    conf = lab.layout.path("relay", "conf")
    (conf / "held").write_text("/^probe3@/ HOLD\n")
    before = (conf / "main.cf").read_text()
    lab.stop_part("relay")
    (conf / "main.cf").write_text(before + HOLD.format(held=conf / "held"))
    lab.start_part("relay")
    yield
    lab.stop_part("relay")
    (conf / "main.cf").write_text(before)
    lab.start_part("relay")


def read_held(lab):
    """The one message that is held, as it stands in the queue."""
    (line,) = postfix("postqueue", lab, "-j").splitlines()
    queue_id = line.decode().partition('"queue_id": "')[2].partition('"')[0]
    raw = postfix("postcat", lab, "-qhb", queue_id)
    message = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message_id = message.partition(b"\r\nMessage-ID: <")[2].partition(b"@")[0]
    return SimpleNamespace(message=message, envid=message_id.decode())


def without_trace(message):
    """A message as its sender wrote it: without Received lines and what else was put above."""
    start = min(
        place
        for name in (b"\r\nFrom: ", b"\r\nDate: ", b"\r\nMessage-ID: ")
        if (place := message.find(name)) >= 0
    )
    return message[start + 2 :]


def put(lab, *messages):
    with mailbox(lab, "probe3") as box:
        for message in messages:
            assert box.append("INBOX", "", "", message)[0] == "OK"


def look(lab):
    """Give every message of the mailbox, without marking it as seen."""
    with mailbox(lab, "probe3") as box:
        box.select("INBOX", readonly=True)
        numbers = box.uid("SEARCH", "ALL")[1][0].split()
        return [box.uid("FETCH", number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers]


def test_no_answer_is_a_delivery_and_a_replay_is_no_copy(lab, work, held):
    config = write_config(
        lab,
        work,
        {"held": route("probe3", "probe3", interval=2, deadline=300, max_in_flight=1)},
        mailboxes={"probe3": account(lab, "probe3")},
    )
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.in_flight() == 1, "a message on its way")
        daemon.rest()
        daemon.wait_until(lambda: postfix("postqueue", lab, "-j"), "it to be held")
        envelope = read_held(lab)
        answers = [answer(envelope) for answer in ANSWERS]
        forged = without_trace(envelope.message).replace(
            envelope.envid.encode(), envelope.envid[:-4].encode() + b"aaaa"
        )
        put(lab, *answers, forged)
        # The messages of a mailbox are looked at in their order: when the last is counted, all were looked at.
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_forged_messages_total") == 1, "all to be looked at"
        )
        assert daemon.in_flight() == 1
        assert not daemon.outcomes()

        postfix("postsuper", lab, "-H", "ALL")
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] == 1, "the delivery")
        daemon.wait_until(lambda: len(look(lab)) == len(answers) + 1, "our own to be removed")

        put(lab, envelope.message)
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_duplicate_messages_total", route="held") == 1, "the copy"
        )
        anew = b"Received: from elsewhere.test by mx9.test (Postfix) with ESMTP id 4ZZZZZ; Tue, 1 Sep 2026 08:00:00 +0000\r\n"
        put(lab, anew + without_trace(envelope.message))
        daemon.wait_until(lambda: daemon.value("smtp_probe_forged_messages_total") == 2, "the replay")

        assert daemon.outcomes() == {"delivered": 1}
        assert daemon.value("smtp_probe_duplicate_messages_total") == 1
        daemon.wait_until(lambda: len(look(lab)) == len(answers) + 2, "the copy to be removed")
        assert [mail for mail in look(lab) if mail in answers] == answers

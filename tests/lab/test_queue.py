"""The queue of real servers, read in each way: Postfix by program and by socket, Exim by program and from its spool."""

import shutil
import smtplib
import subprocess
import time

import pytest

from smtp_probe.config.queues import Queue
from smtp_probe.mail.queue_listing.survey import QueueCount
from smtp_probe.model import DelayReason, QueueState
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.queue import LocalQueue
from smtp_probe.network.queue_policy import LocalRetryPolicy
from smtp_probe.policy.retry_schedule import RetryLimits, judge_schedule

from .client import send, write
from .exim import PROGRAM, start_exim
from .lab import MailLab

pytestmark = pytest.mark.lab
SECONDS = 20.0
HEALTHY = {
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "maximal_queue_lifetime": "5d",
    "bounce_queue_lifetime": "5d",
}


def now_seconds():
    return ReferenceClock().now_ns() / 1e9


async def survey(settings):
    count = QueueCount(now_seconds(), (), top_destinations=5)
    await LocalQueue(Queue.model_validate(settings)).read(count.add)
    return count.total()


async def survey_when(settings, state, messages):
    """Look until so many messages have this state."""
    end = time.monotonic() + SECONDS
    while True:
        found = await survey(settings)
        if state in found.states and found.states[state].messages == messages:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.2)


async def test_postfix_by_program_and_by_socket_says_the_same(lab: MailLab):
    """Held up at the relay, whose MX is down; gone when the MX is back."""
    conf = lab.layout.path("relay", "conf")
    by_program = {"command": ["postqueue", "-c", str(conf), "-j"]}
    by_socket = {"method": "showq", "path": str(lab.layout.path("relay", "queue", "public", "showq"))}
    before = (await survey(by_socket)).messages
    assert before == 0
    lab.stop_part("mx")
    try:
        began = now_seconds()
        for _ in range(3):
            send(lab, write("probe2@example.test"))
        found = await survey_when(by_socket, QueueState.DEFERRED, 3)
        assert found.deferred_destinations == {"example.test": 3, "other": 0}
        assert found.deferred_reasons == {DelayReason.NETWORK: 3}
        deferred = found.states[QueueState.DEFERRED]
        assert began - 2 < deferred.oldest_seconds < now_seconds() + 1
        assert deferred.size_bytes > 3 * 300
        same = await survey(by_program)
        assert same.messages == 3
        subprocess.run(
            ["postsuper", "-c", str(conf), "-h", "ALL"], check=True, capture_output=True, timeout=20
        )
        held = await survey_when(by_program, QueueState.HOLD, 3)
        assert held.deferred_reasons == {}
    finally:
        lab.start_part("mx")
        subprocess.run(
            ["postsuper", "-c", str(conf), "-H", "ALL"], check=False, capture_output=True, timeout=20
        )
        subprocess.run(["postqueue", "-c", str(conf), "-f"], check=False, capture_output=True, timeout=20)
    end = time.monotonic() + SECONDS
    while (await survey(by_socket)).messages:
        assert time.monotonic() < end
        time.sleep(0.2)


async def test_exim_by_program_and_from_its_spool(lab: MailLab):
    """One message that the MX, which is down, cannot take; then frozen by hand."""
    exim = start_exim(lab, retry="* * F,1h,2s")
    folder = lab.layout.path("exim")
    mounted = ["unshare", "--mount", "--", "/bin/sh", "-c"]

    def command(*arguments):
        return [*mounted, f"mount --bind {folder}/etc /etc && exec {PROGRAM} {' '.join(arguments)}"]

    by_program = {"kind": "exim", "command": command("-bp")}
    by_spool = {"kind": "exim", "method": "spool", "path": str(folder / "spool")}
    assert (await survey(by_program)).messages == 0
    lab.stop_part("mx")
    try:
        with smtplib.SMTP(exim.address, exim.port, timeout=10) as client:
            recipients = ["probe2@example.test", "other@elsewhere.test"]
            client.send_message(write("probe2@example.test"), "probe1@example.test", recipients)
        found = await survey_when(by_spool, QueueState.DEFERRED, 1)
        assert found.deferred_destinations == {"example.test": 1, "elsewhere.test": 1, "other": 0}
        assert found.deferred_reasons == {DelayReason.NETWORK: 1}
        listed = await survey_when(by_program, QueueState.QUEUED, 1)
        state, spooled = listed.states[QueueState.QUEUED], found.states[QueueState.DEFERRED]
        assert state.oldest_seconds == spooled.oldest_seconds
        assert abs(state.oldest_seconds - now_seconds()) < 30
        message_id = next((folder / "spool" / "input").glob("*-H")).name.removesuffix("-H")
        subprocess.run(command("-Mf", message_id), check=True, capture_output=True, timeout=20)
        assert (await survey_when(by_spool, QueueState.HOLD, 1)).messages == 1
        assert (await survey_when(by_program, QueueState.HOLD, 1)).messages == 1
    finally:
        lab.start_part("mx")
        exim.part.stop()
        shutil.rmtree(folder)


LONG = "retry_bounce_lifetime_long"


async def test_retries_of_postfix_as_it_tells_them(lab: MailLab):
    """The lab's relay has shortened times: too soon, and for too short. With times of the world there is no finding."""
    conf = str(lab.layout.path("relay", "conf"))
    command = ["postconf", "-c", conf, "-x"]
    schedule = await LocalRetryPolicy(Queue.model_validate({"retry_command": command})).read()
    found = [finding.check for finding in judge_schedule(schedule, RetryLimits())]
    assert found == ["retry_too_soon", "retry_lifetime_short"]

    options = [f"{name}={value}" for name, value in HEALTHY.items()]
    asked = [
        "sh",
        "-c",
        f'shift 0; postconf -c {conf} -x {" ".join(f"-o {each}" for each in options)} "$@"',
        "sh",
    ]
    healthy = await LocalRetryPolicy(Queue.model_validate({"retry_command": asked})).read()
    assert judge_schedule(healthy, RetryLimits()) == ()


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("* * F,2h,15m; G,16h,1h,1.5; F,4d,6h", [LONG]),
        ("* * F,1h,1m", ["retry_too_soon", "retry_no_growth", "retry_lifetime_short", LONG]),
        ("", ["retry_none"]),
    ],
)
async def test_retries_of_exim_as_it_tells_them(lab: MailLab, rule, found):
    """By default Exim keeps bounces that nobody takes for ten weeks."""
    exim = start_exim(lab, retry=rule)
    try:
        folder = lab.layout.path("exim")
        run = f'mount --bind {folder}/etc /etc && exec "$@"'
        enclosed = ["unshare", "--mount", "--", "/bin/sh", "-c", run, "sh"]
        command = [*enclosed, str(PROGRAM), "-brt", "example.org"]
        schedule = await LocalRetryPolicy(
            Queue.model_validate({"kind": "exim", "retry_command": command})
        ).read()
        assert [finding.check for finding in judge_schedule(schedule, RetryLimits())] == found
        assert schedule is None or schedule.bounce_lifetime_seconds == 10 * 7 * 86400
    finally:
        exim.part.stop()
        shutil.rmtree(lab.layout.path("exim"))

"""How a server retries, asked of programs: what is no answer is unknown, and never a schedule without faults."""

import sys

import pytest

from smtp_probe.config.queues import Queue
from smtp_probe.errors import QueueError
from smtp_probe.model import QueueFailure
from smtp_probe.network.queue_policy import LocalRetryPolicy
from tests.policy.test_retry_schedule import EXIM, POSTFIX


def settings(code, **others):
    return Queue.model_validate({"retry_command": [sys.executable, "-c", code], **others})


async def test_postfix_is_asked_for_the_names_that_count():
    code = f"import sys; assert 'maximal_backoff_time' in sys.argv; print({POSTFIX!r})"
    schedule = await LocalRetryPolicy(settings(code)).read()

    assert (schedule.first_seconds, schedule.longest_seconds) == (300.0, 4000.0)


async def test_exim_is_asked_for_its_rule():
    schedule = await LocalRetryPolicy(settings(f"print({EXIM!r})", kind="exim")).read()

    assert schedule.first_seconds == 900.0


ASKED = f"""
import sys
if "-brt" in sys.argv:
    print({EXIM!r})
elif "-bP" in sys.argv:
    assert sys.argv[-3:] == ["retry_interval_max", "ignore_bounce_errors_after", "timeout_frozen_after"]
    SETTINGS
"""


@pytest.mark.parametrize(
    ("settings_code", "longest", "bounces"),
    [
        (
            "print('retry_interval_max = 2h\\nignore_bounce_errors_after = 10w\\ntimeout_frozen_after = 1w')",
            7200.0,
            604800.0,
        ),
        (
            "print('retry_interval_max = 1d\\nignore_bounce_errors_after = 2d\\ntimeout_frozen_after = 0s')",
            21600.0,
            172800.0,
        ),
        ("sys.exit('exim: permission denied')", 21600.0, None),
    ],
)
async def test_exim_is_asked_for_its_settings_where_it_tells_them(tmp_path, settings_code, longest, bounces):
    program = tmp_path / "exim.py"
    program.write_text(ASKED.replace("SETTINGS", settings_code))
    command = [sys.executable, str(program), "-brt", "example.org"]
    queue = Queue.model_validate({"kind": "exim", "retry_command": command})
    schedule = await LocalRetryPolicy(queue).read()

    assert (schedule.first_seconds, schedule.longest_seconds) == (900.0, longest)
    assert schedule.bounce_lifetime_seconds == bounces


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("print('nothing of use')", QueueFailure.MALFORMED),
        ("import sys; sys.exit('no')", QueueFailure.FAILED),
        ("import time; time.sleep(60)", QueueFailure.TIMEOUT),
    ],
)
async def test_what_is_no_answer_is_unknown(code, failure):
    with pytest.raises(QueueError) as caught:
        await LocalRetryPolicy(settings(code, deadline="500ms")).read()

    assert caught.value.failure is failure


async def test_a_program_that_is_not_there():
    with pytest.raises(QueueError) as caught:
        await LocalRetryPolicy(Queue(retry_command=("/no/such/postconf",))).read()

    assert caught.value.failure is QueueFailure.MISSING

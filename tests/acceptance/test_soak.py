"""A simulated week of 200 routes: what the process holds is flat after the first days, and every message has one end."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest

from smtp_probe.report.history import HEARTBEAT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

DAYS, ROUTES, EVERY_SECONDS = 7, 200, 43_200
WARM = 3
"""Days after which nothing may grow any more but the heartbeat bars of the pages, which hold the last probes of each route."""
BEAT_BYTES = 500


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    directory = tmp_path_factory.mktemp("soak", numbered=True)
    directory.chmod(0o700)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.acceptance.soak",
            directory,
            str(DAYS),
            str(ROUTES),
            str(EVERY_SECONDS),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=450,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_message_has_an_end_and_none_is_left_lying(week):
    assert [day["day"] for day in week] == list(range(1, DAYS + 1))
    for day in week:
        assert day["sent"] == day["ended"] + day["in_flight"]
        assert day["in_flight"] <= ROUTES // 4
        assert day["mailbox_messages"] <= day["in_flight"]
    assert week[-1]["sent"] == pytest.approx(DAYS * ROUTES * 86_400 / EVERY_SECONDS, abs=ROUTES)


@pytest.mark.parametrize(("what", "slack"), [("descriptors", 2), ("tasks", 5), ("series", 100)])
def test_what_is_held_does_not_grow(week, what, slack):
    warm = [day[what] for day in week[WARM - 1 :]]
    assert max(warm) - min(warm) <= slack


def test_memory_is_flat(week):
    beats = ROUTES * min((DAYS - WARM) * 86_400 / EVERY_SECONDS, HEARTBEAT) * BEAT_BYTES
    grown = week[-1]["rss_bytes"] - week[WARM - 1]["rss_bytes"]
    assert grown < beats + 3_000_000


def test_the_journal_is_flat(week):
    """History of a day is kept: what is older makes room for what is new."""
    sizes = [day["journal_bytes"] for day in week[WARM - 1 :]]
    assert max(after / before for before, after in pairwise(sizes)) < 1.1
    assert sizes[-1] < 1.15 * sizes[0]

"""What the process says of itself."""

import pytest

from smtp_probe.model import TlsFacts
from smtp_probe.report.label_words import LOG_LEVELS
from smtp_probe.report.metrics import (
    BUILD_INFO,
    CERTIFICATE_END,
    CLOCK_STEP,
    CONFIG_LOADED,
    CONFIG_OK,
    IN_FLIGHT,
    INTERNAL_ERRORS,
    INTERVAL,
    JOURNAL_UP,
    LOG_MESSAGES,
    MAILBOX_QUOTA,
    MAILBOX_RECONNECTS,
    MAILBOX_UP,
    OLDEST_IN_FLIGHT,
    ROUTE_INFO,
    SCHEDULER_LAG,
)
from smtp_probe.report.observations import LAG_WINDOW_SECONDS, MailboxHealth, Observations
from smtp_probe.report.series import Series
from tests.report.samples import NS, START_NS, make_config


class Clock:
    ns = START_NS

    def now_ns(self):
        return self.ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def series():
    return Series()


@pytest.fixture
def observations(series, clock):
    observations = Observations(series, clock.now_ns)
    observations.declare(make_config())
    return observations


def test_what_is_known_exists_from_the_start(series, observations):
    assert dict(series.get(BUILD_INFO, ())).keys() == {"version", "pythonversion"}
    assert series.get(MAILBOX_UP, ("inbox",)) == 0.0
    assert series.get(MAILBOX_RECONNECTS, ("inbox",)) == 0.0
    assert series.get(IN_FLIGHT, ("example",)) == 0.0
    assert series.get(INTERVAL, ("example",)) == 300.0
    assert series.get(CONFIG_OK, ()) == 1.0
    assert series.get(CONFIG_LOADED, ()) == START_NS / NS
    assert series.get(OLDEST_IN_FLIGHT, ("example",)) is None


def test_a_route_s_own_labels_are_on_its_info(series, observations):
    route = {
        "sender": "relay",
        "recipient": "probe@example.org",
        "mailbox": "inbox",
        "labels": {"team": "post"},
    }
    observations.declare(make_config(routes={"example": route}))

    assert dict(series.get(ROUTE_INFO, ("example",))) == {
        "team": "post",
        "route": "example",
        "sender": "relay",
        "mailbox": "inbox",
    }


def test_a_failed_reload_is_told_and_does_not_move_the_time_of_the_last_good_one(series, observations, clock):
    clock.ns += 60 * NS
    observations.config_reloaded(ok=False)

    assert series.get(CONFIG_OK, ()) == 0.0
    assert series.get(CONFIG_LOADED, ()) == START_NS / NS
    assert not observations.health().is_config_good


def test_a_good_reload_heals_a_failed_one(series, observations, clock):
    observations.config_reloaded(ok=False)
    clock.ns += 60 * NS
    observations.declare(make_config())

    assert series.get(CONFIG_OK, ()) == 1.0
    assert series.get(CONFIG_LOADED, ()) == START_NS / NS + 60


def test_ready_means_that_the_journal_writes_and_all_mailboxes_are_watched(series, observations):
    seen = [observations.health().is_ready]
    observations.journal_state(up=True)
    seen.append(observations.health().is_ready)
    observations.mailbox_state("inbox", up=True)
    seen.append(observations.health().is_ready)
    observations.mailbox_state("inbox", up=False, why="login: auth_refused")
    seen.append(observations.health().is_ready)

    assert seen == [False, False, True, False]
    assert observations.health().mailboxes == (
        MailboxHealth(name="inbox", is_up=False, why="login: auth_refused"),
    )
    assert observations.health().unwatched == ("inbox",)
    assert series.get(JOURNAL_UP, ()) == 1.0
    assert series.get(MAILBOX_UP, ("inbox",)) == 0.0


def test_who_only_counts_is_ready_when_it_has_counted_whatever_the_mailboxes_are_like(observations):
    observations.journal_state(up=True)
    observations.duties = frozenset
    seen = []
    for observations.events_to_count in (None, 7, 0):
        seen.append(observations.health().is_ready)

    assert seen == [False, False, True]
    assert observations.health().unwatched == ("inbox",)
    assert observations.health().neglected == ()
    observations.duties = lambda: frozenset({"inbox", "another"})
    assert observations.health().neglected == ("inbox",)
    assert not observations.health().is_ready


def test_a_mailbox_that_is_not_configured_is_ignored(series, observations):
    observations.mailbox_state("gone", up=True)
    observations.mailbox_reconnected("gone")

    assert series.get(MAILBOX_UP, ("gone",)) is None
    assert [mailbox.name for mailbox in observations.health().mailboxes] == ["inbox"]


def test_a_mailbox_keeps_its_state_over_a_reload(observations):
    observations.mailbox_state("inbox", up=True)
    observations.declare(make_config("example", "another"))

    assert observations.health().mailboxes == (MailboxHealth(name="inbox", is_up=True),)


def test_how_full_a_mailbox_is_is_known_only_while_it_is_watched(series, observations):
    observations.mailbox_quotas("inbox", {"storage": 0.5, "annotation-storage": 1.0})
    observations.mailbox_quotas("gone", {"storage": 0.5})
    shown = [
        (box, kind) for box in ("inbox", "gone") for kind in ("storage", "message", "annotation-storage")
    ]
    assert [series.get(MAILBOX_QUOTA, labels) for labels in shown] == [0.5, None, None, None, None, None]

    observations.mailbox_state("inbox", up=False)
    assert series.get(MAILBOX_QUOTA, ("inbox", "storage")) is None


def test_reconnects_are_counted(series, observations):
    observations.mailbox_reconnected("inbox")
    observations.mailbox_reconnected("inbox")

    assert series.get(MAILBOX_RECONNECTS, ("inbox",)) == 2.0


def test_messages_in_flight_have_an_oldest_only_while_there_are_any(series, observations):
    observations.in_flight("example", 2, START_NS)
    before = (series.get(IN_FLIGHT, ("example",)), series.get(OLDEST_IN_FLIGHT, ("example",)))
    observations.in_flight("example", 0, None)
    after = (series.get(IN_FLIGHT, ("example",)), series.get(OLDEST_IN_FLIGHT, ("example",)))

    assert before == (2.0, START_NS / NS)
    assert after == (0.0, None)


def test_saying_the_same_again_changes_nothing(series, observations):
    """Nothing has to be rendered anew for a route on which nothing happened."""
    observations.in_flight("example", 1, START_NS)
    version = series.version(("route", "example"))
    observations.in_flight("example", 1, START_NS)

    assert series.version(("route", "example")) == version


def test_the_worst_lag_of_the_last_minute_is_shown(series, observations, clock):
    shown = []
    for seconds, lag in ((0, 0.5), (1, 3.0), (1, 0.25), (1, 1.0)):
        clock.ns += seconds * NS
        observations.scheduler_lag(lag)
        shown.append(series.get(SCHEDULER_LAG, ()))
    for later in (LAG_WINDOW_SECONDS - 1, 2, LAG_WINDOW_SECONDS):
        clock.ns += round(later * NS)
        observations.refresh()
        shown.append(series.get(SCHEDULER_LAG, ()))

    assert shown == [0.5, 3.0, 3.0, 3.0, 1.0, 0.0, 0.0]


def test_log_lines_are_shown_for_every_level(series, observations):
    observations.log_messages({"warning": 3}, 1)

    assert {labels[0]: value for labels, value in series.all(LOG_MESSAGES)} == {
        **dict.fromkeys(LOG_LEVELS, 0.0),
        "warning": 3.0,
    }
    assert series.get(INTERNAL_ERRORS, ()) == 1.0


def test_the_rest_is_shown_as_it_is_told(series, observations):
    observations.clock_step(-2.5)
    observations.tls_facts("imap.example.org:993", TlsFacts(not_after_ns=START_NS))
    observations.tls_facts("imap.example.com:993", TlsFacts())

    assert series.get(CLOCK_STEP, ()) == -2.5
    assert dict(series.all(CERTIFICATE_END)) == {("imap.example.org:993",): START_NS / NS}

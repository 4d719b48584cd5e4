"""Events as rows: each is written once, and what is known already changes nothing."""

import sqlite3

import pytest

from smtp_probe.model import Event, ProbeEnded, ProbeHandedOver, ProbeStarted, ProbeSubmitted, VerdictsFormed
from smtp_probe.report.event_rows import add_totals, write_event
from smtp_probe.report.journal_schema import open_database
from smtp_probe.report.totals import StoredTotal
from tests.report.samples import NS, START_NS, make_authentication, make_outcome, make_probe, make_submission


@pytest.fixture
def connection():
    connection = open_database(":memory:", START_NS)
    yield connection
    connection.close()


def test_each_event_of_a_life_is_new_once(connection):
    probe, outcome = make_probe(), make_outcome()
    events: list[Event] = [
        ProbeStarted(probe=probe),
        ProbeHandedOver(probe=probe, final_dot_ns=START_NS),
        ProbeSubmitted(probe=probe, submission=make_submission()),
        ProbeEnded(outcome=outcome),
        VerdictsFormed(route="example", probe_id=probe.probe_id, found=make_authentication()),
    ]
    assert [write_event(connection, event, START_NS + NS) for event in events] == [True] * 5
    assert not any(write_event(connection, event, START_NS + NS) for event in (events[0], *events[2:]))


def test_verdicts_of_a_probe_that_is_not_known_are_nobodys(connection):
    event = VerdictsFormed(route="example", probe_id="gone", found=make_authentication())
    assert not write_event(connection, event, START_NS)


def test_it_commits_nothing(connection):
    connection.execute("BEGIN")
    write_event(connection, ProbeStarted(probe=make_probe()), START_NS)
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM probes").fetchone() == (0,)


def test_a_value_that_sqlite_cannot_hold_is_the_callers_to_handle(connection):
    with pytest.raises((OverflowError, sqlite3.Error)):
        write_event(connection, ProbeStarted(probe=make_probe(2**70)), START_NS)


def test_totals_of_any_number_are_added_up(connection):
    rows = [StoredTotal("smtp_probe_probes_total", (f"route-{n}",), "value", float(n)) for n in range(250)]
    for _ in range(2):
        add_totals(connection, rows)
    add_totals(connection, ())

    stored = connection.execute("SELECT labels, value FROM totals").fetchall()
    assert dict(stored) == {row.labels_json: 2 * row.value for row in rows}

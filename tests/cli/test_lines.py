"""The lines of the demo."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from smtp_probe.cli.lines import Told, event_line, summary_sentence, summary_table, waiting_lines
from smtp_probe.cli.tally import Tally, Waiting
from smtp_probe.model import (
    DuplicateSeen,
    ForgerySeen,
    Location,
    OutcomeKind,
    PathChange,
    PathFacts,
    PathIdentity,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
)
from tests.cli.views import HOSTILE, is_plain, missed, outcome, shown, trace
from tests.report.samples import NS, START_NS, life_of, make_bounce, make_outcome, make_probe

SPOT = Location(mailbox="inbox", folder=f"INBOX{HOSTILE}", uidvalidity=1, uid=9)


def line(event, width=None):
    return event_line(Told(event, START_NS), 13, width)


def ended(kind=OutcomeKind.DELIVERED, **facts):
    return ProbeEnded(outcome=outcome(kind, **facts))


def test_a_delivery_tells_time_route_outcome_latency_and_hops():
    assert line(ended()).plain == (
        "14:13:30Z  inbound        delivered      2.64 s  "
        "hops: relay +0 s, filter +1 s, store +2 s (own clocks, whole seconds ±1 s)"
    )


def test_a_host_that_appeared_on_the_way_is_named():
    before = PathIdentity(fingerprint="aaaaaaaa", hosts=("a.test",), first_seen_ns=1)
    change = PathChange(previous=before, appeared=(f"scan.test{HOSTILE}",), vanished=("a.test",))
    path = PathFacts(identity=before, change=change)

    said = line(ProbeEnded(outcome=replace(outcome(), path=path))).plain

    assert "came another way: scan.test" in said
    assert said.endswith("appeared; a.test vanished")
    assert is_plain(said)


def test_wrong_clocks_are_said_to_be_wrong():
    assert line(ended(way=trace(stamps=(0, 7, -41, 1)))).plain.endswith(
        "hops: relay +7 s, filter -48 s, store +42 s (the clocks disagree)"
    )


def test_a_failure_tells_what_the_server_said():
    bounce = make_bounce(action="failed", remote_mta="mx.example.net", diagnostic=f"550 5.1.1 {HOSTILE}")
    said = line(ended(OutcomeKind.BOUNCED, bounce=bounce)).plain

    assert said.startswith(
        "14:13:30Z  inbound        bounced             -  bounced by mx.example.net: 550 5.1.1 [red]"
    )
    assert is_plain(said)


def test_an_overdue_probe_is_told_before_its_end():
    assert line(ProbeOverdue(probe=make_probe(), at_ns=START_NS)).plain == (
        "14:13:20Z  example        overdue                not arrived within 5 min, and still watched for"
    )


def test_forgeries_and_duplicates_are_told():
    forged = line(ForgerySeen(location=SPOT)).plain
    duplicate = line(DuplicateSeen(route="inbound", probe_id="x", location=SPOT)).plain

    assert "not believed" in forged
    assert "a second copy in inbox/INBOX" in duplicate
    assert is_plain(forged + duplicate)


@pytest.mark.parametrize("event", [ProbeStarted(probe=make_probe()), missed()])
def test_what_is_no_news_has_no_line(event):
    assert line(event) is None


@pytest.mark.parametrize("kind", OutcomeKind)
def test_forty_columns_hold_everything_but_the_remark(kind):
    said = line(ended(kind, route="skewed-clocks"), 39).plain

    assert cell_len(said) <= 39
    assert said.startswith("14:13:30 skewed-c… ")
    if kind is OutcomeKind.DELIVERED:
        assert said.endswith("2.64 s")


@pytest.mark.parametrize("width", [1, 10, 59, 60, 79])
def test_a_line_is_never_wider_than_the_terminal(width):
    assert cell_len(line(ended(OutcomeKind.BOUNCED), width).plain) <= width


WAITING = [
    Waiting("lost", 2, START_NS, is_overdue=True),
    Waiting("late", 1, START_NS + 5 * NS, is_overdue=False, usual_seconds=15.0),
    Waiting("new", 1, START_NS + 7 * NS, is_overdue=False, is_submitted=False, usual_seconds=15.0),
]


def waits(waiting, width):
    return [line.plain for line in waiting_lines(waiting, START_NS + 8 * NS, width)]


def test_what_is_waited_for_is_told_with_its_age_and_the_usual_time():
    assert waits(WAITING, 110) == [
        "on the way  lost: arrival 8 s (2); late: arrival 3 s, usually 15.00 s; new: submission 1 s"
    ]
    assert waits([], 80) == ["on the way  nothing: waiting for the next slot"]


def test_where_it_is_narrow_each_has_its_line_and_there_are_three_at_most():
    assert waits(WAITING, 40) == [
        "on the way  lost: arrival 8 s (2);",
        " late: arrival 3 s, usually 15.00 s;",
        " new: submission 1 s",
    ]
    assert waits(WAITING[1:2], 30) == ["on the way  late: arrival 3 s,", " usually 15.00 s"]
    many = [Waiting(f"route-{n}", 1, START_NS, is_overdue=False) for n in range(20)]
    assert len(waits(many, 40)) == 3


@pytest.mark.parametrize("width", [1, 5, 20, 40, 79])
def test_what_is_waited_for_is_never_wider_than_the_terminal(width):
    assert max(map(cell_len, waits(WAITING, width))) <= width


def tally_of(*outcomes):
    tally = Tally(["on-time", "lost"])
    for made in outcomes:
        for event in life_of(made):
            tally.learn(event)
    tally.learn(ProbeStarted(probe=make_probe(99, "lost")))
    return tally


def test_the_summary_has_a_row_for_each_route():
    tally = tally_of(
        make_outcome(probe=make_probe(1, "on-time"), seconds=0.25),
        make_outcome(probe=make_probe(2, "on-time"), seconds=0.27),
        make_outcome(OutcomeKind.JUNKED, probe=make_probe(3, "on-time"), seconds=0.29),
    )

    assert [text.rstrip() for text in shown([summary_table(tally)]).splitlines()] == [
        "route    probes  outcomes                median",
        "on-time       3  2 delivered, 1 in junk  270 ms",
        "lost          1  1 on the way                 -",
    ]
    assert summary_sentence(tally, 20.04) == "3 probes ended in 20.04 s, 1 still on the way at the end."


def test_the_summary_fits_forty_columns():
    tally = tally_of(
        *(
            make_outcome(kind, probe=make_probe(n, "a-very-long-route-name"))
            for n, kind in enumerate(OutcomeKind)
        )
    )

    assert max(map(cell_len, shown([summary_table(tally)], 40).splitlines())) <= 40


def test_the_sentence_tells_what_else_was_seen():
    tally = Tally([])
    for event in (
        ForgerySeen(location=SPOT),
        DuplicateSeen(route="a", probe_id="x", location=SPOT),
        missed(2),
    ):
        tally.learn(event)

    assert summary_sentence(tally, 0.5) == (
        "0 probes ended in 500 ms, 1 forged message not believed, 1 duplicate, 2 slots missed."
    )

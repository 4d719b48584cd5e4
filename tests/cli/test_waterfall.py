"""Where the time of a probe went, as rows with bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.cli.waterfall import describe_hops, describe_mailbox, describe_submission, sections
from smtp_probe.model import OutcomeKind, Phase, Stamp
from tests.cli.views import HOSTILE, PHASE_MILLISECONDS, is_plain, outcome, submission, trace
from tests.report.samples import START_NS, make_bounce, make_outcome, refused


def titles(found):
    return [section.title for section in found]


def height(found):
    return sum(1 + len(section.rows) for section in found)


def test_phases_stand_one_behind_the_other_on_the_scale_of_the_transaction():
    section = describe_submission(submission())
    bars = [row.bars[0] for row in section.rows]

    assert [row.label for row in section.rows] == [phase.value for phase in PHASE_MILLISECONDS]
    assert bars[0].begin == 0
    assert bars[-1].end == pytest.approx(1)
    assert all(
        bar.end == pytest.approx(after.begin, abs=1e-6) for bar, after in zip(bars, bars[1:], strict=False)
    )
    assert section.amount == "33 ms"


def test_a_phase_that_went_on_after_the_next_has_two_bars():
    """EHLO is said again after STARTTLS."""
    phases = [*submission().phases]
    ehlo, starttls = (next(p for p in phases if p.phase is phase) for phase in (Phase.EHLO, Phase.STARTTLS))
    longer = type(ehlo)(phase=Phase.EHLO, started_ns=ehlo.started_ns, duration_seconds=0.0015)
    section = describe_submission(submission(phases=(longer, starttls)))
    first, second = section.rows[0].bars

    assert first.end == pytest.approx(section.rows[1].bars[0].begin)
    assert second.begin == pytest.approx(section.rows[1].bars[0].end)
    assert (first.end - first.begin) + (second.end - second.begin) == pytest.approx(1.5 / 7.5)


def test_where_there_is_no_room_the_longest_phases_are_shown_and_the_others_summed_up():
    section = describe_submission(submission(), 4)

    assert [row.label for row in section.rows] == ["greeting", "starttls", "accept", "8 others"]
    assert section.rows[-1].amount == "5.0 ms"
    assert section.rows[-1].bars == ()


def test_a_refusal_stands_with_its_phase():
    row = describe_submission(refused(550, text=HOSTILE)).rows[-1]

    assert (row.label, row.style) == ("rcpt", "red")
    assert row.detail.startswith("550 5.7.1 [red]a[/red]")
    assert is_plain(row.detail)


def test_nothing_is_shown_of_a_submission_that_did_not_begin():
    assert describe_submission(None) is None
    assert describe_submission(submission(phases=())) is None


def test_hops_show_raw_delays_and_what_they_are_worth():
    section = describe_hops(outcome())

    assert [(row.label, row.amount) for row in section.rows] == [
        ("submission.example.test", "first"),
        ("relay.example.test", "+0 s"),
        ("filter.example.test", "+1 s"),
        ("store.example.test", "+2 s"),
    ]
    assert section.note == "raw, on each host's own clock, ±1 s"
    assert not section.is_doubtful
    assert section.rows[3].detail == "from filter.example.test with ESMTPS id id3"


def test_clocks_that_run_backwards_are_shown_as_they_are_and_said_to_be_wrong():
    section = describe_hops(outcome(way=trace(stamps=(0, 7, -41, 1))))
    bars = [row.bars[0] for row in section.rows]

    assert [row.amount for row in section.rows] == ["first", "+7 s", "-48 s", "+42 s"]
    assert bars[2].end < bars[2].begin
    assert all(0 <= point <= 1 for bar in bars for point in (bar.begin, bar.end))
    assert section.is_doubtful
    assert "disagree" in section.note
    assert section.rows[2].style == "yellow"


def test_a_delay_that_is_longer_than_the_whole_way_is_not_believed():
    assert describe_hops(outcome(way=trace(stamps=(0, 9, 9, 9)))).is_doubtful
    assert not describe_hops(outcome(way=trace(stamps=(0, 3, 3, 3)))).is_doubtful


def test_a_hop_without_a_stamp_has_neither_delay_nor_bar():
    rows = describe_hops(outcome(way=trace(stamps=(0, None, 2, 2)))).rows

    assert [row.amount for row in rows] == ["first", "-", "+2 s", "+0 s"]
    assert rows[1].bars == ()
    assert rows[2].bars[0].begin == 0


def test_names_that_hosts_give_are_sanitised():
    rows = describe_hops(outcome(way=trace(hosts=(HOSTILE, "b", "c", "d")))).rows

    assert all(is_plain(row.label) and is_plain(row.detail) for row in rows)


def test_the_mailbox_section_is_on_our_clock_from_the_final_dot():
    section = describe_mailbox(outcome())

    assert [(row.label, row.amount) for row in section.rows] == [
        ("accepted", "1.00 s"),
        ("stored", "2.64 s"),
        ("seen", "2.64 s"),
    ]
    assert section.rows[-1].bars[0].end == 1
    assert "our clock" in section.note


def test_a_store_that_gives_no_stamp_of_its_own_is_not_shown_twice():
    made = make_outcome()
    arrival = type(made.arrival)(
        **{name: getattr(made.arrival, name) for name in made.arrival.__slots__} | {"stamp": Stamp.SEEN}
    )
    section = describe_mailbox(make_outcome(arrival=arrival))

    assert [row.label for row in section.rows] == ["accepted", "seen"]


def test_a_bounce_is_on_the_same_scale():
    bounce = make_bounce(action="failed")
    bounce = type(bounce)(location=bounce.location, seen_ns=START_NS + 3_000_000_000, action="failed")
    section = describe_mailbox(outcome(OutcomeKind.BOUNCED, bounce=bounce))

    assert [(row.label, row.amount) for row in section.rows] == [
        ("accepted", "1.00 s"),
        ("bounce seen", "2.00 s"),
    ]


def test_sections_of_a_refusal_end_with_it():
    assert titles(sections(make_outcome(OutcomeKind.REFUSED))) == ["submission"]


@pytest.mark.parametrize("kind", OutcomeKind)
@pytest.mark.parametrize("lines", [0, 1, 3, 5, 8, 9, 12, 20, 40])
def test_sections_keep_to_the_lines_that_there_are(kind, lines):
    assert height(sections(outcome(kind), lines)) <= lines


def test_hops_are_the_last_thing_to_be_left_out():
    assert titles(sections(outcome(), 20)) == ["submission", "hops", "mailbox"]
    assert titles(sections(outcome(), 12)) == ["hops", "mailbox"]
    assert titles(sections(outcome(), 6)) == ["hops"]
    assert titles(sections(outcome(), 4)) == []


@given(st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), min_size=1, max_size=4))
def test_any_stamps_give_bars_within_the_scale(stamps):
    section = describe_hops(outcome(way=trace(stamps=tuple(stamps))))

    assert all(
        0 <= point <= 1 + 1e-9 for row in section.rows for bar in row.bars for point in (bar.begin, bar.end)
    )

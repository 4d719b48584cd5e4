"""Where the time of a probe went, as rows with bars."""

from itertools import pairwise

import pytest

from smtp_probe.cli.waterfall import describe_mailbox, describe_submission, sections
from smtp_probe.model import OutcomeKind, Phase, Stamp
from tests.cli.views import HOSTILE, PHASE_MILLISECONDS, is_plain, outcome, submission
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
    assert all(bar.end == pytest.approx(after.begin, abs=1e-6) for bar, after in pairwise(bars))
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

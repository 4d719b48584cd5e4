"""A whole trace is refined: each stamp goes to its own hop, and none turns time back without a reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.demo.queue_ids import dovecot_id, exim_id, postfix_long_id
from smtp_probe.mail.queue_ids.decoding import UNSETTLED
from smtp_probe.mail.queue_ids.id_stamps import SECOND_NS
from smtp_probe.mail.queue_ids.refinement import refine_trace
from smtp_probe.model import Hop

DATE_NS = 1_795_000_000 * SECOND_NS
MS = 1_000_000
SES_ID = b"<01000%011x-642eaf57-7afe-449e-a1f2-79b7a0e7a531-000000@email.amazonses.com>"


def hop(second: int, software: str | None, written: str | None = None, **more) -> Hop:
    facts = {"with_": "ESMTP", "resolution_seconds": 1.0, "stamp_source": "date", **more}
    return Hop(software=software, id=written, at_ns=DATE_NS + second * SECOND_NS, **facts)


def postfix(second: int, at_ms: int) -> Hop:
    return hop(second, "postfix", postfix_long_id(DATE_NS + at_ms * MS, 1))


def short(second: int, fraction_ms: int) -> Hop:
    return hop(second, "postfix", f"{fraction_ms * 1000:05X}4711")


def dovecot(second: int, at_ms: int) -> Hop:
    return hop(second, "dovecot", dovecot_id(DATE_NS + at_ms * MS, 1, 2))


def exim(second: int, at_ms: int) -> Hop:
    return hop(second, "exim", exim_id(DATE_NS + at_ms * MS, 1))


def stamps_ms(*hops: Hop, fields=()) -> list[float]:
    return [((each.at_ns or 0) - DATE_NS) / MS for each in refine_trace(fields, hops)]


def test_each_hop_gets_its_own_stamp_and_others_keep_their_date():
    hops = (postfix(0, 100), exim(0, 150), hop(0, "exchange", "15.2.1544.14"), dovecot(0, 300))

    assert stamps_ms(*hops) == [100, 150, 0, 300]


def test_no_hops_are_no_trouble():
    assert refine_trace((), ()) == ()


def test_the_hop_before_settles_a_short_id():
    first, second, _ = refine_trace((), (postfix(0, 980), short(0, 3), dovecot(1, 1_010)))

    assert ((second.at_ns or 0) - (first.at_ns or 0)) / MS == 23
    assert second.flags == ()


def test_short_ids_settle_each_other_from_the_first_on():
    """Each of them was accepted in the second after its MAIL, or just before the end of it."""
    assert stamps_ms(short(0, 990), short(0, 1), short(1, 7), dovecot(1, 1_011)) == [990, 1_001, 1_007, 1_011]


def test_a_short_id_that_nothing_settles_keeps_its_date():
    _, between, _ = refine_trace((), (postfix(0, 980), short(0, 500), postfix(0, 990)))

    assert (between.at_ns, between.stamp_source, between.flags) == (DATE_NS, "date", (UNSETTLED,))


def test_hops_without_a_stamp_are_passed_over_when_neighbours_are_looked_for():
    unknown = Hop(by="nowhere")

    assert stamps_ms(postfix(0, 980), unknown, short(0, 3))[2] == 1_003


def test_the_message_id_of_ses_is_of_the_hop_where_ses_took_the_message():
    hops = (hop(0, None), hop(1, "ses"), hop(1, "ses"), postfix(1, 1_900))
    fields = [("message-id", SES_ID % (DATE_NS // MS + 1_443))]

    refined = refine_trace(fields, hops)

    assert [each.stamp_source for each in refined] == ["date", "ses_message_id", "date", "postfix_id"]
    assert refined[1].at_ns == DATE_NS + 1_443 * MS


def test_only_the_messages_own_id_counts():
    fields = [("message-id", b"<a@example.org>"), ("message-id", SES_ID % (DATE_NS // MS + 443))]

    assert stamps_ms(hop(0, "ses"), fields=fields) == [0]


def test_a_message_id_of_another_day_is_of_no_hop():
    fields = [("message-id", SES_ID % (DATE_NS // MS + 86_400_443))]

    assert stamps_ms(hop(0, "ses"), fields=fields) == [0]


def test_microsofts_times_are_put_in_place():
    fields = [
        ("x-ms-exchange-crosstenant-originalarrivaltime", b"18 Nov 2026 11:06:40.1748 (UTC)"),
        ("x-ms-exchange-transport-endtoendlatency", b"00:00:02.0000000"),
    ]

    assert stamps_ms(hop(0, "exchange"), hop(2, "exchange"), fields=fields) == [174.8, 2_174.8]


def test_a_connection_that_was_open_before_the_message_came_is_not_its_stamp():
    """A delay of -1.1 s between two dates of the same second cannot be: the connection waited for the message."""
    assert stamps_ms(postfix(0, 900), dovecot(0, -200)) == [900, 0]


def test_clocks_that_are_apart_are_left_apart():
    """The dates have the same story to tell: that is what the raw delays are for."""
    assert stamps_ms(postfix(0, 400), postfix(-41, -40_700)) == [400, -40_700]


def test_fractions_may_turn_time_back_within_the_dates_second():
    assert stamps_ms(postfix(0, 400), postfix(0, 100)) == [400, 100]


def test_a_recipient_accepted_late_does_not_make_the_next_delay_negative():
    """The next hop's clock is behind: by its date it was 1 s before, not 5 s."""
    assert stamps_ms(postfix(0, 4_500), hop(-1, "exchange")) == [0, -1_000]


OFFSETS = st.integers(-3_000, 6_000)


@given(
    st.lists(
        st.one_of(
            st.builds(postfix, st.integers(-2, 4), OFFSETS),
            st.builds(exim, st.integers(-2, 4), OFFSETS),
            st.builds(dovecot, st.integers(-2, 4), OFFSETS),
            st.builds(short, st.integers(-2, 4), st.integers(0, 999)),
            st.builds(hop, st.integers(-2, 4), st.sampled_from(["exchange", None])),
            st.just(Hop(by="nowhere")),
        ),
        max_size=12,
    )
)
def test_no_delay_is_more_negative_than_the_dates_and_their_resolution_explain(hops):
    refined = refine_trace((), hops)

    dated_ns = [each.at_ns for each in hops if each.at_ns is not None]
    refined_ns = [each.at_ns for each in refined if each.at_ns is not None]
    for (old_before, old), (before, new) in zip(pairwise(dated_ns), pairwise(refined_ns), strict=True):
        assert new - before >= min(0, old - old_before - SECOND_NS)


@given(st.lists(st.builds(hop, st.integers(-2, 4), st.sampled_from(["exchange", "ses", None])), max_size=8))
def test_where_nothing_tells_more_nothing_is_changed(hops):
    assert refine_trace((), hops) == tuple(hops)


def test_all_but_the_stamp_stays_as_it_was():
    before = replace(postfix(0, 100), by="mx.example.net", flags=("may_be_forged",), for_="a@example.net")

    (after,) = refine_trace((), (before,))

    changed = {"at_ns", "resolution_seconds", "stamp_source", "stamp_event"}
    assert all(getattr(before, name) == getattr(after, name) for name in Hop.__slots__ if name not in changed)

"""Where the way leaves our side and enters the other, who says so, and how the time divides."""

import pytest

from smtp_probe.mail.path.division import (
    Division,
    Sides,
    assign_roles,
    divide,
    echo_roles,
    find_egress,
    time_echo,
    time_legs,
)
from smtp_probe.model import HopTime, Leg, Span
from tests.mail.lines import chain, line, passages

WAY = (
    ("submit.example.org", "08:00:00"),
    ("out.example.org", "08:00:01"),
    ("scanner.example.com", "08:00:02"),
    ("mx.example.net", "08:00:03"),
    ("store.example.net", "08:00:04"),
)


def hop_times(*lasts, took=100):
    first, times = 1, []
    for last in lasts:
        span = Span(took_ns=took * last, least_ns=took * last - 10, most_ns=took * last + 10)
        times.append(HopTime(first=first, last=last, by=f"h{last}", span=span))
        first = last + 1
    return times


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (Sides(), Division(leaves=2, enters=4)),
        (Sides(sending=("example.org",), receiving=("example.net",)), Division(leaves=2, enters=4)),
        (Sides(sending=("submit.example.org",)), Division(leaves=1, enters=4)),
        (Sides(sending=("example.org", "example.com")), Division(leaves=3, enters=4)),
        (Sides(receiving=("store.example.net",)), Division(leaves=2, enters=5)),
        (Sides(sending=("elsewhere.test",)), Division(leaves=0, enters=4)),
        (Sides(receiving=("elsewhere.test",)), Division(leaves=2, enters=None)),
    ],
)
def test_the_way_is_divided_as_configured_or_by_names(sides, expected):
    assert divide(passages(chain(*WAY)), sides) == expected


def test_within_one_organisation_only_the_settings_can_divide():
    inside = passages(
        chain(
            ("submit.example.test", "08:00:00"),
            ("relay.example.test", "08:00:01"),
            ("store.example.test", "08:00:02"),
            source="probe.example.test",
        )
    )
    sending, receiving = ("submit.example.test",), ("store.example.test",)

    assert divide(inside, Sides()) == Division(leaves=0, enters=1)
    assert divide(inside, Sides(sending=sending)) == Division(leaves=1, enters=2)
    assert divide(inside, Sides(sending=sending, receiving=receiving)) == Division(leaves=1, enters=3)
    assert divide((), Sides()) == Division()


def test_what_lies_in_between_is_claimed():
    roles = assign_roles(passages(chain(*WAY)), Division(leaves=2, enters=4))

    assert [role.is_trusted for role in roles] == [True, True, False, True, True]
    assert [role.leg for role in roles] == [
        *(Leg.OUTBOUND, Leg.OUTBOUND, Leg.TRANSPORT, Leg.TRANSPORT, Leg.INBOUND)
    ]
    assert all(role.is_encrypted for role in roles)


def test_the_egress_is_what_the_first_foreign_host_saw():
    header = line("mx.example.net", "08:00:03", source="OUT.example.org.", ip="198.51.100.7") + line(
        "submit.example.org", "08:00:00", ip="10.0.0.9"
    )
    found = passages(header)
    egress = find_egress(found, divide(found, Sides()))

    assert egress is not None
    assert (egress.address, egress.ehlo_name, egress.seen_by) == (
        *("198.51.100.7", "out.example.org", "mx.example.net"),
    )
    assert (egress.hop, egress.is_trusted) == (2, True)


def test_what_a_stranger_says_of_the_egress_is_a_claim():
    found = passages(chain(*WAY))
    egress = find_egress(found, divide(found, Sides()))

    assert egress is not None
    assert (egress.hop, egress.seen_by, egress.is_trusted) == (3, "scanner.example.com", False)


def test_a_name_that_is_none_is_not_handed_on():
    found = passages(line("mx.example.net", source="bad_name!"))
    egress = find_egress(found, Division(enters=1))

    assert egress is not None
    assert egress.ehlo_name is None


def test_no_egress_where_we_logged_in_at_the_other_side_or_never_left():
    login = passages(line("mx.example.net", with_="ESMTPSA"))

    assert find_egress(login, Division(enters=1)) is None
    assert find_egress(passages(chain(*WAY)), Division(leaves=5)) is None
    assert find_egress((), Division()) is None


def test_the_legs_add_up_to_the_whole():
    times = hop_times(1, 2, 3, 4, 5, 6)
    legs = time_legs(times, Division(leaves=2, enters=4))

    assert [each.leg for each in legs] == [Leg.OUTBOUND, Leg.TRANSPORT, Leg.INBOUND]
    assert sum(each.span.took_ns for each in legs) == sum(each.span.took_ns for each in times)
    assert [(each.span.least_ns, each.span.most_ns) for each in legs] == [
        (280, 320),
        (680, 720),
        (1080, 1120),
    ]


def test_a_border_inside_of_merged_hops_is_not_invented():
    assert [each.leg for each in time_legs(hop_times(1, 3, 4, 6), Division(leaves=2, enters=4))] == [
        Leg.INBOUND
    ]
    assert [each.leg for each in time_legs(hop_times(1, 2, 6), Division(leaves=2, enters=4))] == [
        Leg.OUTBOUND
    ]
    assert time_legs(hop_times(5), Division()) == ()


def test_a_way_that_begins_at_the_other_side_has_no_outbound():
    legs = time_legs(hop_times(1, 2, 3), Division(leaves=0, enters=1))

    assert [(each.leg, each.span.took_ns) for each in legs] == [(Leg.TRANSPORT, 100), (Leg.INBOUND, 500)]


def test_an_echo_is_divided_at_the_last_quoted_hop_or_at_the_answers_first():
    times = hop_times(1, 2, 3, 4)
    quoted, unquoted = time_echo(times, 2), time_echo(times, 0)

    assert [(each.leg, each.span.took_ns) for each in quoted] == [(Leg.OUTBOUND, 300), (Leg.RETURN, 700)]
    assert [(each.leg, each.span.took_ns) for each in unquoted] == [(Leg.OUTBOUND, 100), (Leg.RETURN, 900)]
    assert sum(each.span.took_ns for each in quoted) == sum(each.span.took_ns for each in times)


def test_an_echo_is_not_divided_where_nobody_knows_the_border():
    assert time_echo(hop_times(2, 3), 0) == ()
    assert time_echo(hop_times(1, 3, 4), 2) == ()
    assert time_echo(hop_times(1), 0) == ()
    assert time_echo((), 0) == ()


def test_what_an_answer_quotes_is_a_claim_and_our_own_lines_are_not():
    roles = echo_roles(passages(chain(*WAY)), 2, Sides(receiving=("example.net",)))

    assert [role.leg for role in roles] == [Leg.OUTBOUND] * 2 + [Leg.RETURN] * 3
    assert [role.is_trusted for role in roles] == [False, False, False, True, True]
    assert [role.position for role in roles] == [1, 2, 3, 4, 5]

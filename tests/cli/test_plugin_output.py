"""A result as a monitoring plugin says it."""

from dataclasses import replace

import pytest

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.plugin_output import State, parse_range, plain_line, plugin_line, state_of
from smtp_probe.model import OutcomeKind
from tests.cli.views import HOSTILE, is_plain, outcome
from tests.report.samples import make_bounce, make_outcome, make_probe, make_submission


def delivered(**facts):
    return SingleResult(route="inbound", outcome=outcome(**facts))


@pytest.mark.parametrize(
    ("text", "quiet", "alert"),
    [
        ("10", [0, 5.5, 10], [-0.1, 10.001]),
        ("10:", [10, 1e12], [9.999, -1]),
        ("~:10", [-1e12, 10], [10.1]),
        ("10:20", [10, 20], [9.9, 20.1]),
        ("@10:20", [9.9, 20.1], [10, 15, 20]),
        ("0.25", [0.25], [0.2501]),
        ("~:", [-5, 5], []),
    ],
)
def test_a_range_is_read_as_the_guidelines_write_it(text, quiet, alert):
    limit = parse_range(text)

    assert [value for value in quiet if limit.alerts(value)] == []
    assert [value for value in alert if not limit.alerts(value)] == []


@pytest.mark.parametrize(
    "text", ["", "@", "ten", "20:10", "10s", "1e3", "10:20:30", "-5", "~", "nan", "1\n", "1|2"]
)
def test_what_is_no_range_is_refused_with_a_reason(text):
    with pytest.raises(ValueError, match="range"):
        parse_range(text)


@pytest.mark.parametrize(
    ("warning", "critical", "state"),
    [
        (None, None, State.OK),
        ("3", "5", State.OK),
        ("2", "5", State.WARNING),
        ("1", "2", State.CRITICAL),
        (None, "2.6", State.CRITICAL),
        ("2.6", None, State.WARNING),
    ],
)
def test_a_delivery_is_judged_by_both_ranges_the_graver_first(warning, critical, state):
    limits = [None if text is None else parse_range(text) for text in (warning, critical)]

    assert state_of(delivered(), *limits) is state


def test_a_delivery_says_which_range_was_left_and_carries_the_ranges():
    line = plugin_line(delivered(), parse_range("1"), parse_range("~:60"))

    assert line == (
        "SMTP_PROBE WARNING - inbound: delivered in 2.64 s (warning range 1)"
        " | delivery=2.640000s;1;~:60;0 visibility=0.004000s;;;0 submission=0.033040s;;;0"
    )


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.REFUSED, State.CRITICAL),
        (OutcomeKind.JUNKED, State.CRITICAL),
        (OutcomeKind.LATE, State.CRITICAL),
        (OutcomeKind.BOUNCED, State.CRITICAL),
        (OutcomeKind.UNOBSERVED, State.UNKNOWN),
    ],
)
def test_mail_that_did_not_get_through_is_critical_and_our_own_gap_is_unknown(kind, state):
    result = SingleResult(route="example", outcome=make_outcome(kind))

    assert state_of(result, parse_range("~:"), parse_range("~:")) is state
    assert plugin_line(result, None, None).startswith(f"SMTP_PROBE {state.name} - example: ")


def test_an_overdue_probe_is_critical_and_what_is_not_known_is_said_so():
    overdue = SingleResult(route="example", probe=make_probe(), submission=make_submission(), is_overdue=True)

    assert plugin_line(overdue, None, parse_range("9")) == (
        "SMTP_PROBE CRITICAL - example: overdue: not arrived within 5 min; it may still come"
        " | delivery=U;;9;0 visibility=U;;;0 submission=2.048000s;;;0"
    )


def test_a_delivery_without_a_time_cannot_be_judged_by_a_range():
    known = outcome()
    timeless = replace(known, submission=replace(known.submission, final_dot_ns=None))
    result = SingleResult(route="inbound", outcome=timeless)
    assert timeless.delivery_seconds is None

    assert state_of(result, None, None) is State.OK
    assert state_of(result, parse_range("5"), None) is State.UNKNOWN
    assert "(the delivery time is not known)" in plugin_line(result, None, parse_range("5"))


def test_what_a_server_wrote_cannot_forge_performance_data_or_a_second_line():
    bounce = make_bounce(diagnostic=f"550 no | delivery=0s;;;0\r\nOK {HOSTILE}")
    line = plugin_line(
        SingleResult(route="example", outcome=make_outcome(OutcomeKind.BOUNCED, bounce=bounce)), None, None
    )

    assert line.count("|") == 1
    assert is_plain(line)
    assert "\n" not in line
    assert plain_line(State.UNKNOWN, "a\nb | c") == "SMTP_PROBE UNKNOWN - a b / c"

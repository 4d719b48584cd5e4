"""Drawings of a route."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import OutcomeKind
from smtp_probe.report.history import Beat, State
from smtp_probe.report.web.plots import heartbeat, latency_plot, legend, sparkline, stack_plot, tone
from smtp_probe.report.web.route_view import HopStack, LatencyPoint
from tests.report.samples import START_NS

G, F, U = State.GOOD, State.FAILED, State.UNOBSERVED
seconds = st.floats(-1e9, 1e12, allow_nan=False)


def beats(*states, delivery=1.0):
    return [
        Beat(f"p{n}", state, OutcomeKind.DELIVERED, n, START_NS, delivery) for n, state in enumerate(states)
    ]


def read(markup):
    return ET.fromstring(str(markup))


def test_a_heartbeat_ends_with_the_newest_and_says_the_same_in_words():
    svg = read(heartbeat(beats(G, G, F, U)))

    assert svg.get("aria-label") == "last 4 probes: 2 good, 1 failed, 1 not observed"
    assert {path.get("class"): path.get("d") for path in svg} == {
        "g": "M56 13h2",
        "f": "M58 10h1",
        "u": "M59 17h1",
    }


def test_what_comes_again_is_drawn_where_it_belongs():
    svg = read(heartbeat(beats(G, F, F, G, G, F)))

    assert [path.get("d") for path in svg] == ["M54 13h1m2 0h2", "M55 10h2m2 0h1"]


def test_before_anything_ended_it_says_so():
    assert read(heartbeat([])).get("aria-label") == "no probe has ended yet"


def test_one_probe_is_no_plural():
    assert read(heartbeat(beats(F))).get("aria-label") == "the only probe so far: 1 failed"


def test_a_full_heartbeat_of_successes_is_small():
    assert len(heartbeat(beats(*[G] * 60))) < 200


def test_a_sparkline_needs_two_points():
    assert sparkline(beats(G)) == ""
    assert read(sparkline(beats(G, G)))[0].get("d") == "M0 1l1 0"
    assert sparkline(beats(F, F, delivery=None)) == ""


@given(st.lists(st.one_of(st.none(), seconds), max_size=70))
def test_a_sparkline_has_each_time_in_its_place_and_stays_within_its_frame(values):
    shown = values[-60:]
    drawn = sparkline([replace(beats(G)[0], delivery_seconds=value) for value in values])
    known = [(number, value) for number, value in enumerate(shown) if value is not None]
    if len(known) < 2:
        assert drawn == ""
        return
    svg = read(drawn)
    assert svg.get("viewBox") == f"0 0 {len(shown) - 1} 20"
    x = y = 0
    for (number, value), step in zip(known, re.findall(r"(\d+) ?(-?\d+)", svg[0].get("d")), strict=True):
        x, y = x + int(step[0]), y + int(step[1])
        assert x == number
        assert abs(y - (19 - 18 * max(0.0, value) / max(1e-9, *(each for _, each in known)))) <= 0.51


@given(st.lists(st.one_of(st.none(), seconds), max_size=30))
def test_a_latency_plot_stays_within_its_frame(values):
    points = [
        LatencyPoint(f"p<{n}>", START_NS + n, G if v is not None else F, v) for n, v in enumerate(values)
    ]
    drawn = latency_plot(points, "/")
    if not any(value is not None for value in values):
        assert drawn == ""
        return
    svg = read(drawn)
    circles = list(svg.iter("circle"))

    assert len(circles) == sum(value is not None for value in values)
    assert all(
        0 <= float(circle.get("cy")) <= 220 and 0 <= float(circle.get("cx")) <= 860 for circle in circles
    )
    assert len(list(svg.iter("a"))) == len(values)


def test_a_plot_over_wide_ranges_has_ticks_in_powers():
    texts = [t.text for t in read(latency_plot([LatencyPoint("a", START_NS, G, 0.02), LatencyPoint("b", START_NS, F, 900.0)], "/")).iter("text")]  # fmt: skip

    assert texts[:3] == ["10 ms", "100 ms", "1 s"]


def test_long_times_have_ticks_in_minutes_and_hours():
    def ticks(longest):
        points = [LatencyPoint("a", START_NS, G, longest / 10), LatencyPoint("b", START_NS, G, longest)]
        return [text.text for text in read(latency_plot(points, "/")).iter("text")][:-2]

    assert ticks(400.0) == ["0", "2 min", "4 min", "6 min"]
    assert ticks(20_000.0) == ["0", "60 min", "2 h", "3 h", "4 h", "5 h"]


@given(st.lists(st.lists(seconds, min_size=1, max_size=5), max_size=10))
def test_stacks_are_drawn_with_what_is_positive(values):
    stacks = [
        HopStack("p", START_NS, tuple((f"{i} <h>", s) for i, s in enumerate(parts, 1))) for parts in values
    ]
    drawn = stack_plot(stacks)
    if not any(each > 0 for parts in values for each in parts):
        assert drawn == ""
    else:
        assert all(float(rect.get("height")) <= 220 for rect in read(drawn).iter("rect"))


def test_a_legend_names_the_tones_that_the_stacks_have():
    assert tone("2 mx") == "t2"
    assert "&lt;b&gt;" in legend(["1 <b>"])

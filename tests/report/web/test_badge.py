"""The badge of a route."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from smtp_probe.report.history import State
from smtp_probe.report.web.badge import render_badge
from smtp_probe.report.web.overview import view_row
from smtp_probe.report.web.snapshot import take_route
from tests.report.samples import life_of, make_outcome, make_telemetry, tell


@pytest.fixture
def view():
    telemetry = make_telemetry()
    tell(telemetry, *life_of(make_outcome()))
    return view_row(take_route(telemetry, telemetry.history.route("example"), {})).view


def test_it_says_the_state_in_words(view):
    svg = ET.fromstring(render_badge(view))

    assert svg.get("aria-label") == "example: delivering, 1.50 s"


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word_and_a_colour(view, state):
    assert ET.fromstring(render_badge(replace(view, state=state))) is not None


def test_a_name_is_escaped_and_cut(view):
    svg = ET.fromstring(render_badge(replace(view, name="<script>" * 100)))

    assert svg.get("aria-label").startswith("<script><script>")
    assert float(svg.attrib["width"]) < 500

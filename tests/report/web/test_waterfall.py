"""The waterfall of one message."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from smtp_probe.model import OutcomeKind
from smtp_probe.report.archive import ProbeRecord
from smtp_probe.report.web.probe_view import view_probe
from smtp_probe.report.web.views import CorrectedHopView
from smtp_probe.report.web.waterfall import submission_waterfall, way_waterfall
from tests.report.web.stage import delivery, ending


def view_of(outcome):
    return view_probe(ProbeRecord(probe=outcome.probe, outcome=outcome))


def test_each_phase_has_its_bar():
    svg = ET.fromstring(str(submission_waterfall(view_of(delivery(1)))))

    assert [text.text for text in svg.findall("text[@class='name']")][:2] == ["resolve", "connect"]
    assert len(svg.findall("rect")) == 11


def test_the_way_goes_from_the_first_syn_to_our_seeing_it():
    view = view_of(delivery(1, seconds=8.0))
    hop = CorrectedHopView(label="<mx>", seconds=2.0, lower_seconds=1.0, upper_seconds=3.0)
    svg = ET.fromstring(str(way_waterfall(replace(view, corrected_hops=(hop,)))))
    values = [text.text for text in svg.findall("text[@class='value']")]

    assert values == ["1.00 s", "1.00 s", "2.00 s", "8.00 s", "500 ms"]
    assert svg.findall("text[@class='name']")[2].text == "hop <mx>"


def test_what_never_arrived_has_no_way():
    lost = view_of(ending(OutcomeKind.LOST, 1))

    assert way_waterfall(lost) == ""
    assert submission_waterfall(replace(lost, phases=())) == ""

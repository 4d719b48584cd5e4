"""The landing page: everything said, nothing executed."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import Disposition, OutcomeKind, Phase, Reply
from smtp_probe.report.pages import MAX_ROUTES, render_landing_page, show_time, take_overview
from tests.report.samples import (
    START_NS,
    life_of,
    make_config,
    make_outcome,
    make_probe,
    make_submission,
    make_telemetry,
    tell,
)


class Reader(HTMLParser):
    """Collects the elements and the text of the cells."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.cells, self.open = set(), set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] += data


def read(telemetry):
    reader = Reader()
    reader.feed(render_landing_page(take_overview(telemetry.observations, telemetry.history)))
    return reader


def refusal(text):
    reply = Reply(code=550, enhanced="5.7.1", text=text)
    return make_outcome(
        OutcomeKind.REFUSED, submission=make_submission(Disposition.REFUSED, last=Phase.RCPT, reply=reply)
    )


def test_before_anything_happened_the_page_says_so():
    cells = read(make_telemetry()).cells

    assert cells == [
        *("Journal", "cannot be written: nothing is sent until it can"),
        *("Configuration", "in use"),
        *("Mailbox inbox", "not watched"),
        *("example", "waiting", "no probe has ended yet", "\N{EN DASH}"),
        "No probe has ended yet.",
    ]


def test_our_own_side_comes_first_then_routes_then_probes():
    telemetry = make_telemetry(make_config("one", "two"))
    telemetry.observations.journal_state(up=True)
    telemetry.observations.mailbox_state("inbox", up=False, why="login: auth_refused")
    telemetry.observations.config_reloaded(ok=False)
    tell(telemetry, *life_of(make_outcome(probe=make_probe(1, "one"))))
    tell(telemetry, *life_of(make_outcome(OutcomeKind.REFUSED, probe=make_probe(2, "two"))))
    refused, at = "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy", "2026-09-21 14:13:30"

    assert read(telemetry).cells == [
        *("Journal", "can be written"),
        *("Configuration", "the last reload failed: the one from before is in use"),
        *("Mailbox inbox", "not watched: login: auth_refused"),
        *("two", "failed", refused, at),
        *("one", "good", "delivered in 1.50 s", at),
        *(at, "two", "refused", refused, "probe0002"),
        *(at, "one", "delivered", "delivered in 1.50 s", "probe0001"),
    ]


@given(st.text(max_size=200).map(lambda text: f"<script>alert(1)</script>\"'>{text}"))
def test_what_a_server_wrote_is_shown_and_never_becomes_markup(text):
    plain, hostile = make_telemetry(), make_telemetry()
    tell(plain, *life_of(refusal("plain")))
    tell(hostile, *life_of(refusal(text)))
    hostile.observations.mailbox_state("inbox", up=False, why=text)

    assert read(hostile).tags == read(plain).tags
    assert read(hostile).attributes == read(plain).attributes
    assert any("<script>alert(1)</script>" in cell for cell in read(hostile).cells)


def test_the_page_needs_no_script_and_nothing_from_elsewhere():
    reader = read(make_telemetry())
    page = render_landing_page(take_overview(make_telemetry().observations, make_telemetry().history))

    assert not reader.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert not {name for name in reader.attributes if name.startswith("on") or name == "style"}
    assert "//" not in re.sub(r"<!DOCTYPE html>", "", page)
    assert "prefers-color-scheme: dark" in page


def test_many_routes_are_cut_with_a_word_on_the_rest_and_failures_are_among_the_shown():
    routes = [f"route{number:04d}" for number in range(MAX_ROUTES + 20)]
    telemetry = make_telemetry(make_config(*routes))
    tell(telemetry, *life_of(make_outcome(OutcomeKind.LOST, probe=make_probe(route=routes[-1]))))
    overview = take_overview(telemetry.observations, telemetry.history)

    assert len(overview.routes) == MAX_ROUTES
    assert overview.routes[0].route == routes[-1]
    assert "20 more routes are not shown." in render_landing_page(overview)


def test_times_are_utc_to_the_second():
    assert show_time(START_NS + 999_999_999) == "2026-09-21 14:13:20"
    assert show_time(None) == "\N{EN DASH}"

"""A run of the demo as plain lines and as JSON."""

import json

import pytest

from smtp_probe.cli.boards import JsonBoard, Opening, PlainBoard, draw_opening
from smtp_probe.cli.lines import Told
from smtp_probe.cli.tally import Tally
from smtp_probe.cli.terminal import open_console
from smtp_probe.model import OutcomeKind, ProbeEnded, ProbeOverdue
from tests.cli.views import Page, is_plain, missed, outcome, shown
from tests.report.samples import START_NS, make_probe

OPENING = Opening(
    title="a demo",
    addresses=(("status page", "http://127.0.0.1:1/"), ("metrics", "http://127.0.0.1:1/metrics")),
    scenarios=(("on-time", "All is well."),),
    closing="Ctrl-C ends it.",
)
EVENTS = (
    ProbeEnded(outcome=outcome(OutcomeKind.BOUNCED)),
    missed(),
    ProbeOverdue(probe=make_probe(), at_ns=START_NS),
    ProbeEnded(outcome=outcome(OutcomeKind.DELIVERED)),
)


def play(board, tally):
    """A whole run."""
    board.open(OPENING)
    for event in EVENTS:
        tally.learn(event)
        board.show(Told(event, START_NS))
        board.tick(START_NS)
    board.remark("level=warning [red]")
    board.close(20.0)
    board.leave()


@pytest.fixture
def tally():
    return Tally(["inbound", "on-time"])


def test_the_opening_tells_the_addresses_and_what_there_is_to_see():
    assert shown(draw_opening(OPENING)) == (
        "a demo\n\n"
        "  status page  http://127.0.0.1:1/\n"
        "  metrics      http://127.0.0.1:1/metrics\n\n"
        "  on-time      All is well.\n\n"
        "Ctrl-C ends it.\n"
    )


def test_plain_lines_are_never_cut_and_hold_no_control_character(tally):
    page = Page()

    play(PlainBoard(tally, open_console(page, {"COLUMNS": "40", "FORCE_COLOR": "1"})), tally)

    text = page.getvalue()
    assert "14:13:30Z  inbound  bounced             -  bounced: 5.1.1 user unknown\n" in text
    assert "hops: relay +0 s, filter +1 s, store +2 s (own clocks, whole seconds ±1 s)\n" in text
    assert text.endswith("\n2 probes ended in 20.00 s, 2 slots missed.\n")
    assert "level=warning [red]\n" in text
    assert is_plain(text)


def test_json_has_an_object_for_each_end_and_the_words_go_elsewhere(tally):
    objects, words = Page(), Page()

    play(JsonBoard(tally, open_console(objects, {}), open_console(words, {})), tally)

    read = [json.loads(line) for line in objects.getvalue().splitlines()]
    assert [facts["outcome"] for facts in read] == ["bounced", "delivered"]
    assert "metrics: http://127.0.0.1:1/metrics\n" in words.getvalue()
    assert "2 probes ended in 20.00 s" in words.getvalue()

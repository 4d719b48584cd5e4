"""The feed of changes."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from smtp_probe.model import OutcomeKind
from smtp_probe.report.history import Change, State, beat_of
from smtp_probe.report.state_changes import End, changes_of
from smtp_probe.report.web.feed import render_feed
from tests.report.samples import (
    NS,
    START_NS,
    life_of,
    make_config,
    make_outcome,
    make_probe,
    make_telemetry,
    one_by_one,
    tell,
)

A = "{http://www.w3.org/2005/Atom}"


def change(route="example", at_ns=START_NS + NS, before=State.GOOD, state=State.FAILED):
    return Change(route=route, at_ns=at_ns, before=before, state=state, sentence="550 <no>", probe_id="p1")


def test_it_has_what_atom_requires():
    feed = ET.fromstring(render_feed([change()], "https://probe.example.org/x/", START_NS))

    assert feed.tag == A + "feed"
    for parent in (feed, feed.find(A + "entry")):
        assert all(
            parent.find(A + name) is not None and parent.find(A + name).text
            for name in ("id", "title", "updated")
        )
    assert feed.find(f"{A}author/{A}name").text
    entry = feed.find(A + "entry")
    assert entry.find(A + "title").text == "example fails"
    assert entry.find(A + "summary").text == "550 <no>"
    assert entry.find(A + "link").get("href") == "https://probe.example.org/x/probes/p1"
    assert feed.find(A + "updated").text == "2026-09-21T14:13:21.000000Z"


def test_an_entry_keeps_its_id():
    once, again = (ET.fromstring(render_feed([change()], base, START_NS)) for base in ("/", "/other/"))

    assert once.find(f"{A}entry/{A}id").text == again.find(f"{A}entry/{A}id").text


async def test_after_a_start_it_is_what_it_was():
    """Each entry has the same id and the same sentence, and stands in it once."""
    good = make_outcome()
    later = replace(make_probe(2, created_ns=START_NS + 60 * NS), probe_id="p2")
    lost = replace(
        make_outcome(OutcomeKind.LOST, probe=later), was_overdue=True, ended_ns=START_NS + 3600 * NS
    )
    before, after = (make_telemetry(make_config("example")) for _ in range(2))
    tell(before, *life_of(good), *life_of(lost))
    await after.recall(one_by_one([good, lost]))
    ends = [good, lost]
    after.history.recall_route(
        "example", [beat_of(end) for end in ends], lost, changes_of(list(map(End.of, ends)))
    )
    first, second = (render_feed(each.history.changes(), "/", START_NS) for each in (before, after))

    assert first == second
    assert b"overdue: not arrived within 5 min" in first


def test_without_a_change_it_is_a_feed_all_the_same():
    feed = ET.fromstring(render_feed([], "/", START_NS))

    assert feed.find(A + "updated").text == "2026-09-21T14:13:20.000000Z"
    assert feed.find(A + "entry") is None


def test_the_first_result_is_no_recovery():
    feed = ET.fromstring(render_feed([change(before=State.WAITING, state=State.GOOD)], "/", START_NS))

    assert feed.find(f"{A}entry/{A}title").text == "example delivers"

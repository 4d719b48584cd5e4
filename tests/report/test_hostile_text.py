"""Whatever a stranger writes, in whatever field: pages get no element of it, log and terminal no character that acts."""

import json
import logging
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_probe.cli.waterfall import sections
from smtp_probe.model import Hop, HopDelay, OutcomeKind, Trace
from smtp_probe.report.archive import ProbeRecord
from smtp_probe.report.event_log import log_event
from smtp_probe.report.log_format import JsonFormatter, LogfmtFormatter
from smtp_probe.report.web.probe_view import view_probe
from smtp_probe.report.web.rendering import render
from smtp_probe.report.web.waterfall import submission_waterfall, way_waterfall
from tests.cli.views import is_plain, shown
from tests.report.samples import life_of, make_bounce, refused
from tests.report.web.stage import delivery, ending
from tests.report.web.test_rendering import elements_of

pytestmark = pytest.mark.slow

NASTY = ("<script>alert(1)</script>", "\"'><img src=x>", "\x1b[2J\x1b]0;x\x07", "\u202e", "\u2066", "\u200b", "\r\nlevel=error ",
         "\x00", "{{7*7}}", "{% raw %}", "[bold red]", "\\", "&lt;", "]]>", "--><b>", "\x9b31m", "\ud800", "\u0085")  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=20)), min_size=1, max_size=12).map(
    "".join
)
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def arrived(text):
    made = delivery(1)
    hop = Hop(
        by=text,
        from_name=text,
        from_host=text,
        from_ip=text,
        with_=text,
        id=text,
        tls_version=text,
        software=text,
    )
    trace = Trace(hops=(hop,), delays=(HopDelay(position=1, by=text, delay_seconds=None),), flags=(text,))
    return replace(made, arrival=replace(made.arrival, trace=trace)), text.encode("utf-8", "replace")


def bounced(text):
    bounce = make_bounce(
        action=text, status=text, recipient=text, reporting_mta=text, remote_mta=text, diagnostic=text
    )
    submission = replace(refused(550, text, text), peer_address=text, local_address=text, queue_id=text)
    return ending(OutcomeKind.BOUNCED, 1, bounce=bounce, submission=submission), b""


def page_of(outcome, header):
    probe = view_probe(ProbeRecord(probe=outcome.probe, outcome=outcome, header=header))
    drawings = {"way": way_waterfall(probe), "submission": submission_waterfall(probe)}
    return render("probe.html", base="/", here="none", probe=probe, **drawings)


@settings(deadline=None, max_examples=60)
@given(hostile.filter(lambda text: text.strip()))
def test_pages(text):
    for make in (arrived, bounced):
        page, plain = page_of(*make("<x> " + text)), page_of(*make("x"))

        # As many elements of each kind as with a plain text, but for lines that a text may fill or leave out.
        assert {name for name, _ in elements_of(page)} == {name for name, _ in elements_of(plain)}
        assert {names for _, names in elements_of(page)} == {names for _, names in elements_of(plain)}
        assert not ACTING.search(page)


@settings(deadline=None, max_examples=60)
@given(hostile)
def test_log(text):
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(LogfmtFormatter().format(record))
            lines.append(JsonFormatter().format(record))

    logger, keep = logging.getLogger("smtp_probe"), Keep()
    logger.addHandler(keep)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        for make in (arrived, bounced):
            for event in life_of(make(text)[0]):
                log_event(event)
    finally:
        logger.setLevel(before)
        logger.removeHandler(keep)

    assert len(lines) >= 8
    for line in lines:
        assert "\n" not in line
        assert not ACTING.search(line)
        assert line.startswith("ts=") or json.loads(line)


@settings(deadline=None, max_examples=60)
@given(hostile)
def test_terminal(text):
    for make in (arrived, bounced):
        printed = shown(sections(make(text)[0]))

        assert is_plain(printed)
        assert not ACTING.search(printed)

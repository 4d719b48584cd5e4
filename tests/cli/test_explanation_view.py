"""An explanation as lines of a width."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from smtp_probe.cli.explanation_view import draw_explanation
from smtp_probe.cli.terminal import ASCII, LINES
from smtp_probe.mail.explanation.explain import explain_message
from smtp_probe.mail.explanation.mailbox_file import SavedMessage, split_messages
from tests.mail.lines import chain, line

MAILS = sorted((Path(__file__).parent.parent / "data" / "received").glob("*.eml"))
SOUND = b"From: Joe <joe@example.org>\r\nTo: ann@example.net\r\nSubject: hi\r\nDate: Tue, 1 Sep 2026 08:00:00 +0000\r\n"
SLOW = chain(
    ("desk.example.org", "08:00:01"),
    ("out.example.org", "08:00:02"),
    ("mx.example.net", "08:00:50"),
    ("store.example.net", "08:00:51"),
    source="laptop",
)

WIDE = """\
a.eml
subject    hi
from       Joe <joe@example.org>
to         ann@example.net
date       Tue, 1 Sep 2026 08:00:00 +0000
total      +50 s ±1 s from the first stamp to the last
outbound   +1 s from hop 1 to hop 2
transport  +48 s from hop 2 to hop 3
inbound    +1 s from hop 3 to hop 4
own        example.net, hops 3 to 4 (assumed from the topmost line; --own sets it); others' claims:
           hops 1 to 2

hops  oldest first; raw, each by its own host's clock
 1 desk.example.org  ESMTPS TLS          first ╸
 2 out.example.org   ESMTPS TLS      +1 s ±1 s ━
>3 mx.example.net    ESMTPS TLS     +48 s ±1 s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
 4 store.example.net ESMTPS TLS      +1 s ±1 s                                                     ━

note     48 s of 50 s in all (96 %) passed between the stamps of hop 2 (out.example.org) and hop 3
         (mx.example.net). It waited in the queue of out.example.org, or mx.example.net put it off
         or was slow to take it: the log of out.example.org has the reason.
"""
NARROW = """\
hops  oldest first; raw, own clocks
 1 desk.example.org        first -
 2 out.example.org    +1 s +-1 s -
>3 mx.example.net    +48 s +-1 s =======
 4 store.example.net  +1 s +-1 s       -
"""


def explain(header):
    return explain_message(SavedMessage(number=1, header=header))


def draw(header, width=100, glyphs=LINES, **options):
    return "".join(
        f"{text.plain}\n" for text in draw_explanation("a.eml", explain(header), width, glyphs, **options)
    )


def test_a_message_on_a_wide_page():
    assert draw(SLOW + SOUND) == WIDE


def test_the_waterfall_on_forty_columns_in_ascii():
    page = draw(SLOW + SOUND, 40, ASCII).replace("…", "?")

    assert NARROW in page


def test_only_the_slowest_hop_stands_out():
    lines = draw_explanation("", explain(SLOW + SOUND), 100, LINES)
    rows = [text for text in lines if "ESMTPS" in text.plain]

    assert all(row.style == "" for row in rows)
    assert [sum("bold" in str(span.style) for span in row.spans) > 1 for row in rows] == [
        False,
        False,
        True,
        False,
    ]


def test_a_message_without_hops_has_no_waterfall():
    page = draw(SOUND)

    assert "hops" not in page
    assert "There is no Received line" in page


def test_a_single_hop_is_the_first():
    assert " 1 mx.example.net ESMTPS TLS     first ╸\n" in draw(line() + SOUND)


def test_a_hop_without_a_time_says_so():
    assert "no time" in draw(line(at="") + line() + SOUND)


def test_clocks_that_disagree_are_said_above_the_bars_which_run_backwards():
    page = draw(chain(("a.test", "08:01:00"), ("b.test", "08:00:00")) + SOUND)

    assert "these clocks disagree" in page
    assert "-60 s ±1 s ◂━" in page


def test_details_are_what_one_looks_for_in_a_log():
    header = line(id_="4hQx5W-2", source="out.example.org") + SOUND

    assert (
        "     at 2026-09-01T08:00:00Z id 4hQx5W-2 from out.example.org (out.example.org) [192.0.2.1] with\n"
        "     ESMTPS\n"
    ) in draw(header, with_details=True)
    assert "4hQx5W-2" not in draw(header)


def test_of_many_findings_alike_only_some_are_shown():
    page = draw(chain(*((f"h{number}.test", "") for number in range(20))) + SOUND)

    assert page.count("has no date") == 3
    assert "The same of 17 more hops." in page


def test_two_findings_more_than_are_shown_are_not_hidden_behind_a_line_that_is_no_shorter():
    assert draw(chain(*((f"h{number}.test", "") for number in range(4))) + SOUND).count("has no date") == 4


def test_a_host_that_is_too_long_keeps_its_beginning_and_its_domain():
    page = draw(line("dm6pr03mb0002.namprd03.prod.region.example.net") + SOUND, 60)

    assert "dm6pr03mb0002.nam" in page
    assert "…example.net" in page


def test_a_bounce_is_said():
    sample = Path(__file__).parent.parent / "data" / "bounces" / "postfix_failed.eml"
    (saved,) = split_messages([sample.read_bytes()])

    page = " ".join(text.plain for text in draw_explanation("-", explain_message(saved), 200, LINES))

    assert "bounce   failed 5.1.1 for nobody@example.net by 127.0.0.1: 550 5.1.1" in page


@pytest.mark.parametrize("mail", MAILS, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_page(mail, width):
    for text in draw_explanation("heading " * 9, explain(mail.read_bytes()), width, LINES, with_details=True):
        assert cell_len(text.plain) <= width
        assert text.plain.isprintable()


@given(
    st.sampled_from([path.read_bytes() for path in MAILS]),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=10)), max_size=6),
    st.integers(20, 120),
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_mail_holds_the_page_is_plain(mail, damages, width):
    for place, replacement in damages:
        mail = mail[:place] + replacement + mail[place:]

    for text in draw_explanation("-", explain(mail), width, ASCII, with_details=True):
        assert cell_len(text.plain) <= width
        assert text.plain.isprintable()

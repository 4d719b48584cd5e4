"""A message is explained from its own header, whoever wrote it, and nothing in it raises."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_probe.mail.explanation.explain import explain_message
from smtp_probe.mail.explanation.mailbox_file import SavedMessage, split_messages
from tests.mail.lines import chain, line

DATA = Path(__file__).parents[2] / "data" / "received"
MAILS = sorted(DATA.glob("*.eml"))
BOUNCES = sorted((Path(__file__).parents[2] / "data" / "bounces").glob("*.eml"))
LINES = [
    found for mail in MAILS for found in re.findall(rb"(?m)^Received:.*\n(?:[ \t].*\n)*", mail.read_bytes())
]
SOUND = b"From: Joe <joe@example.org>\r\nTo: ann@example.net\r\nSubject: hi\r\nDate: Tue, 1 Sep 2026 08:00:00 +0000\r\n"


def explain(header, text=b"", **options):
    return explain_message(SavedMessage(number=1, header=header, text=text), **options)


def checks(found):
    return [finding.check for finding in found.findings]


def test_a_message_tells_what_it_is_how_long_it_took_and_through_whose_hands():
    found = explain(chain(("out.example.org", "08:00:01"), ("mx.example.net", "08:00:06")) + SOUND)

    assert (found.subject, found.author, found.recipients) == (
        "hi",
        "Joe <joe@example.org>",
        "ann@example.net",
    )
    assert found.date == "Tue, 1 Sep 2026 08:00:00 +0000"
    assert found.date_ns == 1788249600 * 10**9
    assert (found.total_seconds, found.total_uncertainty_seconds) == (5.0, 1.0)
    assert found.slowest == 2
    assert [leg.leg for leg in found.legs] == ["transport"]
    assert found.findings == ()
    assert found.bounce is None


def test_a_message_without_lines_has_no_way_and_no_total():
    found = explain(SOUND)

    assert (found.passages, found.total_seconds, found.total_uncertainty_seconds) == ((), None, None)
    assert (found.legs, found.slowest) == ((), None)
    assert checks(found) == ["no_received"]


def test_one_line_has_no_total_and_no_delay():
    found = explain(line() + SOUND)

    assert [passage.delay_seconds for passage in found.passages] == [None]
    assert (found.total_seconds, found.slowest, found.legs) == (None, None, ())
    assert found.findings == ()


def test_sixty_hops_are_all_told():
    found = explain(
        chain(*((f"h{number}.example.net", f"08:00:{number:02}") for number in range(60))) + SOUND
    )

    assert [passage.position for passage in found.passages] == list(range(1, 61))
    assert found.total_seconds == 59.0
    assert checks(found) == ["hop_limit"]


def test_the_total_is_raw_where_the_clocks_at_both_ends_disagree():
    found = explain(chain(("a.example.org", "08:05:00"), ("b.example.net", "08:00:00")) + SOUND)

    assert found.total_seconds == -300.0
    assert "negative_delay" in checks(found)


def test_the_total_leaves_out_what_has_no_stamp_at_the_ends():
    hops = (("a.test", ""), ("b.test", "08:00:01"), ("c.test", "08:00:04"), ("d.test", ""))

    assert explain(chain(*hops) + SOUND).total_seconds == 3.0


def test_own_hosts_are_taken_as_they_are_given():
    header = chain(
        ("out.example.org", "08:00:01"), ("gw.example.com", "08:00:02"), ("mx.example.net", "08:00:06")
    )

    found = explain(header + SOUND, own=["example.net", "example.com"])

    assert [(leg.leg, leg.from_hop, leg.to_hop) for leg in found.legs] == [
        ("transport", 1, 2),
        ("inbound", 2, 3),
    ]
    assert not found.border.is_assumed


@pytest.mark.parametrize("path", BOUNCES, ids=lambda path: path.stem)
def test_a_bounce_is_recognised(path):
    (saved,) = split_messages([path.read_bytes()])

    found = explain_message(saved)

    assert found.bounce.action == ("delayed" if "delayed" in path.stem else "failed")
    assert "attached_message" not in checks(found)


def test_what_a_spam_filter_wrote_is_told():
    marked = b"X-Spam-Status: Yes, score=15.3 required=5.0 tests=GTUBE\r\n" + SOUND
    found = explain(chain(("out.example.org", "08:00:01"), ("mx.example.net", "08:00:06")) + marked)

    assert [(each.score, each.threshold) for each in found.spam] == [(15.3, 5.0)]
    assert checks(found) == ["spam_filter"]


def test_a_message_with_another_one_in_it_is_told():
    header = SOUND + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    text = (
        b"--x\r\n\r\nsee there\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n--x--\r\n"
    )

    assert "attached_message" in checks(explain(header, text))
    assert "attached_message" not in checks(explain(SOUND, b"they wrote message/rfc822\r\n"))


def test_what_strangers_wrote_cannot_move_a_cursor():
    hostile = b"\x1b[31m\xe2\x80\xaex\x07"
    found = explain(
        line(source="a.test").replace(b"a.test", b"a" + hostile) + b"Subject: " + hostile + b"\r\n"
    )

    assert found.subject == "[31mx"
    assert found.findings
    assert all(finding.message.isprintable() for finding in found.findings)


@pytest.mark.parametrize("mail", MAILS, ids=lambda path: path.stem)
def test_every_dialect_is_explained(mail):
    (saved,) = split_messages([mail.read_bytes()])

    found = explain_message(saved)

    assert found.subject == "probe"
    assert len(found.passages) >= 1
    for passage in found.passages:
        assert (
            (passage.delay_seconds is None)
            == (passage.uncertainty_seconds is None)
            == (passage.before is None)
        )


def test_real_headers_without_a_fault_give_no_warning():
    for name in ("postfix", "exim", "microsoft365", "gmail", "haraka", "stalwart", "dovecot-lmtp"):
        (saved,) = split_messages([(DATA / f"{name}.eml").read_bytes()])
        assert explain_message(saved).findings == (), name


@pytest.mark.slow
@given(
    st.sampled_from([path.read_bytes() for path in (*MAILS, *BOUNCES)]),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=10)), max_size=10),
)
@settings(max_examples=200, deadline=None)
def test_damaged_mails_never_raise(mail, damages):
    for place, length, replacement in damages:
        mail = mail[:place] + replacement + mail[place + length :]

    for saved in split_messages([mail]):
        found = explain_message(saved)
        positions = {passage.position for passage in found.passages}
        assert all(finding.hop is None or finding.hop in positions for finding in found.findings)
        assert all(
            finding.message.isprintable() and len(finding.message) < 2000 for finding in found.findings
        )


@pytest.mark.slow
@given(st.lists(st.sampled_from(LINES), max_size=64))
@settings(max_examples=30, deadline=None)
def test_shuffled_and_repeated_lines_never_raise_and_take_no_time(lines):
    started = time.process_time()

    found = explain(b"".join(lines))

    assert time.process_time() - started < 1
    assert len(found.passages) <= 64
    assert sum(leg.to_hop - leg.from_hop for leg in found.legs) < max(len(found.passages), 1)

"""Why a hop took long is said in plain words."""

import pytest

from smtp_probe.mail.explanation.delay_findings import check_delays
from smtp_probe.mail.syntax.fields import split_fields
from tests.mail.lines import chain, line, passages
from tests.mail.path.test_delays import AMAVIS


def check(header):
    return list(check_delays(passages(header), split_fields(header)))


def test_a_quick_way_is_no_finding():
    assert check(chain(("a.test", "08:00:00"), ("b.test", "08:00:01"))) == []


def test_a_retry_names_what_may_have_happened():
    (finding,) = check(chain(("a.test", "08:00:00"), ("b.test", "08:06:00")))

    assert (finding.check, finding.severity, finding.hop) == ("retry_delay", "info", 2)
    assert "greylisting" in finding.message
    assert "hop 2 (b.test)" in finding.message


def test_greylisting_is_told_as_the_word_of_who_did_it():
    said = b"X-Greylist: delayed 361 seconds by postgrey-1.36 at b; Tue, 1 Sep 2026 08:06:01 UTC\r\n"
    last, first = line("b.test", "08:06:02", source="a.test"), line("a.test", "08:00:00")
    (finding,) = check(last + said + first)

    assert (finding.check, finding.severity, finding.hop) == ("greylisted", "info", 2)
    assert "postgrey says that it put the sender off for 6 min 1 s" in finding.message
    (unplaced,) = check(said + last.replace(b"08:06:02", b"08:00:02") + first)
    assert unplaced.hop is None
    assert unplaced.message.startswith("A host on the way greylisted")


@pytest.mark.parametrize(("back", "severity"), [("08:00:21", "info"), ("08:01:41", "warning")])
def test_a_scan_is_told_from_a_retry(back, severity):
    header = "".join(each.format(taken="08:00:01", back=back) for each in AMAVIS).encode()
    (finding,) = check(header)

    assert (finding.check, finding.severity, finding.hop) == ("scan_delay", severity, 3)
    assert "content filter (amavis)" in finding.message

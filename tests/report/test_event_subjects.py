"""A probe stands under the vantage from which it was sent; what belongs to none under our own."""

from dataclasses import replace

from smtp_probe.network.jetstream.names import Names, subject_words
from smtp_probe.report.event_subjects import EventSubjects
from tests.report.test_event_records import PROBE

NAMES = Names("x")
SUBJECTS = EventSubjects(
    stream=NAMES.events,
    vantage="fra",
    probe=NAMES.probe,
    note=NAMES.seen,
    any_probe=NAMES.any_probe,
    vantage_of=lambda subject: subject_words(subject)[1],
)


def test_a_probe_stands_under_our_vantage_and_its_mailbox():
    subject = SUBJECTS.of_probe(replace(PROBE, mailbox="in.box"))

    assert subject == "x.probe.fra.in=box.r.p"
    assert SUBJECTS.vantage_of(subject) == "fra"


def test_the_rest_stands_where_it_belongs():
    assert SUBJECTS.seen("m", "") == "x.seen.fra.m._"
    assert SUBJECTS.seen("", "r", "nyc") == "x.seen.nyc._.r"

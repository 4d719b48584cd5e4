"""Names of the configuration become words of subjects, and come back."""

from smtp_probe.network.jetstream.names import NONE, Names, name_of, subject_words, word

NAMES = Names("smtp-probe")


def test_a_name_with_dots_is_one_word_and_comes_back():
    assert word("mail.example.org") == "mail=example=org"
    assert name_of(word("mail.example.org")) == "mail.example.org"
    assert word("") == NONE
    assert name_of(NONE) == ""


def test_the_words_of_a_run_name_vantage_and_route():
    assert subject_words(NAMES.run("fra", "a.b")) == ["run", "fra", "a=b"]


def test_a_probe_is_found_by_its_mailbox_its_vantage_and_its_id():
    subject = NAMES.probe("fra", "in.box", "route", "id")

    assert subject == "smtp-probe.probe.fra.in=box.route.id"
    assert NAMES.of_mailbox("in.box") == ("smtp-probe.probe.*.in=box.>",)
    assert NAMES.of_vantage("fra")[0] == "smtp-probe.probe.fra.>"
    assert NAMES.any_probe("id") == "smtp-probe.probe.*.*.*.id"
    assert NAMES.any_probe("id", "a.b") == "smtp-probe.probe.*.*.a=b.id"
    assert NAMES.any_probe("id", "route", "in.box") == "smtp-probe.probe.*.in=box.route.id"


def test_streams_have_names_that_nats_takes():
    assert {NAMES.runs, NAMES.events, NAMES.leases, NAMES.marks, NAMES.reports} == {
        "SMTP_PROBE_RUNS", "SMTP_PROBE_EVENTS", "SMTP_PROBE_LEASES", "SMTP_PROBE_MARKS", "SMTP_PROBE_REPORTS",
    }  # fmt: skip

"""Results as JSON objects."""

import json
from dataclasses import replace

import pytest

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.rendering import (
    EXIT_CODES,
    Meaning,
    meaning_of,
    outcome_to_json,
    result_to_json,
    verdict,
)
from smtp_probe.model import (
    Alteration,
    Cause,
    Disposition,
    Failure,
    OutcomeKind,
    PathChange,
    PathIdentity,
    Phase,
    Reply,
)
from tests.cli.views import HOSTILE, is_plain, outcome, submission, trace
from tests.report.samples import make_bounce, make_outcome, make_probe, make_submission, refused


def read(made):
    return json.loads(outcome_to_json(made))


def result(**facts):
    return SingleResult(route="inbound", **facts)


def test_a_delivery_has_everything_that_is_known():
    facts = read(outcome())

    assert facts["route"] == "inbound"
    assert facts["probe_id"] == "probe0001"
    assert (facts["outcome"], facts["meaning"], facts["exit_code"]) == ("delivered", "delivered", 0)
    assert facts["sentence"] == "delivered in 2.64 s"
    assert facts["delivery_seconds"] == 2.64
    assert facts["visibility_seconds"] == 0.004
    assert facts["phases"][0] == {"phase": "resolve", "seconds": 4e-05, "reply": None}
    assert facts["final_reply"] == {
        "code": 250,
        "enhanced": "2.0.0",
        "text": "Ok: queued as 4jYG3M6jDtzyN4",
    }
    assert facts["queue_id"] == "4jYG3M6jDtzyN4"
    assert facts["tls"] == {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "certificate_not_after": "2026-12-20T14:13:20Z",
        "failure": None,
    }
    assert (facts["attempts"], facts["first_attempt_at"]) == (1, None)
    assert facts["placement"] == "inbox"
    assert facts["alterations"] == []
    assert facts["found_in"] == "header"
    assert facts["failure"] is facts["bounce"] is facts["unobserved"] is None


def test_further_attempts_and_what_was_changed_are_told():
    made = outcome()
    made = replace(
        made,
        submission=replace(made.submission, attempts=3, first_attempt_ns=1_795_000_000 * 10**9),
        arrival=replace(made.arrival, alterations=(Alteration.CHARSET, Alteration.FOOTER)),
    )
    facts = read(made)

    assert (facts["attempts"], facts["first_attempt_at"]) == (3, "2026-11-18T11:06:40.000000Z")
    assert facts["alterations"] == ["charset", "footer"]


def test_hops_have_their_raw_delays_and_how_fine_their_stamps_are():
    hops = read(outcome(way=trace(stamps=(0, 7, -41, None))))["hops"]

    assert [hop["delay_seconds"] for hop in hops] == [None, 7.0, -48.0, None]
    assert hops[1] == {
        "by": "relay.example.test",
        "from_name": "submission.example.test",
        "delay_seconds": 7.0,
        "resolution_seconds": 1.0,
        "with": "ESMTPS",
        "id": "id7",
        "at": "2026-09-21T14:13:27Z",
    }
    assert hops[3]["at"] is None


def test_hops_on_our_clock_have_bounds_and_a_change_of_the_way_is_named():
    before = PathIdentity(fingerprint="0a0a0a0a", hosts=("mx.example.net",), first_seen_ns=0)
    ended = make_outcome()
    assert ended.path is not None
    change = PathChange(previous=before, appeared=("scan.example.net",))
    facts = read(replace(ended, path=replace(ended.path, change=change)))

    assert [hop["by"] for hop in facts["corrected_hops"]] == [hop.by for hop in ended.timing.hops]
    assert all(
        hop["lower_seconds"] <= hop["seconds"] <= hop["upper_seconds"] for hop in facts["corrected_hops"]
    )
    assert facts["path"] == ended.path.identity.fingerprint
    assert facts["path_change"] == "scan.example.net appeared"
    assert read(ended)["path_change"] is None


def test_a_refusal_says_where_why_and_what_the_server_said():
    facts = read(make_outcome(OutcomeKind.REFUSED))

    assert (facts["outcome"], facts["exit_code"]) == ("refused", 1)
    assert facts["failure"] == {
        "stage": "rcpt",
        "cause": "reply_permanent",
        "reply": {"code": 550, "enhanced": "5.7.1", "text": "blocked by policy"},
        "tls_failure": None,
        "detail": None,
    }
    assert facts["final_reply"] is facts["hops"] is facts["placement"] is facts["delivery_seconds"] is None
    assert facts["corrected_hops"] is facts["path"] is None


def test_a_bounce_is_told_with_its_words():
    bounce = make_bounce(
        action="failed",
        status="5.1.1",
        reason="no_such_user",
        recipient="gone@example.net",
        remote_mta="mx.example.net",
        diagnostic=HOSTILE,
    )
    facts = read(make_outcome(OutcomeKind.BOUNCED, bounce=bounce))

    assert (facts["bounce"]["reason"], facts["bounce"]["recipient"]) == ("no_such_user", "gone@example.net")
    assert facts["bounce"]["remote_mta"] == "mx.example.net"
    assert facts["bounce"]["reporting_mta"] is None
    assert is_plain(facts["bounce"]["diagnostic"])


def test_what_could_not_be_observed_is_no_mail_problem():
    facts = read(make_outcome(OutcomeKind.UNOBSERVED))

    assert (facts["meaning"], facts["exit_code"]) == ("not_observed", 3)
    assert facts["unobserved"] == "not observed: the mailbox was not watched"


def test_a_probe_without_an_end_is_overdue():
    overdue = result(probe=make_probe(), submission=make_submission(), is_overdue=True)
    facts = json.loads(result_to_json(overdue))

    assert (facts["outcome"], facts["exit_code"]) == ("overdue", 1)
    assert facts["failure"]["cause"] == "overdue"
    assert facts["phases"]
    assert verdict(overdue) == "overdue: not arrived within 5 min; it may still come"


def test_an_overdue_probe_that_nobody_confirmed_says_so():
    cut = Failure(stage="accept", cause=Cause.CONNECTION_LOST)
    sent = make_submission(Disposition.UNCERTAIN, last=Phase.ACCEPT, failure=cut)

    assert verdict(result(probe=make_probe(), submission=sent, is_overdue=True)) == (
        "overdue: not arrived within 5 min; it may still come;"
        " the server never said that it has it: connection lost after the final dot"
    )


def test_a_mailbox_that_cannot_be_watched_leaves_all_else_unknown():
    unseen = result(unobserved=f"mailbox inbox: login: {HOSTILE}")
    facts = json.loads(result_to_json(unseen))

    assert (facts["outcome"], facts["exit_code"]) == ("unobserved", 3)
    assert is_plain(facts["unobserved"])
    assert all(facts[name] is None for name in ("probe_id", "phases", "hops", "tls", "failure", "placement"))
    assert is_plain(verdict(unseen))


@pytest.mark.parametrize(
    ("made", "meaning"),
    [
        (result(outcome=make_outcome()), Meaning.DELIVERED),
        (result(outcome=make_outcome(OutcomeKind.JUNKED)), Meaning.MAIL_PROBLEM),
        (result(outcome=make_outcome(OutcomeKind.JUNKED, failure=None)), Meaning.DELIVERED),
        (result(outcome=make_outcome(OutcomeKind.LATE)), Meaning.MAIL_PROBLEM),
        (result(outcome=make_outcome(OutcomeKind.UNOBSERVED)), Meaning.NOT_OBSERVED),
        (result(is_overdue=True), Meaning.MAIL_PROBLEM),
        (result(unobserved="the mailbox went out of view"), Meaning.NOT_OBSERVED),
    ],
)
def test_the_three_kinds_of_failure_have_exit_codes_of_their_own(made, meaning):
    assert meaning_of(made) is meaning
    assert json.loads(result_to_json(made))["exit_code"] == EXIT_CODES[meaning]


@pytest.mark.parametrize("kind", OutcomeKind)
def test_every_object_has_the_same_keys_and_is_one_ascii_line(kind):
    text = outcome_to_json(outcome(kind, sent=submission("ünïcode ✓")))

    assert list(json.loads(text)) == list(read(outcome()))
    assert list(json.loads(result_to_json(result(unobserved="x")))) == list(read(outcome()))
    assert text.isascii()
    assert "\n" not in text


def test_texts_of_servers_are_sanitised():
    hostile = Reply(code=550, enhanced="5.7.1", text=HOSTILE)
    texts = [
        read(outcome(sent=submission(HOSTILE, queue_id=HOSTILE), way=trace(hosts=(HOSTILE, "b", "c", "d")))),
        read(make_outcome(OutcomeKind.REFUSED, submission=refused(550, text=hostile.text))),
    ]

    def strings(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                yield from strings(item)

    assert all(is_plain(text) for facts in texts for text in strings(facts))

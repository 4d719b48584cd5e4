"""Outcomes in one sentence each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.model import (
    Cause,
    Disposition,
    Failure,
    OutcomeKind,
    PathChange,
    PathIdentity,
    Phase,
    Reply,
    TlsFailure,
)
from smtp_probe.report.sentences import describe, describe_change, describe_duration, describe_notice
from tests.report.samples import START_NS, make_bounce, make_outcome, make_submission, refused


def failed(kind, failure):
    submission = make_submission(Disposition.UNREACHABLE, last=Phase.CONNECT, failure=failure)
    return make_outcome(kind, submission=submission, failure=failure)


DELAY = make_bounce(
    action="delayed",
    status="4.7.1",
    remote_mta="mx1.example.net",
    diagnostic="451 4.7.1 greylisted",
    retry_until_ns=START_NS + 5 * 86_400 * 10**9,
)
UNREACHABLE = OutcomeKind.UNREACHABLE
CASES = {
    "delivered in 1.50 s": make_outcome(),
    "delivered in 38 ms": make_outcome(seconds=0.038),
    "delivered in 1.50 s (at attempt 3)": make_outcome(submission=replace(make_submission(), attempts=3)),
    "451 4.7.1 at RCPT by 192.0.2.1: greylisted (4 attempts)": make_outcome(
        OutcomeKind.DEFERRED, submission=replace(refused(451, "greylisted", "4.7.1"), attempts=4)
    ),
    "found in the junk folder after 1.50 s": make_outcome(OutcomeKind.JUNKED),
    "arrived too late, after 15 min 5 s": make_outcome(OutcomeKind.LATE, seconds=905.0),
    "not arrived within 24 h, given up": make_outcome(OutcomeKind.LOST),
    "not arrived within 24 h, given up: the mailbox has no room, 9 of 9 KiB used": make_outcome(
        OutcomeKind.LOST,
        failure=Failure(stage="arrival", cause="lost", detail="the mailbox has no room, 9 of 9 KiB used"),
    ),
    "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy": make_outcome(OutcomeKind.REFUSED),
    "451 4.7.1 at RCPT by 192.0.2.1: greylisted": make_outcome(OutcomeKind.DEFERRED),
    "421 at RCPT by 192.0.2.1": make_outcome(
        OutcomeKind.DEFERRED, submission=refused(421, text="", enhanced=None)
    ),
    "bounced: 5.1.1 user unknown": make_outcome(OutcomeKind.BOUNCED),
    "bounced by mx1.example.net: 550 5.1.1 no such user": make_outcome(
        OutcomeKind.BOUNCED,
        bounce=make_bounce(status="5.1.1", remote_mta="mx1.example.net", diagnostic="550 5.1.1 no such user"),
    ),
    "bounced": make_outcome(OutcomeKind.BOUNCED, bounce=None),
    "bounced: 5.1.1 no such user": make_outcome(
        OutcomeKind.BOUNCED, bounce=make_bounce(action="failed", status="5.1.1", reason="no_such_user")
    ),
    "bounced by mx1.example.net: 4.4.7 expired; put off on its way, told at 2026-09-21 14:13:20 UTC by mx1.example.net:"
    " 451 4.7.1 greylisted, to be tried until 2026-09-26 14:13:20 UTC": make_outcome(
        OutcomeKind.BOUNCED,
        bounce=make_bounce(
            action="failed", status="4.4.7", remote_mta="mx1.example.net", diagnostic="expired"
        ),
        delay=DELAY,
    ),
    "bounced by mx1.example.net: 451 4.7.1 greylisted; put off on its way, told at 2026-09-21 14:13:20 UTC for the same reason,"
    " to be tried until 2026-09-26 14:13:20 UTC": make_outcome(
        OutcomeKind.BOUNCED, bounce=replace(DELAY, action="failed"), delay=DELAY
    ),
    "not arrived within 24 h, given up; put off on its way, told at 2026-09-21 14:13:20 UTC by mx1.example.net:"
    " 451 4.7.1 greylisted, to be tried until 2026-09-26 14:13:20 UTC": make_outcome(
        OutcomeKind.LOST, delay=DELAY
    ),
    "not observed: the mailbox was not watched": make_outcome(OutcomeKind.UNOBSERVED),
    "no such host while looking up the host": failed(
        UNREACHABLE, Failure(stage="resolve", cause=Cause.NO_SUCH_HOST)
    ),
    "connection refused while connecting: all 2 addresses": failed(
        UNREACHABLE, Failure(stage="connect", cause=Cause.CONNECT_REFUSED, detail="all 2 addresses")
    ),
    "TLS failed (name mismatch) at STARTTLS": failed(
        UNREACHABLE,
        Failure(stage="starttls", cause=Cause.TLS_FAILED, tls_failure=TlsFailure.NAME_MISMATCH),
    ),
    "no answer in time at RCPT": failed(
        UNREACHABLE, Failure(stage="rcpt", cause=Cause.TIMEOUT, detail="no answer in time")
    ),
    "connection lost at the greeting": failed(
        UNREACHABLE, Failure(stage="greeting", cause=Cause.CONNECTION_LOST, detail="Connection lost")
    ),
    "out of turn: 250 at DATA by 192.0.2.1: no need": failed(
        UNREACHABLE,
        Failure(
            stage="data",
            cause=Cause.PROTOCOL_ERROR,
            reply=Reply(code=250, enhanced=None, text="no need"),
            detail="a reply out of turn",
        ),
    ),
    "not arrived within 24 h, given up; the server never said that it has it: no answer in time after the final dot": (
        make_outcome(
            OutcomeKind.LOST,
            submission=make_submission(
                Disposition.UNCERTAIN,
                last=Phase.ACCEPT,
                failure=Failure(stage="accept", cause=Cause.TIMEOUT, detail="no answer in time"),
            ),
            failure=Failure(stage="arrival", cause="lost"),
        )
    ),
    "something new": failed(UNREACHABLE, Failure(stage="elsewhere", cause="something_new")),
    "for a reason that was not recorded": failed(UNREACHABLE, None),
}


@pytest.mark.parametrize("sentence", CASES)
def test_an_outcome_is_said_in_one_sentence(sentence):
    assert describe(CASES[sentence]) == sentence


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_of_its_own(cause):
    said = describe(failed(UNREACHABLE, Failure(stage="connect", cause=cause)))

    assert said.endswith(" while connecting")
    assert "_" not in said


@pytest.mark.parametrize("at_ns", [-(10**30), 10**30])
def test_a_time_of_a_stranger_that_is_none_is_said_to_be_none(at_ns):
    assert describe_notice(make_bounce(retry_until_ns=at_ns)).endswith(
        "to be tried until a time that is none"
    )


@given(st.text(max_size=500), st.sampled_from([OutcomeKind.REFUSED, OutcomeKind.BOUNCED]))
def test_what_strangers_wrote_stays_one_bounded_printable_line(noise, kind):
    reply = Reply(code=550, enhanced="5.7.1", text=noise)
    facts = {"submission": make_submission(Disposition.REFUSED, last=Phase.RCPT, reply=reply)}
    if kind is OutcomeKind.BOUNCED:
        facts["bounce"] = make_bounce(status=noise, remote_mta=noise, diagnostic=noise)
    said = describe(make_outcome(kind, **facts))

    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.0, "0 ms"),
        (-0.5, "-500 ms"),
        (0.9996, "1.00 s"),
        (1.0, "1.00 s"),
        (119.4, "119.40 s"),
        (119.996, "2 min"),
        (120.0, "2 min"),
        (3661.0, "61 min 1 s"),
        (90000.0, "25 h"),
    ],
)
def test_durations_are_said_as_people_do(seconds, words):
    assert describe_duration(seconds) == words


@pytest.mark.parametrize("seconds", [0.5, 12.0, 119.0, 150.0, 3600.0, 7260.0, 90_000.0])
def test_what_is_behind_is_said_as_what_is_ahead_is(seconds):
    """A clock that is 150 s behind is 2 min 30 s behind, and not 3 min less 30 s."""
    assert describe_duration(-seconds) == f"-{describe_duration(seconds)}"


def test_what_is_new_on_a_way_names_the_hosts():
    before = PathIdentity(fingerprint="0a0a0a0a", hosts=("a.example", "b.example"), first_seen_ns=0)
    both = PathChange(previous=before, appeared=("x.example", "y.example\n"), vanished=("b.example",))

    assert describe_change(both) == "x.example, y.example appeared; b.example vanished"
    assert describe_change(PathChange(previous=before)) == "the same hosts in another order"

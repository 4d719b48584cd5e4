"""What trying an account came to, in lines and as an object."""

import json
from dataclasses import replace

import pytest

from smtp_probe.app.login_test import LoginResult
from smtp_probe.cli.login_view import draw_result, fold, problems_of, result_to_json
from smtp_probe.cli.terminal import ASCII
from smtp_probe.model import (
    ClockSighting,
    Failure,
    LoginTrial,
    MailboxSurvey,
    Phase,
    PhaseTiming,
    Placement,
    QuotaUse,
    Reply,
    SurveyedFolder,
    TlsFacts,
    TlsFailure,
)
from tests.cli.views import HOSTILE, is_plain
from tests.report.samples import NS, START_NS


def mailbox(rights="lrswite", quotas=None, after="delete", **facts):
    folder = SurveyedFolder(name="INBOX", placement=Placement.INBOX, messages=3, rights=rights)
    return LoginResult(
        kind="mailbox",
        name="inbox",
        server="imap.example.org:993",
        after_judgement=after,
        survey=MailboxSurvey(folders=(folder,), quotas=quotas, **facts),
    )


def sender(failure=None, text="ready"):
    greeting = PhaseTiming(
        phase=Phase.GREETING, started_ns=START_NS, duration_seconds=0.25, reply=Reply(code=220, text=text)
    )
    trial = LoginTrial(
        phases=(greeting,), failure=failure, peer_address="192.0.2.1", tls=TlsFacts(version="TLSv1.3")
    )
    return LoginResult(
        kind="sender", name="relay", server="mail.example.org:587", trial=trial, failure=failure
    )


def test_a_sender_shows_its_phases_with_their_replies():
    assert list(draw_result(sender(), ASCII)) == [
        "sender relay  mail.example.org:587",
        "  greeting  250 ms  220 ready",
        "  TLS       TLSv1.3",
        "  + well",
    ]


def test_tls_that_failed_is_no_empty_line():
    result = sender()
    trial = replace(result.trial, tls=TlsFacts(failure=TlsFailure.HANDSHAKE))

    assert "  TLS       failed: handshake" in draw_result(replace(result, trial=trial), ASCII)


def test_a_mailbox_shows_folders_quota_and_clock():
    clock = ClockSighting(
        at_ns=START_NS, resolution_seconds=1.0, earliest_ns=START_NS, latest_ns=START_NS + NS // 4
    )
    used = (QuotaUse(resource="STORAGE", used=256, limit=512),)

    assert list(draw_result(mailbox(quotas=used, clock=clock), ASCII)) == [
        "mailbox inbox  imap.example.org:993",
        "  folder    INBOX (inbox): 3 messages, rights lrswite",
        "  quota     STORAGE 256 of 512 KiB (50%)",
        "  clock     between -0.250 s and +1.000 s from ours",
        "  + well",
    ]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (mailbox(rights="lrs"), ["no right to remove"]),
        (mailbox(rights="lrsd"), []),
        (mailbox(rights="lrs", after="keep"), []),
        (mailbox(rights="l", after="keep"), ["no right to read"]),
        (mailbox(rights=None), []),
        (mailbox(quotas=(QuotaUse(resource="STORAGE", used=512, limit=512),)), ["full: STORAGE 512 of 512"]),
        (mailbox(quotas=(QuotaUse(resource="STORAGE", used=5, limit=0),)), []),
        (
            sender(Failure(stage="auth", cause="auth_refused", reply=Reply(code=535, text="no"))),
            ["auth: the login was refused: 535 no"],
        ),
    ],
)
def test_a_problem_is_what_would_keep_probes_from_working(result, said):
    problems = problems_of(result)

    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True))
    assert json.loads(result_to_json(result))["well"] is (not said)


def test_what_servers_wrote_is_plain_everywhere():
    bad = sender(Failure(stage="auth", cause="auth_refused", detail=HOSTILE), text=HOSTILE)

    assert is_plain("\n".join(draw_result(bad, ASCII)))
    assert all(map(is_plain, json.loads(result_to_json(bad))["problems"]))


def test_the_object_has_the_same_keys_always():
    keys = [
        sorted(json.loads(result_to_json(result)))
        for result in (mailbox(), sender(), LoginResult(kind="mailbox", name="x", server="y:1"))
    ]

    assert keys[0] == keys[1] == keys[2]


def test_a_line_that_is_wider_than_the_terminal_is_folded():
    line = "  ehlo      1.0 ms  250 mail.example.org PIPELINING SIZE 52428800 STARTTLS"
    lines = fold(line, 40).splitlines()

    assert fold(line, 80) == line
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines).split()) == " ".join(line.split())
    assert lines[1].startswith(" " * 12)

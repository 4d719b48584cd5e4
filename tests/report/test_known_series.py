"""Which samples are known beforehand."""

import pytest

from smtp_probe.model import Phase
from smtp_probe.report.known_series import (
    endpoint_name,
    known_labels,
    mailboxes_in_use,
    phases_of,
    senders_in_use,
)
from smtp_probe.report.label_words import FAILURE_REASONS, NOTICES
from smtp_probe.report.metrics import (
    FAILURES,
    FORGED,
    HOP_DURATION,
    NOTICES_SEEN,
    PHASE_DURATION,
    PLACEMENTS,
    SMTP_REPLIES,
)
from tests.report.samples import make_config

SENDER = {
    "host": "smtp.example.net",
    "ehlo_name": "probe.example.net",
    "envelope_from": "probe@example.net",
}
LOGIN = {"username": "probe", "password_env": "SECRET"}


@pytest.mark.parametrize(
    ("tls", "auth", "absent"),
    [
        ("starttls", LOGIN, {Phase.TLS}),
        ("implicit", LOGIN, {Phase.STARTTLS}),
        ("implicit", None, {Phase.STARTTLS, Phase.AUTH}),
        ("none", None, {Phase.TLS, Phase.STARTTLS, Phase.AUTH}),
    ],
)
def test_a_sender_has_the_phases_of_its_tls_mode(tls, auth, absent):
    config = make_config(senders={"relay": {**SENDER, "tls": tls, "auth": auth}})
    sender = config.senders["relay"]

    assert set(phases_of(sender)) == set(Phase) - absent
    assert {labels[1] for labels in known_labels(PHASE_DURATION, config)} == {
        phase.value for phase in phases_of(sender)
    }


def test_a_metric_of_a_route_has_every_word_for_every_route():
    config = make_config("one", "two")

    assert list(known_labels(FAILURES, config)) == [
        (route, reason) for route in ("one", "two") for reason in FAILURE_REASONS
    ]


def test_a_metric_of_the_whole_program_has_its_words_once():
    config = make_config("one", "two")

    assert list(known_labels(NOTICES_SEEN, config)) == [(word,) for word in NOTICES]
    assert list(known_labels(FORGED, config)) == [()]


def test_what_the_path_will_show_is_not_known_beforehand():
    assert list(known_labels(HOP_DURATION, make_config())) == []
    assert list(known_labels(SMTP_REPLIES, make_config())) == []


def test_only_what_routes_use_is_in_use():
    idle = {"host": "imap.example.com", "tls": "implicit"}
    config = make_config(
        senders={
            "relay": {**SENDER, "tls": "none"},
            "idle": {**SENDER, "tls": "none"},
        },
        mailboxes={"inbox": idle, "bounces": idle, "idle": idle},
        routes={
            "example": {
                "sender": "relay",
                "recipient": "probe@example.org",
                "mailbox": "inbox",
                "bounce_mailbox": "bounces",
            }
        },
    )

    assert senders_in_use(config) == ("relay",)
    assert mailboxes_in_use(config) == ("bounces", "inbox")


def test_an_endpoint_is_named_by_host_and_port():
    assert endpoint_name("imap.example.org", 993) == "imap.example.org:993"


def test_placements_are_those_of_the_folders_that_are_watched():
    host = {"host": "imap.example.org", "tls": "implicit"}
    for settings, words in (
        ({}, ["inbox", "junk"]),
        ({"junk": None}, ["inbox"]),
        ({"quarantine": ["Held"]}, ["inbox", "junk", "other"]),
    ):
        config = make_config(mailboxes={"inbox": {**host, **settings}})
        assert list(known_labels(PLACEMENTS, config)) == [("example", word) for word in words]

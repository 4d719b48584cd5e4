"""Logins: the bytes of each mechanism, what cannot be said in it, and that nothing shows a secret."""

from base64 import b64decode, b64encode

import pytest

from smtp_probe.config.settings import Mechanism
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.imap_login import plan_login

SECRET = "hunter2secret"


def plan(mechanism, *capabilities, username="watcher", secret=SECRET):
    return plan_login(mechanism, username, secret, frozenset(capabilities))


def test_plain_waits_to_be_asked():
    dialogue = plan(Mechanism.PLAIN, "AUTH=PLAIN")

    assert dialogue.ending == b"AUTHENTICATE PLAIN"
    assert [b64decode(reply) for reply in dialogue.replies] == [b"\0watcher\0hunter2secret"]


def test_plain_at_once_where_the_server_allows_it():
    dialogue = plan(Mechanism.PLAIN, "AUTH=PLAIN", "SASL-IR")

    assert b64decode(dialogue.ending.removeprefix(b"AUTHENTICATE PLAIN ")) == b"\0watcher\0hunter2secret"
    assert dialogue.replies == ()


def test_xoauth2():
    dialogue = plan(Mechanism.XOAUTH2, "AUTH=XOAUTH2", "SASL-IR")

    sent = b64decode(dialogue.ending.removeprefix(b"AUTHENTICATE XOAUTH2 "))
    assert sent == b"user=watcher\x01auth=Bearer hunter2secret\x01\x01"


@pytest.mark.parametrize(("capabilities", "first"), [(("SASL-IR",), 0), ((), 1)])
def test_oauthbearer_acknowledges_the_reasons_of_a_refusal(capabilities, first):
    dialogue = plan(Mechanism.OAUTHBEARER, "AUTH=OAUTHBEARER", *capabilities, username="a,b=c")

    sent = dialogue.replies[0] if first else dialogue.ending.removeprefix(b"AUTHENTICATE OAUTHBEARER ")
    assert b64decode(sent) == b"n,a=a=2Cb=3Dc,\x01auth=Bearer hunter2secret\x01\x01"
    assert dialogue.replies[first:] == (b64encode(b"\x01"),)


def test_login_quotes():
    dialogue = plan(Mechanism.LOGIN, username='pro"be', secret="a\\b c")

    assert dialogue.ending == rb'LOGIN "pro\"be" "a\\b c"'


def test_login_sends_what_cannot_be_quoted_as_literals():
    dialogue = plan(Mechanism.LOGIN, username="späher", secret="a\r\nb")

    assert dialogue.ending == b"LOGIN {7}"
    assert dialogue.replies == ("späher".encode() + b" {4}", b"a\r\nb")


def test_bytes_that_are_not_utf_8_arrive_as_they_were():
    dialogue = plan(Mechanism.LOGIN, secret=b"\xff\xfe".decode("utf-8", "surrogateescape"))

    assert dialogue.replies == (b"\xff\xfe",)


@pytest.mark.parametrize("secret", ["", "a\0b", "\ud800"])
@pytest.mark.parametrize("mechanism", [Mechanism.PLAIN, Mechanism.LOGIN])
def test_a_secret_that_cannot_be_sent_is_our_fault(mechanism, secret):
    with pytest.raises(MailboxError) as caught:
        plan(mechanism, "AUTH=PLAIN", secret=secret)

    assert caught.value.cause is Cause.CREDENTIAL
    assert caught.value.__cause__ is None
    assert secret not in str(caught.value) or not secret


@pytest.mark.parametrize(
    ("mechanism", "capabilities", "offered"),
    [
        (Mechanism.LOGIN, ("LOGINDISABLED",), "LOGINDISABLED"),
        (Mechanism.LOGIN, ("LOGINDISABLED", "AUTH=PLAIN"), "it offers: PLAIN"),
        (Mechanism.PLAIN, ("AUTH=XOAUTH2",), "it offers: XOAUTH2, LOGIN"),
        (Mechanism.XOAUTH2, (), "it offers: LOGIN"),
    ],
)
def test_a_mechanism_that_is_not_offered_is_not_tried(mechanism, capabilities, offered):
    with pytest.raises(MailboxError) as caught:
        plan(mechanism, *capabilities)

    assert caught.value.cause is Cause.AUTH_NOT_OFFERED
    assert offered in caught.value.detail


@pytest.mark.parametrize("mechanism", list(Mechanism))
def test_no_form_of_the_secret_shows(mechanism):
    offered = ("AUTH=PLAIN", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER")
    dialogue = plan(mechanism, *offered, secret='say "friend"')

    assert "friend" not in repr(dialogue)
    for sent in (dialogue.ending, *dialogue.replies):
        words = sent.decode().split(" ", 2)
        echoed = f"you said: {words[-1]} or {words[-1].upper()}"
        masked = dialogue.mask(f"{echoed} and 'say \"friend\"'")
        assert "friend" not in masked.lower()
        assert all(secret not in masked for secret in dialogue.secrets)

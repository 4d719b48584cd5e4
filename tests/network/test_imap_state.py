"""What a server says unasked, and what a refusal means."""

import pytest

from smtp_probe.model import Cause
from smtp_probe.network.imap_answers import Status
from smtp_probe.network.imap_state import ServerState, refusal_cause


def test_a_greeting_with_capabilities():
    state = ServerState()
    state.note_greeting(b"* OK [CAPABILITY IMAP4rev1 idle] Dovecot ready.")

    assert state.greeting == Status("CAPABILITY", b"IMAP4rev1 idle", b"Dovecot ready.")
    assert state.capabilities == {"IMAP4REV1", "IDLE"}
    assert not state.is_preauthenticated


def test_a_greeting_of_preauth():
    state = ServerState()
    state.note_greeting(b"* PREAUTH hello")

    assert state.is_preauthenticated


def test_a_greeting_of_bye_is_a_farewell():
    state = ServerState()
    state.note_greeting(b"* BYE too many connections")

    assert state.farewell == b"BYE too many connections"
    assert state.greeting is None


@pytest.mark.parametrize(
    "line", [b"", b"220 mail ESMTP", b"* NO", b"*", b"OK ready", b"+OK POP3", b"HTTP/1.1 400"]
)
def test_any_other_greeting_is_a_complaint(line):
    state = ServerState()
    state.note_greeting(line)

    assert state.complaint


@pytest.mark.parametrize("command", [None, "FETCH", "STORE", "SEARCH", "NOOP", "IDLE", "LIST"])
def test_exists_counts_in_whichever_answer_it_comes(command):
    state = ServerState()
    state.note_untagged(b"* 5 EXISTS", command)
    state.note_untagged(b"* 2 EXPUNGE", command)
    state.note_untagged(b"* 1 RECENT", command)
    state.note_untagged(b"* 3 FETCH (FLAGS ())", command)

    assert state.folder.exists == 4
    assert state.folder.may_have_news


@pytest.mark.parametrize("number", [b"4294967296", b"9" * 30, b"9" * 5000])
def test_a_number_that_cannot_be_is_a_complaint(number):
    state = ServerState()
    state.note_untagged(b"* " + number + b" EXISTS", None)

    assert state.complaint


def test_bye_is_a_farewell_unless_we_log_out():
    state = ServerState()
    state.note_untagged(b"* BYE bye", "LOGOUT")
    assert state.farewell is None
    state.note_untagged(b"* BYE restart", "IDLE")
    assert state.farewell == b"BYE restart"


def test_capabilities_are_words_and_not_what_stands_around_them():
    state = ServerState()
    state.note_status(b"[CAPABILITY IMAP4rev1 \xff X\x07Y " + b"Z" * 100 + b" MOVE] login successful.")

    assert state.capabilities == {"IMAP4REV1", "MOVE"}


def test_capabilities_are_bounded():
    state = ServerState()
    state.note_untagged(b"* CAPABILITY " + b" ".join(b"A%d" % n for n in range(5000)), None)

    assert len(state.capabilities) <= 300


def test_a_changed_uidvalidity_is_a_complaint_and_a_selected_one_is_not():
    state = ServerState()
    state.note_untagged(b"* OK [UIDVALIDITY 7] valid", "SELECT")
    state.note_untagged(b"* OK [UIDVALIDITY 7] still", "NOOP")
    assert state.complaint is None
    state.note_untagged(b"* OK [UIDVALIDITY 8] new", "NOOP")
    assert state.complaint


@pytest.mark.parametrize(
    ("result", "code", "refused", "cause"),
    [
        ("NO", "", None, Cause.REPLY_PERMANENT),
        ("NO", "", Cause.FOLDER_MISSING, Cause.FOLDER_MISSING),
        ("NO", "NONEXISTENT", Cause.FOLDER_MISSING, Cause.FOLDER_MISSING),
        ("NO", "NOPERM", Cause.FOLDER_MISSING, Cause.REPLY_PERMANENT),
        ("NO", "INUSE", Cause.FOLDER_MISSING, Cause.REPLY_TEMPORARY),
        ("NO", "AUTHENTICATIONFAILED", Cause.AUTH_REFUSED, Cause.AUTH_REFUSED),
        ("NO", "UNAVAILABLE", Cause.AUTH_REFUSED, Cause.REPLY_TEMPORARY),
        ("BAD", "", Cause.AUTH_REFUSED, Cause.AUTH_REFUSED),
        ("BAD", "", Cause.FOLDER_MISSING, Cause.PROTOCOL_ERROR),
        ("BAD", "", None, Cause.PROTOCOL_ERROR),
    ],
)
def test_what_a_refusal_means(result, code, refused, cause):
    assert refusal_cause(result, code, refused) is cause

"""The clock of a mailbox's server, read by a message of our own; and servers that make it hard."""

import re

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from tests.network.hostile_imap import LOGIN, connector_to, fetch_line, hostile_imap

DATE_NS = 1_795_428_001 * 10**9  # 23-Nov-2026 10:00:01 UTC
SELECT = """
C: SELECT "clock"
S: * 2 EXISTS
S: * OK [UIDVALIDITY 7] valid
S: * OK [UIDNEXT 104] next
S: {tag} OK [READ-WRITE] selected
"""
APPEND = r"""
C: APPEND "clock" \{[0-9]+\}$
S: + go on
"""


async def take_message(session):
    """Read the message to its end, and keep what it is marked with."""
    lines = []
    while not lines or lines[-1] != b"\r\n" or lines.count(b"\r\n") < 2:
        lines.append(await session.reader.readline())
        if b"may be deleted" in lines[-1]:
            lines.append(await session.reader.readline())
            break
    found = re.search(rb"X-SMTP-Probe-Clock: ([0-9a-f]{16})\r\n", b"".join(lines))
    assert found is not None
    session.mark = found[1]


async def answer_fetch(session):
    session.writer.write(fetch_line(103, b"X-SMTP-Probe-Clock: " + session.mark + b"\r\n\r\n"))


READING = [
    SELECT
    + r"""
C: UID SEARCH HEADER "X-SMTP-Probe-Clock" ""
S: * SEARCH 99 103
S: {tag} OK
C: UID SEARCH HEADER "X-SMTP-Probe-Clock" "[0-9a-f]{16}"
S: * SEARCH 103
S: {tag} OK
C: UID FETCH 103 """,
    answer_fetch,
    r"""
S: {tag} OK
C: UID STORE 99,103 \+FLAGS.SILENT \(\\Deleted\)
S: {tag} OK
C: UID EXPUNGE 99,103
S: {tag} OK
""",
]


async def test_the_server_dates_a_message_that_is_removed_with_what_was_left_behind():
    script = [LOGIN, APPEND, take_message, "S: {tag} OK [APPENDUID 7 103] done", *READING]
    async with hostile_imap(script) as server:
        sighting = await connector_to(server.port, after_judgement="keep").sight_clock("clock")

    assert (sighting.at_ns, sighting.resolution_seconds) == (DATE_NS, 1.0)
    assert sighting.earliest_ns <= sighting.latest_ns


async def test_a_folder_that_is_not_there_is_made():
    script = [
        LOGIN,
        'C: APPEND "clock"\nS: {tag} NO [TRYCREATE] no such folder',
        'C: CREATE "clock"\nS: {tag} OK',
        *(APPEND, take_message, "S: {tag} OK"),
        *READING,
    ]
    async with hostile_imap(script) as server:
        assert (await connector_to(server.port).sight_clock("clock")).at_ns == DATE_NS


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("S: {tag} NO [OVERQUOTA] full\nC: CREATE\nS: {tag} NO [OVERQUOTA] full", None),
        ("S: {tag} BAD what", Cause.PROTOCOL_ERROR),
        ("S: * BYE no more", Cause.CONNECTION_LOST),
        ("cut", Cause.CONNECTION_LOST),
        ("S: + go on\nwait 0.1\nS: + and on\nS: + and on\nS: + and on", Cause.PROTOCOL_ERROR),
    ],
    ids=["refused", "not understood", "farewell", "cut", "never satisfied"],
)
async def test_a_server_that_takes_no_message_is_an_error_and_no_hang(answer, cause):
    async with hostile_imap([LOGIN, f'C: APPEND "clock"\n{answer}']) as server:
        with pytest.raises(MailboxError) as raised:
            await connector_to(server.port).sight_clock("clock")
        server.complaints.clear()  # our message came where the script had no line for it

    assert cause is None or raised.value.cause is cause


async def test_a_server_that_shows_no_message_tells_no_time():
    script = [
        *(LOGIN, APPEND, take_message, "S: {tag} OK"),
        SELECT,
        "C: UID SEARCH\nS: * SEARCH\nS: {tag} OK\nC: UID SEARCH\nS: * SEARCH\nS: {tag} OK",
    ]
    async with hostile_imap(script) as server:
        assert await connector_to(server.port).sight_clock("clock") is None

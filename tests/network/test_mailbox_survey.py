"""A mailbox looked over: folders, quota, rights; and what servers tell of them that nobody can read."""

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Placement, QuotaUse
from smtp_probe.network.imap_answers import parse_quotas, parse_rights
from smtp_probe.network.imap_wire import Answer
from tests.network.hostile_imap import CAPABILITIES, connector_to, hostile_imap

FULL = f"""
S: * OK [CAPABILITY {CAPABILITIES} QUOTA ACL] ready
C: AUTHENTICATE PLAIN
S: {{tag}} OK [CAPABILITY {CAPABILITIES} QUOTA ACL] logged in
"""
PLAIN = FULL.replace(" QUOTA ACL", "")
SELECT = """
C: SELECT "INBOX"
S: * 3 EXISTS
S: * OK [UIDVALIDITY 7] x
S: * OK [UIDNEXT 9] x
S: {tag} OK [READ-WRITE] done
"""
RIGHTS = 'C: MYRIGHTS "INBOX"$\nS: * MYRIGHTS INBOX lrswite\nS: {tag} OK'
QUOTA = """
C: GETQUOTAROOT "INBOX"$
S: * QUOTAROOT INBOX "User quota"
S: * QUOTA "User quota" (STORAGE 10 512 MESSAGE 3 1000)
S: {tag} OK
"""


async def survey(*script):
    async with hostile_imap(list(script)) as server:
        return await connector_to(server.port).survey()


@pytest.mark.slow
async def test_folders_quota_and_rights_are_told():
    seen = await survey(FULL, SELECT, RIGHTS, QUOTA, "wait 1")

    [inbox] = seen.folders
    assert (inbox.name, inbox.placement, inbox.messages, inbox.rights) == (
        "INBOX",
        Placement.INBOX,
        3,
        "lrswite",
    )
    assert seen.quotas == (
        QuotaUse(resource="STORAGE", used=10, limit=512),
        QuotaUse(resource="MESSAGE", used=3, limit=1000),
    )
    assert seen.clock is None


async def test_a_server_without_these_extensions_is_not_asked():
    seen = await survey(PLAIN, SELECT, "C: LOGOUT\nS: {tag} OK")

    assert (seen.folders[0].rights, seen.quotas) == (None, None)


@pytest.mark.slow
async def test_a_refusal_to_tell_them_is_no_failure():
    seen = await survey(
        FULL, SELECT, "C: MYRIGHTS\nS: {tag} NO never", "C: GETQUOTAROOT\nS: {tag} BAD what", "wait 1"
    )

    assert (seen.folders[0].rights, seen.quotas) == (None, None)


@pytest.mark.parametrize("step", ["C: MYRIGHTS\ncut", "C: MYRIGHTS\nS: * BYE enough"])
async def test_a_connection_that_is_lost_is_one(step):
    with pytest.raises(MailboxError):
        await survey(FULL, SELECT, step)


@pytest.mark.slow
async def test_a_folder_that_is_not_there_is_told():
    with pytest.raises(MailboxError) as caught:
        await survey(FULL, 'C: SELECT "INBOX"\nS: {tag} NO no such folder', "wait 1")

    assert (caught.value.stage, caught.value.cause) == ("select", "folder_missing")


@pytest.mark.parametrize(
    "line",
    [
        b"* QUOTA",
        b"* QUOTA ",
        b'* QUOTA "x"',
        b'* QUOTA "x" (',
        b'* QUOTA "x" ()',
        b'* QUOTA "x" (STORAGE)',
        b'* QUOTA "x" (STORAGE 1)',
        b'* QUOTA "x" (STORAGE a b)',
        b'* QUOTA "x" ((STORAGE) 1 2)',
        b"* MYRIGHTS",
        b"* MYRIGHTS INBOX",
        b"* MYRIGHTS INBOX (l r)",
    ],
)
def test_what_cannot_be_read_tells_nothing(line):
    assert parse_quotas([Answer((line,))]) == []
    assert parse_rights([Answer((line,))]) is None

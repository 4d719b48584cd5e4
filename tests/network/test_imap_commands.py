"""Commands as they go over the wire, and the answers that may not be taken at their word."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.imap_commands import write_uid_set
from smtp_probe.ports import FolderState
from tests.network.hostile_imap import LOGIN, SELECT, fetch_line, hostile_imap, session_to


@asynccontextmanager
async def commands_after(*script):
    async with hostile_imap([LOGIN, *script]) as server, session_to(server.port) as session:
        yield session._commands


async def test_select_gives_the_identity_of_the_folder():
    async with commands_after(SELECT) as commands:
        assert await commands.select("INBOX", read_only=False) == FolderState(
            uidvalidity=7, uidnext=104, exists=3
        )


async def test_names_are_quoted():
    async with hostile_imap([LOGIN, "C: SELECT\nS: {tag} NO"]) as server, session_to(server.port) as session:
        with pytest.raises(MailboxError):
            await session._commands.select(r'Sent \ "Items"', read_only=False)

    assert server.received[1].endswith(r'SELECT "Sent \\ \"Items\""')


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_folder_that_is_refused_is_named_as_people_write_it(read_only):
    command = "EXAMINE" if read_only else "SELECT"
    script = (
        f"C: {command}\nS: {{tag}} NO Mailbox does not exist, or must be subscribed to."  # as Courier says it
    )
    async with commands_after(script) as commands:
        with pytest.raises(MailboxError) as caught:
            await commands.select("INBOX.Gel&APY-scht", read_only=read_only)

    assert caught.value.detail.startswith("INBOX.Gelöscht: NO Mailbox does not exist")


async def test_a_server_that_tells_no_uidnext_is_asked_for_its_last_message():
    script = SELECT.replace("S: * OK [UIDNEXT 104] next\n", "")
    more = "C: UID FETCH \\* \\(UID\\)$\nS: * 3 FETCH (UID 103)\nS: {tag} OK"
    async with commands_after(script, more) as commands:
        assert (await commands.select("INBOX", read_only=False)).uidnext == 104


async def test_an_empty_folder_without_uidnext_begins_at_one():
    script = SELECT.replace("S: * OK [UIDNEXT 104] next\n", "").replace("* 3 EXISTS", "* 0 EXISTS")
    async with commands_after(script) as commands:
        assert (await commands.select("INBOX", read_only=False)).uidnext == 1


@pytest.mark.parametrize("number", ["", "0", "x", "-1"])
async def test_a_folder_without_uidvalidity_cannot_be_watched(number):
    async with commands_after(SELECT.replace("UIDVALIDITY 7", f"UIDVALIDITY {number}")) as commands:
        with pytest.raises(MailboxError) as caught:
            await commands.select("INBOX", read_only=False)

    assert (caught.value.stage, caught.value.cause) == ("select", Cause.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("NO [NONEXISTENT] no", Cause.FOLDER_MISSING),
        ("NO no such mailbox", Cause.FOLDER_MISSING),
        ("NO [INUSE] locked", Cause.REPLY_TEMPORARY),
        ("NO [NOPERM] not yours", Cause.REPLY_PERMANENT),
        ("BAD User is authenticated but not connected", Cause.PROTOCOL_ERROR),
    ],
)
async def test_a_refused_select_is_told_apart(answer, cause):
    async with commands_after("C: SELECT\nS: {tag} " + answer) as commands:
        with pytest.raises(MailboxError) as caught:
            await commands.select("INBOX", read_only=False)
        assert caught.value.cause is cause
        assert commands.connection.is_open


async def test_messages_that_go_while_they_are_fetched_are_left_out():
    script = ["C: UID FETCH", fetch_line(104), "S: {tag} NO [EXPUNGEISSUED] some are gone"]
    async with commands_after(SELECT, *script) as commands:
        await commands.select("INBOX", read_only=False)
        assert list(await commands.fetch("104,105", "(UID)")) == [104]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("LIST", 'S: * LIST (\\Junk "/" x'),
        ("SEARCH", "S: * SEARCH 1 2 x"),
        ("FETCH", 'S: * 1 FETCH (UID 104 BODY[HEADER] "never closed)'),
    ],
)
async def test_an_answer_that_cannot_be_read_closes(command, answer):
    async with commands_after(SELECT, f"C: (UID )?{command}", answer, "S: {tag} OK") as commands:
        await commands.select("INBOX", read_only=False)
        work = {
            "LIST": commands.list_folders,
            "SEARCH": lambda: commands.search("ALL"),
            "FETCH": lambda: commands.fetch("104", "(UID)"),
        }[command]
        with pytest.raises(MailboxError) as caught:
            await work()
        assert caught.value.cause is Cause.PROTOCOL_ERROR
        assert not commands.connection.is_open


@pytest.mark.parametrize("argument", ["a\r\nA1 DELETE INBOX", "a\0b", "a\nb"])
async def test_an_argument_cannot_become_a_command(argument):
    async with commands_after() as commands:
        with pytest.raises(ValueError, match="control characters"):
            await commands.select(argument, read_only=False)


async def test_idle_ends_with_news_and_sends_done():
    script = "C: IDLE\nS: + idling\nS: * OK still here\nS: * 4 EXISTS\nR: DONE\nS: {tag} OK"
    async with commands_after(SELECT, script) as commands:
        await commands.select("INBOX", read_only=False)
        await asyncio.wait_for(commands.idle(60), 1)
        assert commands.connection.folder.may_have_news


async def test_idle_that_the_server_ends_is_no_news():
    async with commands_after(SELECT, "C: IDLE\nS: + idling\nS: {tag} OK enough") as commands:
        await commands.select("INBOX", read_only=False)
        await asyncio.wait_for(commands.idle(60), 1)
        assert not commands.connection.folder.may_have_news
        assert commands.connection.is_open


async def test_idle_can_be_woken_before_it_has_begun():
    async with commands_after(SELECT, "C: IDLE\nwait 0.1\nS: + idling\nR: DONE\nS: {tag} OK") as commands:
        await commands.select("INBOX", read_only=False)
        task = asyncio.create_task(commands.idle(60))
        await asyncio.sleep(0.02)
        commands.wake()
        await asyncio.wait_for(task, 1)


async def test_two_commands_at_once_are_our_own_fault():
    async with commands_after("C: NOOP\nwait 0.2\nS: {tag} OK") as commands:
        first = asyncio.create_task(commands.noop())
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError):
            await commands.noop()
        with pytest.raises(MailboxError):
            await first


def test_a_set_of_uids_names_each():
    assert write_uid_set([5, 6, 7, 9]) == "5,6,7,9"

"""A session: which folders, which messages, when there is news, and what is removed."""

import asyncio
import logging
import re
import time

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Placement
from smtp_probe.ports import WatchedFolder
from tests.network.hostile_imap import (
    CAPABILITIES,
    LOGIN,
    SELECT,
    connector_to,
    fetch_line,
    hostile_imap,
    session_to,
)

INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)
JUNK = WatchedFolder(name="Junk", placement=Placement.JUNK)


def login_with(capabilities):
    return LOGIN.replace(CAPABILITIES, f"AUTH=PLAIN SASL-IR {capabilities}")


def uids(messages):
    return [message.location.uid for message in messages]


async def fail(work):
    with pytest.raises(MailboxError) as caught:
        await asyncio.wait_for(work, 2)
    return caught.value


# Folders.

LISTED = """
C: LIST "" "\\*"$
S: * LIST () "/" INBOX
S: * LIST (\\Junk) "/" "Sp&AOQ-m"
S: * LIST (\\Trash) "/" "Bin"
S: {tag} OK
"""


async def folders_of(*script, **changes):
    async with hostile_imap(*([LOGIN, *script],)) as server, session_to(server.port, **changes) as session:
        return [(folder.name, folder.placement) for folder in await session.folders()]


async def test_the_junk_folder_is_found_by_its_use():
    assert await folders_of(LISTED, junk="auto") == [
        ("INBOX", Placement.INBOX),
        ("Sp&AOQ-m", Placement.JUNK),
    ]


async def test_without_a_junk_folder_to_find_nothing_is_listed():
    assert await folders_of(junk=None) == [("INBOX", Placement.INBOX)]


async def test_configured_names_are_encoded():
    found = await folders_of(folders=["INBOX", "Entwürfe & 日本"], junk="Späm")

    assert [name for name, _ in found] == ["INBOX", "Entw&APw-rfe &- &ZeVnLA-", "Sp&AOQ-m"]


async def test_folders_of_quarantine_are_watched_besides_the_junk_folder():
    assert await folders_of(LISTED, junk="auto", quarantine=["Held", "Späm"]) == [
        ("INBOX", Placement.INBOX),
        ("Sp&AOQ-m", Placement.JUNK),
        ("Held", Placement.OTHER),
    ]


async def test_a_junk_folder_that_is_watched_as_another_stays_what_it_was():
    assert await folders_of(LISTED, folders=["INBOX", "Späm"], junk="auto") == [
        ("INBOX", Placement.INBOX),
        ("Sp&AOQ-m", Placement.INBOX),
    ]


async def test_uses_that_are_told_only_when_asked_for():
    plain = 'C: LIST "" "\\*"\nS: * LIST () "/" "Unwanted"\nS: {tag} OK'
    special = 'C: LIST \\(SPECIAL-USE\\) "" "\\*"$\nS: * LIST (\\Junk) "/" "Unwanted"\nS: {tag} OK'
    async with (
        hostile_imap([login_with("SPECIAL-USE"), plain, special]) as server,
        session_to(server.port, junk="auto") as session,
    ):
        assert [folder.name for folder in await session.folders()] == ["INBOX", "Unwanted"]


@pytest.mark.parametrize("name", ['"Spam \udcbfunk"', '"Ju\x07nk"', '"Ju\x7fnk"'])
async def test_a_junk_folder_whose_name_cannot_be_said_is_told_and_hides_no_other(name, caplog):
    script = f'C: LIST\nS: * LIST () "/" INBOX\nS: * LIST (\\Junk) "/" {name}\nS: {{tag}} OK'

    assert await folders_of(script, junk="auto") == [("INBOX", Placement.INBOX)]
    assert "not looked into" in caplog.text


async def test_no_junk_folder_is_no_error():
    assert await folders_of('C: LIST\nS: * LIST () "/" INBOX\nS: {tag} OK', junk="auto") == [
        ("INBOX", Placement.INBOX)
    ]


@pytest.mark.parametrize("trash", ["auto", "Rubbish"])
async def test_a_trash_folder_that_is_needed_and_missing_is_said_at_once(trash):
    script = [LOGIN, 'C: LIST\nS: * LIST () "/" INBOX\nS: {tag} OK']
    async with (
        hostile_imap(script) as server,
        session_to(server.port, after_judgement="trash", trash=trash) as session,
    ):
        error = await fail(session.folders())

    assert (error.stage, error.cause) == ("list", Cause.FOLDER_MISSING)
    assert trash in error.detail


async def test_a_missing_folder_leaves_the_session_usable():
    async with (
        hostile_imap([LOGIN, 'C: SELECT "Junk"\nS: {tag} NO no such mailbox', SELECT]) as server,
        session_to(server.port) as session,
    ):
        assert (await fail(session.select(JUNK))).cause is Cause.FOLDER_MISSING
        await session.select(INBOX)


# Reading.


def fetching(*answers, asked="104:\\*"):
    return [LOGIN, SELECT, f"C: UID FETCH {asked} ", *answers, "S: {tag} OK"]


async def test_a_message_is_told_with_all_that_the_server_knows():
    line = fetch_line(104, extra=' X-GUID "1f0e5c00a2b3" X-GM-MSGID 1278455344230334865 FLAGS (\\Recent)')
    async with hostile_imap(fetching(line)) as server, session_to(server.port) as session:
        await session.select(INBOX)
        [message] = await session.fetch_since(104)

    assert message.location.folder == "INBOX"
    assert (message.location.mailbox, message.location.uidvalidity, message.location.uid) == ("inbox", 7, 104)
    assert message.placement is Placement.INBOX
    assert message.header == b"Subject: x\r\n\r\n"
    assert message.size_bytes == 512
    assert message.internaldate_ns == 1795428001 * 10**9
    assert (message.guid, message.gmail_msgid) == ("1f0e5c00a2b3", 1278455344230334865)
    assert message.seen_ns > 0


async def test_the_last_message_that_every_range_names_is_not_taken_for_news():
    async with hostile_imap(fetching(fetch_line(103))) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.fetch_since(104) == []


async def test_unsolicited_flags_are_no_message_and_hide_none():
    answers = [
        b"* 2 FETCH (FLAGS (\\Seen))\r\n",
        b"* 5 FETCH (UID 105 FLAGS ())\r\n",
        fetch_line(105),
        fetch_line(104),
        b"* 4 FETCH (FLAGS (\\Seen) UID 104)\r\n",
    ]
    async with hostile_imap(fetching(*answers)) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104, 105]


async def test_a_message_of_which_only_flags_are_told_is_asked_for_again():
    script = [
        *fetching(b"* 4 FETCH (UID 104 FLAGS ())\r\n", fetch_line(105)),
        "C: UID FETCH 104 ",
        fetch_line(104),
        "S: {tag} OK",
    ]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104, 105]


async def test_flags_of_a_message_that_came_meanwhile_pass_over_none_before_it():
    """A server tells of new messages at any time (RFC 3501 section 7.4.2), also of one far behind those that were asked for."""
    script = [
        *fetching(fetch_line(104), b"* 9 FETCH (UID 109 FLAGS (\\Recent))\r\n"),
        "C: UID FETCH 105:109 ",
        *(fetch_line(uid) for uid in (105, 106, 108, 109)),
        b"* 4 FETCH (UID 104 FLAGS (\\Seen))\r\n",
        "S: {tag} OK",
    ]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104, 105, 106, 108, 109]


async def test_flags_of_a_message_behind_the_batch_pass_over_none_of_a_long_folder():
    listed = range(104, 354)
    first, second = listed[:100], listed[100:200]
    script = [
        LOGIN,
        SELECT,
        "C: NOOP\nS: * 253 EXISTS\nS: {tag} OK",
        "C: UID SEARCH UID 104:\\*$\nS: * SEARCH " + " ".join(map(str, listed)) + "\nS: {tag} OK",
        f"C: UID FETCH {first[0]},.*,{first[-1]} ",
        *(fetch_line(uid) for uid in first),
        b"* 253 FETCH (UID 353 FLAGS (\\Recent))\r\n",
        "S: {tag} OK",
        f"C: UID FETCH {second[0]},.*,{second[-1]} ",
        *(fetch_line(uid) for uid in second),
        "S: {tag} OK",
    ]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        await session.poll()
        assert uids(await session.fetch_since(104)) == list(first)
        assert uids(await session.fetch_since(204)) == list(second)


async def test_a_server_that_does_not_know_the_stamp_is_asked_without():
    script = [
        LOGIN.replace("ready", "Dovecot ready"),
        SELECT,
        "C: UID FETCH 104:\\* .* X-GUID\\)$",
        "S: {tag} BAD unknown X-GUID",
        "C: UID FETCH 104:\\* .*0.65536>\\)$",
        fetch_line(104),
        "S: {tag} OK",
    ]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104]


@pytest.mark.parametrize("refusal", ["NO [SERVERBUG] Internal error", "NO broken"])
async def test_a_message_that_its_server_cannot_read_does_not_hide_the_others(caplog, refusal):
    script = [
        LOGIN,
        SELECT,
        "C: UID FETCH 104:\\*",
        fetch_line(104),
        "S: {tag} " + refusal,
        "C: UID SEARCH UID 104:\\*$\nS: * SEARCH 103 104 105 106\nS: {tag} OK",
        *("C: UID FETCH 104 ", fetch_line(104), "S: {tag} OK"),
        "C: UID FETCH 105 \nS: {tag} " + refusal,
        *("C: UID FETCH 106 ", fetch_line(106), "S: {tag} OK"),
    ]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104, 106]

    assert "passed over" in caplog.text


async def test_a_folder_of_which_nothing_can_be_read_is_an_error():
    script = [
        LOGIN,
        SELECT,
        "C: UID FETCH\nS: {tag} NO disk on fire",
        "C: UID SEARCH\nS: * SEARCH 104\nS: {tag} OK",
    ]
    script += ["C: UID FETCH 104 \nS: {tag} NO disk on fire"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        error = await fail(session.fetch_since(104))

    assert (error.stage, error.cause) == ("fetch", Cause.REPLY_PERMANENT)
    assert "disk on fire" in error.detail


async def test_a_header_is_bounded_also_where_the_server_sends_more():
    answers = [fetch_line(104, b"X: " + b"y" * 500_000)]
    async with hostile_imap(fetching(*answers)) as server, session_to(server.port) as session:
        await session.select(INBOX)
        [message] = await session.fetch_since(104)

    assert len(message.header) == 65536


async def test_an_empty_folder_is_asked_for_news_and_not_for_messages():
    script = [LOGIN, SELECT.replace("* 3 EXISTS", "* 0 EXISTS")]
    script += ["C: NOOP", "S: {tag} OK", "C: NOOP", "S: * 1 EXISTS", "S: {tag} OK"]
    script += ["C: UID FETCH 104:\\*", fetch_line(104), "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert list(await session.fetch_since(104)) == []
        assert uids(await session.fetch_since(104)) == [104]


class Crowd:
    """A folder of thousands: answers FETCH and SEARCH truly, and notes how much was asked for at once."""

    def __init__(self, count):
        self.uids = list(range(1, 2 * count, 2))
        self.largest = 0
        self.gone: set[int] = set()

    async def __call__(self, session):
        while True:
            command = await session.read_command("(UID |LOGOUT)")
            kind, _, rest = command.removeprefix("UID ").partition(" ")
            if kind == "SEARCH":
                found = self.named(rest.removeprefix("UID "))
                await session.send("* SEARCH " + " ".join(map(str, found)))
            else:
                found = self.named(rest.split(" ")[0])
                self.largest = max(self.largest, len(found))
                await session.send_bytes(b"".join(map(fetch_line, found)))
            await session.send("{tag} OK done")

    def named(self, uid_set):
        if uid_set.endswith(":*"):
            first = int(uid_set[:-2])
            return [uid for uid in self.uids if uid >= first] or self.uids[-1:]
        asked = set(map(int, uid_set.split(",")))
        return [uid for uid in self.uids if uid in asked - self.gone]


def crowded(count):
    select = SELECT.replace("* 3 EXISTS", f"* {count} EXISTS").replace("UIDNEXT 104", f"UIDNEXT {2 * count}")
    return [LOGIN, select]


@pytest.mark.slow
async def test_ten_thousand_foreign_mails_are_walked_in_batches():
    crowd = Crowd(10_000)
    async with hostile_imap([*crowded(10_000), crowd]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        seen: list[int] = []
        async with asyncio.timeout(60):
            while messages := await session.fetch_since(seen[-1] + 1 if seen else 1):
                assert len(messages) <= 100
                seen += uids(messages)

    assert seen == crowd.uids
    assert crowd.largest <= 100
    searches = [line for line in server.received if "SEARCH" in line]
    assert len(searches) == 1


@pytest.mark.slow
async def test_news_in_a_folder_of_ten_thousand_costs_one_round_trip():
    crowd = Crowd(10_000)
    async with hostile_imap([*crowded(10_000), crowd]) as server, session_to(server.port) as session:
        state = await session.select(INBOX)
        before = len(server.received)
        assert await session.fetch_since(state.uidnext) == []
        crowd.uids.append(state.uidnext)
        assert uids(await session.fetch_since(state.uidnext)) == [state.uidnext]

        assert len(server.received) == before + 2


async def test_messages_that_are_gone_do_not_end_the_walk():
    crowd = Crowd(300)
    crowd.gone = set(crowd.uids[100:200])
    async with hostile_imap([*crowded(300), crowd]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        seen: list[int] = []
        while messages := await session.fetch_since(seen[-1] + 1 if seen else 1):
            seen += uids(messages)
            if len(seen) == 200:
                break

    assert seen == [uid for uid in crowd.uids if uid not in crowd.gone]


async def test_many_named_messages_are_fetched_in_batches():
    crowd = Crowd(300)
    async with hostile_imap([*crowded(300), crowd]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch(crowd.uids[::-1][:250])) == crowd.uids[-250:]

    assert crowd.largest == 100


async def test_a_text_is_fetched_in_pieces_of_bounded_size():
    body = bytes(range(256)) * 20_000
    pieces = []

    async def answer(session):
        match = re.match(
            r"UID FETCH 104 \(UID BODY\.PEEK\[TEXT\]<(\d+)\.(\d+)>\)$", await session.read_command()
        )
        assert match is not None
        offset, size = map(int, match.groups())
        piece = body[offset : offset + size]
        pieces.append(len(piece))
        await session.send_bytes(
            b"* 4 FETCH (UID 104 BODY[TEXT]<%d> {%d}\r\n" % (offset, len(piece)) + piece + b")\r\n"
        )
        await session.send("{tag} OK")

    async with hostile_imap([LOGIN, SELECT, *[answer] * 4]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.fetch_text(104, 10_000_000) == body
        assert await session.fetch_text(104, 7) == body[:7]

    assert max(pieces) <= 2 * 2**20


async def test_the_text_of_a_message_that_is_gone_is_empty():
    async with (
        hostile_imap([LOGIN, SELECT, "C: UID FETCH 104\nS: {tag} OK"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        assert await session.fetch_text(104, 100) == b""


async def test_a_changed_uidvalidity_is_told_by_select_and_ends_an_open_folder():
    again = SELECT.replace("UIDVALIDITY 7", "UIDVALIDITY 8").replace("UIDNEXT 104", "UIDNEXT 1")
    changed = "C: NOOP\nS: * OK [UIDVALIDITY 9] rebuilt\nS: {tag} OK"
    async with hostile_imap([LOGIN, SELECT, again, changed]) as server, session_to(server.port) as session:
        assert (await session.select(INBOX)).uidvalidity == 7
        assert (await session.select(INBOX)).uidvalidity == 8
        assert (await fail(session.poll())).cause is Cause.PROTOCOL_ERROR


# News.


@pytest.mark.parametrize(
    ("told", "is_news"),
    [
        ([], False),
        (["S: * 3 EXISTS"], False),
        (["S: * 0 RECENT", "S: * OK hello", "S: * 1 FETCH (FLAGS ())"], False),
        (["S: * 2 EXPUNGE"], False),
        (["S: * 4 EXISTS"], True),
        (["S: * 2 EXPUNGE", "S: * 3 EXISTS"], True),
        (["S: * 2 EXISTS"], True),
    ],
)
async def test_a_poll_tells_what_may_be_news(told, is_news):
    async with (
        hostile_imap([LOGIN, SELECT, "C: NOOP", *told, "S: {tag} OK"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        assert await session.poll() is is_news


async def test_news_stays_news_until_the_folder_is_looked_at():
    script = [
        LOGIN,
        SELECT,
        "C: NOOP",
        "S: * 4 EXISTS",
        "S: {tag} OK",
        "C: UID FETCH",
        fetch_line(104),
        "S: {tag} OK",
    ]
    async with hostile_imap([*script, "C: NOOP\nS: {tag} OK"]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert [await session.poll(), await session.poll()] == [True, True]
        assert await asyncio.wait_for(session.idle(60), 1) is True
        await session.fetch_since(104)
        assert await session.poll() is False


async def test_idle_looks_before_it_waits():
    async with (
        hostile_imap([LOGIN, SELECT, "C: NOOP", "S: * 4 EXISTS", "S: {tag} OK"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        assert await asyncio.wait_for(session.idle(60), 1) is True


@pytest.mark.parametrize("capabilities", ["IDLE", ""])
async def test_idle_can_be_woken_and_counts_as_news(capabilities):
    async def answer(session):
        while True:
            command = await session.read_command("(NOOP|IDLE|LOGOUT)")
            await session.send("+ idling" if command == "IDLE" else "{tag} OK")
            if command == "IDLE":
                await session.read_line()
                await session.send("{tag} OK")

    async with (
        hostile_imap([login_with(capabilities), SELECT, answer]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        session.wake()  # nothing is waiting: nothing happens
        task = asyncio.create_task(session.idle(60))
        await asyncio.sleep(0.1)
        assert not task.done()
        session.wake()
        assert await asyncio.wait_for(task, 1) is True
        assert await session.idle(0.02) is False


async def test_idle_without_idle_looks_now_and_then(monkeypatch):
    monkeypatch.setattr("smtp_probe.network.mailbox_session._NO_IDLE_SECONDS", 0.05)
    noop = "C: NOOP\nS: {tag} OK"
    script = [login_with(""), SELECT, noop, noop, "C: NOOP\nS: * 4 EXISTS\nS: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await asyncio.wait_for(session.idle(60), 2) is True


@pytest.mark.parametrize("ending", ["cut", "end"])
@pytest.mark.parametrize("refusal", ["", "C: IDLE\nS: {tag} NO not today"], ids=["not offered", "refused"])
async def test_a_connection_that_is_lost_is_noticed_at_once_also_without_idle(refusal, ending):
    script = [login_with("IDLE" if refusal else ""), SELECT, "C: NOOP\nS: {tag} OK", refusal]
    async with hostile_imap([*script, f"wait 0.1\n{ending}"]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        with pytest.raises(MailboxError) as caught:
            await asyncio.wait_for(session.idle(60), 2)
        assert caught.value.cause is Cause.CONNECTION_LOST


@pytest.mark.slow
async def test_what_the_server_tells_of_itself_is_heard_without_idle():
    async def tell(session):
        await asyncio.sleep(0.1)
        await session.send("* 4 EXISTS")
        await session.read_command("(NOOP|LOGOUT)")

    script = [login_with(""), SELECT, "C: NOOP\nS: {tag} OK", tell]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await asyncio.wait_for(session.idle(60), 2) is True


# Removal.

FLAG = "C: UID STORE 101,103 \\+FLAGS.SILENT \\(\\\\Deleted\\)$\nS: {tag} OK"
EXPUNGE = "C: UID EXPUNGE 101,103$\nS: * 1 EXPUNGE\nS: * 2 EXPUNGE\nS: {tag} OK"
MOVE = 'C: UID MOVE 101,103 "Bin"$\nS: * 1 EXPUNGE\nS: * 2 EXPUNGE\nS: {tag} OK'
COPY = 'C: UID COPY 101,103 "Bin"$\nS: {tag} OK'


@pytest.mark.parametrize(
    ("capabilities", "after", "steps"),
    [
        ("UIDPLUS MOVE", "delete", [FLAG, EXPUNGE]),
        ("UIDPLUS", "delete", [FLAG, EXPUNGE]),
        ("IMAP4rev2", "delete", [FLAG, EXPUNGE]),
        ("MOVE", "delete", [LISTED, MOVE]),
        ("", "delete", [FLAG]),
        ("X-GM-EXT-1 UIDPLUS MOVE", "delete", [LISTED, MOVE]),
        ("MOVE UIDPLUS", "trash", [LISTED, MOVE]),
        ("UIDPLUS", "trash", [LISTED, COPY, FLAG, EXPUNGE]),
        ("", "trash", [LISTED, COPY, FLAG]),
        ("UIDPLUS MOVE", "keep", []),
    ],
)
async def test_only_what_is_named_is_removed_and_nothing_is_expunged_wholesale(capabilities, after, steps):
    select = SELECT.replace("SELECT", "EXAMINE") if after == "keep" else SELECT
    async with (
        hostile_imap([login_with(capabilities), select, *steps]) as server,
        session_to(server.port, after_judgement=after) as session,
    ):
        await session.select(INBOX)
        await session.remove([103, 101])
        assert session.is_open

    commands = [line.split(" ", 1)[1] for line in server.received]
    assert server.unanswered == []
    assert not [line for line in commands if line.startswith(("EXPUNGE", "CLOSE", "STORE", "DELETE"))]
    assert not [line for line in commands if "\\Seen" in line or "BODY[" in line]


async def test_what_is_removed_from_the_trash_is_deleted():
    trash = WatchedFolder(name="Bin", placement=Placement.OTHER)
    script = [login_with("UIDPLUS MOVE"), SELECT.replace("INBOX", "Bin"), LISTED, FLAG, EXPUNGE]
    async with (
        hostile_imap(script) as server,
        session_to(server.port, after_judgement="trash") as session,
    ):
        await session.select(trash)
        await session.remove([101, 103])


async def test_removing_nothing_asks_nothing():
    async with hostile_imap([LOGIN, SELECT]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        await session.remove([])

    assert len(server.received) == 3


async def test_many_are_removed_in_batches():
    async def answer(session):
        while True:
            await session.read_command("(UID|LOGOUT)")
            await session.send("{tag} OK")

    async with hostile_imap([LOGIN, SELECT, answer]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        await session.remove(range(1, 251))

    assert max(line.count(",") for line in server.received) == 99


@pytest.mark.parametrize("refusal", ["NO [NOPERM] read-only", "NO over quota", "BAD no such command"])
async def test_a_refused_removal_is_said_once_and_the_folder_is_watched_on(caplog, refusal):
    caplog.set_level(logging.WARNING)
    store = "C: UID STORE\nS: {tag} " + refusal
    async with (
        hostile_imap([LOGIN, SELECT, store, store, "C: NOOP\nS: {tag} OK"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        await session.remove([101])
        await session.remove([103])
        assert await session.poll() is False

    assert len([record for record in caplog.records if record.name.startswith("smtp_probe")]) == 1


async def test_a_connection_lost_while_removing_is_an_error():
    async with (
        hostile_imap([LOGIN, SELECT, "C: UID STORE", "cut"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        assert (await fail(session.remove([101]))).cause is Cause.CONNECTION_LOST


# Cost.


@pytest.mark.slow
async def test_a_poll_is_cheap():
    async def answer(session):
        while line := await session.reader.readline():
            session.writer.write(line.split()[0] + b" OK\r\n")

    rounds = 500
    async with hostile_imap([LOGIN, SELECT, answer]) as server:
        session = await connector_to(server.port).open()
        await session.select(INBOX)
        best = 1.0
        for _ in range(5):
            started = time.process_time()
            for _ in range(rounds):
                await session.poll()
            best = min(best, (time.process_time() - started) / rounds)
        await session.close()

    assert best < 0.002  # both ends in this process; 0.2 ms are usual, and a poll may come every 5 ms

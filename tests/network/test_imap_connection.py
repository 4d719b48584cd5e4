"""The fence around aioimaplib: each of its eleven groups of defects, met by a hostile server.

The numbers are those of the list in `imap_connection`.
"""

import asyncio
import logging
import time
from base64 import b64encode

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Placement
from smtp_probe.ports import WatchedFolder
from tests.network.hostile_imap import (
    LOGIN,
    SECRET,
    SELECT,
    connector_to,
    fetch_line,
    hostile_imap,
    session_to,
)

INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)
IDLE = "C: NOOP\nS: {tag} OK\nC: IDLE"


async def fail(work, seconds=1.0):
    """Give the error with which `work` ends, which must be soon."""
    with pytest.raises(MailboxError) as caught:
        await asyncio.wait_for(work, seconds)
    return caught.value


def uids(messages):
    return [message.location.uid for message in messages]


# 1. Recursion.


async def test_1_five_thousand_lines_in_one_read_are_no_trouble():
    lines = b"".join(b"* %d FETCH (FLAGS ())\r\n" % n for n in range(1, 5001))
    script = [LOGIN, SELECT, "C: UID FETCH 104:", lines + fetch_line(104), "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert uids(await session.fetch_since(104)) == [104]


# 2. Lost connections.


@pytest.mark.parametrize("end", ["cut", "end"])
async def test_2_a_connection_lost_while_idling_is_known_at_once(end):
    script = [LOGIN, SELECT, IDLE, "S: + idling", "wait 0.05", end]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        error = await fail(session.idle(60))

        assert (error.stage, error.cause) == ("idle", Cause.CONNECTION_LOST)
        assert not session.is_open
        assert (await fail(session.poll())).cause is Cause.CONNECTION_LOST


WHOLE_LIFE = [
    *LOGIN.strip().splitlines(),
    "C: LIST",
    'S: * LIST (\\Junk) "/" "Spam"',
    "S: {tag} OK",
    *SELECT.strip().splitlines(),
    "C: UID FETCH 104:",
    fetch_line(104),
    "S: {tag} OK",
    "C: NOOP",
    "S: * 3 EXISTS",
    "S: {tag} OK",
    "C: UID SEARCH",
    "S: * SEARCH 104",
    "S: {tag} OK",
    "C: UID STORE",
    "S: {tag} OK",
    "C: UID EXPUNGE",
    "S: * 3 EXPUNGE",
    "S: {tag} OK",
    "C: NOOP",
    "S: {tag} OK",
    "C: IDLE",
    "S: + idling",
    "S: * 3 EXISTS",
    "R: DONE",
    "S: {tag} OK",
    "C: LOGOUT",
    "S: * BYE",
    "S: {tag} OK",
]


async def live(port):
    """Do everything once. Gives the error with which it ended early, or None."""
    session = None
    try:
        session = await connector_to(port, junk="auto").open()
        await session.folders()
        await session.select(INBOX)
        await session.fetch_since(104)
        await session.poll()
        await session.search_header("X-Probe", "")
        await session.remove([104])
        assert await session.idle(30)
    except MailboxError as error:
        return error
    finally:
        if session is not None:
            await session.close()
    return None


async def test_2_a_whole_life_goes_well():
    async with hostile_imap(WHOLE_LIFE) as server:
        assert await live(server.port) is None


@pytest.mark.parametrize("moment", range(len(WHOLE_LIFE) - 3))
@pytest.mark.parametrize("end", ["cut", "end", "S: * BYE shutting down"])
async def test_2_the_end_at_any_moment_is_a_lost_connection_within_a_second(moment, end):
    async with hostile_imap([*WHOLE_LIFE[:moment], end, "wait 5"]) as server:
        error = await asyncio.wait_for(live(server.port), 1.5)

        assert error.cause is Cause.CONNECTION_LOST
        if "BYE" in end:
            assert "shutting down" in error.detail or "cut" in error.detail


@pytest.mark.parametrize("moment", range(0, len(WHOLE_LIFE) - 3, 3))
async def test_2_a_cut_inside_a_line_is_a_lost_connection(moment):
    async with hostile_imap(
        [*WHOLE_LIFE[:moment], b"* 1 FETCH (UID 9 BODY[HEADER] {50}\r\nSub", "cut"]
    ) as server:
        error = await asyncio.wait_for(live(server.port), 1.5)

        assert error.cause is Cause.CONNECTION_LOST or moment == 0


COMMANDS = {str(line).removeprefix("C: "): at for at, line in enumerate(WHOLE_LIFE) if str(line)[:2] == "C:"}
"""Each command of the whole life, and where it comes in it."""


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("AUTHENTICATE PLAIN", Cause.AUTH_REFUSED),
        ("LIST", Cause.REPLY_PERMANENT),
        ('SELECT "INBOX"', Cause.FOLDER_MISSING),
        ("NOOP", Cause.REPLY_PERMANENT),
        ("UID SEARCH", Cause.REPLY_PERMANENT),
    ],
)
async def test_a_refusal_is_told_with_the_words_of_the_server(command, cause):
    script = [*WHOLE_LIFE[: COMMANDS[command] + 1], "S: {tag} NO not today", "cut"]
    async with hostile_imap(script) as server:
        error = await asyncio.wait_for(live(server.port), 1.5)

    assert error.cause is cause
    assert "not today" in error.detail


@pytest.mark.parametrize("word", ["NO", "BAD"])
@pytest.mark.parametrize("command", ["UID STORE", "UID EXPUNGE"])
async def test_a_refusal_to_delete_is_no_reason_to_end_the_watch(command, word):
    script = [*WHOLE_LIFE[: COMMANDS[command] + 1], f"S: {{tag}} {word} not today", "cut"]
    async with hostile_imap(script) as server:
        error = await asyncio.wait_for(live(server.port), 1.5)

    assert error.cause is Cause.CONNECTION_LOST, "it went on, until the server cut"


async def test_2_a_server_that_restarts_can_be_opened_again():
    async with hostile_imap([LOGIN, SELECT, "cut"], WHOLE_LIFE) as server:
        connector = connector_to(server.port, junk="auto")
        first = await connector.open()
        await first.select(INBOX)
        await fail(first.fetch_since(104))
        await first.close()
        second = await connector.open()
        assert len(await second.folders()) == 2
        await second.select(INBOX)
        assert uids(await second.fetch_since(104)) == [104]
        await second.close()


# 3. BYE instead of `+`.


@pytest.mark.parametrize(
    ("answer", "cause"),
    [("S: * BYE no idling here", Cause.CONNECTION_LOST), ("wait 30", Cause.TIMEOUT)],
)
async def test_3_idle_that_never_begins_ends(answer, cause):
    timeouts = {"timeouts": {"connect": 2.0, "command": 0.3}}
    async with (
        hostile_imap([LOGIN, SELECT, IDLE, answer]) as server,
        session_to(server.port, **timeouts) as session,
    ):
        await session.select(INBOX)
        assert (await fail(session.idle(60))).cause is cause


async def test_3_idle_that_is_refused_gives_way_to_looking():
    script = [LOGIN, SELECT, IDLE, "S: {tag} NO not today", "C: NOOP", "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.idle(0.05) is False
        assert session.is_open


async def test_3_idle_that_does_not_stop_ends():
    timeouts = {"timeouts": {"connect": 2.0, "command": 0.3}}
    async with (
        hostile_imap([LOGIN, SELECT, IDLE, "S: + idling", "R: DONE", "wait 30"]) as server,
        session_to(server.port, **timeouts) as session,
    ):
        await session.select(INBOX)
        assert (await fail(session.idle(0.05))).cause is Cause.TIMEOUT


# 4. Timeouts and cancellations.


async def test_4_a_timeout_hangs_up():
    async def wait_for_the_end(session):
        assert await session.reader.read() == b""
        ended.set()

    ended = asyncio.Event()
    timeouts = {"timeouts": {"connect": 2.0, "command": 0.1}}
    async with (
        hostile_imap([LOGIN, "C: SELECT", wait_for_the_end]) as server,
        session_to(server.port, **timeouts) as session,
    ):
        await fail(session.select(INBOX))
        await asyncio.wait_for(ended.wait(), 1.0)


async def test_4_a_timeout_closes_and_blocks_nobody():
    timeouts = {"timeouts": {"connect": 2.0, "command": 0.2}}
    async with (
        hostile_imap([LOGIN, "C: SELECT", "wait 0.4", "S: {tag} OK late"]) as server,
        session_to(server.port, **timeouts) as session,
    ):
        error = await fail(session.select(INBOX))
        started = time.perf_counter()

        assert (error.stage, error.cause) == ("select", Cause.TIMEOUT)
        assert (await fail(session.poll())).cause is Cause.TIMEOUT
        assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("command", ["poll", "folders", "idle"])
async def test_4_a_cancelled_command_closes_and_blocks_nobody(command):
    async with hostile_imap([LOGIN, "C: (NOOP|LIST)", "wait 30"]) as server:
        session = await connector_to(server.port, junk="auto").open()
        work = session.idle(60) if command == "idle" else getattr(session, command)()
        task = asyncio.create_task(work)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert not session.is_open
        await asyncio.wait_for(session.close(), 1.0)


# 5. EXISTS inside other answers.


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("command", ["fetch", "search", "store", "select", "list"])
async def test_5_exists_inside_any_answer_is_news(command, place):
    asked, answer, work = {
        "fetch": ("UID FETCH", fetch_line(104), lambda s: s.fetch_since(104)),
        "search": ("UID SEARCH", b"* SEARCH 1\r\n", lambda s: s.search_header("X-Probe", "")),
        "store": ("UID STORE", b"* 1 FETCH (FLAGS ())\r\n", lambda s: s.remove([1])),
        "select": ("NOOP", b"* OK hi\r\n", lambda s: s.poll()),
        "list": ("LIST", b'* LIST () "/" "a"\r\n', lambda s: s.folders()),
    }[command]

    async def reply(session):
        exists = b"* 4 EXISTS\r\n"
        done = session.tag.encode() + b" OK done\r\n"
        await session.send_bytes(answer + (exists + done if place == "before" else done + exists))

    script = [LOGIN, SELECT, f"C: {asked}", reply]
    if command == "store":
        script += ["C: UID EXPUNGE", "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port, junk="auto") as session:
        await session.select(INBOX)
        await work(session)
        assert await session.poll() is True  # known without asking: the script has no NOOP left


async def test_5_exists_in_the_same_read_as_the_end_of_select_is_news():
    async def finish(session):
        await session.send_bytes(session.tag.encode() + b" OK selected\r\n* 4 EXISTS\r\n")

    *start, _ = SELECT.strip().splitlines()
    async with hostile_imap([LOGIN, *start, finish]) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.poll() is True


# 6. Texts are not changed.


async def test_6_stars_and_braces_in_texts_stay():
    lines = [
        'S: * LIST () "/" "5* hotel * x"',
        "S: * OK this is no literal {5}",
        'S: * LIST (\\Junk) "/" "* Spam {3}x"',
    ]
    async with (
        hostile_imap([LOGIN, "C: LIST", *lines, "S: {tag} OK done {9}"]) as server,
        session_to(server.port, junk="auto") as session,
    ):
        assert [folder.name for folder in await session.folders()] == ["INBOX", "* Spam {3}x"]


# 7. Logins: most of it stands in test_imap_opening.


async def test_7_a_user_name_is_quoted():
    auth = {"auth": {"mechanism": "login", "username": "o u", "password_env": "UNUSED"}}
    script = f'S: * OK [CAPABILITY IMAP4rev1] hi\nC: LOGIN "o u" "{SECRET}"$\nS: {{tag}} OK [CAPABILITY X] in'
    async with hostile_imap(script) as server, session_to(server.port, **auth) as session:
        assert session.is_open


# 8. Tags that nobody sent.


@pytest.mark.parametrize(
    "line",
    ["S: X99 OK surprise", "S: {tag}9 OK surprise", "S: hello", "S: X99 HUH", "S: + go on", "S: *1 EXISTS"],
)
async def test_8_an_answer_that_was_not_asked_for_ends_the_connection(line):
    async with (
        hostile_imap([LOGIN, "C: NOOP", line, "wait 5"]) as server,
        session_to(server.port) as session,
    ):
        error = await fail(session.poll())

    assert (error.stage, error.cause) == ("poll", Cause.PROTOCOL_ERROR)


async def test_8_an_answer_between_two_commands_ends_the_connection():
    async with (
        hostile_imap([LOGIN, SELECT, "S: {tag} OK again", "wait 5"]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        await asyncio.sleep(0.1)
        assert not session.is_open
        assert (await fail(session.poll())).cause is Cause.PROTOCOL_ERROR


# 9. States and CHARSET.


async def test_9_fetch_works_after_examine():
    script = [LOGIN, SELECT.replace("SELECT", "EXAMINE"), "C: UID FETCH", fetch_line(104), "S: {tag} OK"]
    async with hostile_imap(script) as server:
        async with session_to(server.port, after_judgement="keep") as session:
            await session.select(INBOX)
            assert uids(await session.fetch_since(104)) == [104]
            await session.remove([104])
        assert not [line for line in server.received if "STORE" in line or "MOVE" in line]


async def test_9_a_refused_select_leaves_no_folder_open():
    script = [LOGIN, SELECT, 'C: SELECT "Gone"', "S: {tag} NO [NONEXISTENT] no such folder"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        error = await fail(session.select(WatchedFolder(name="Gone", placement=Placement.OTHER)))

        assert (error.stage, error.cause) == ("select", Cause.FOLDER_MISSING)
        assert session.is_open
        assert (await fail(session.search_header("X-Probe", ""))).cause is Cause.INTERNAL


async def test_9_search_names_no_charset():
    script = [LOGIN, SELECT, 'C: UID SEARCH HEADER "X-Probe" "a b"$', "S: * SEARCH 5 3", "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.search_header("X-Probe", "a b") == [3, 5]


# 10. Bounds, quoting, timers, closing.


async def test_10_esearch_is_understood():
    script = [LOGIN, SELECT, "C: UID SEARCH", 'S: * ESEARCH (TAG "{tag}") UID ALL 3:4,9', "S: {tag} OK"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        assert await session.search_header("X-Probe", "") == [3, 4, 9]


async def test_10_a_giant_literal_is_refused_before_it_is_read():
    script = [LOGIN, SELECT, "C: UID FETCH", b"* 1 FETCH (UID 104 BODY[HEADER]<0> {100000000}\r\n", "wait 5"]
    async with hostile_imap(script) as server, session_to(server.port) as session:
        await session.select(INBOX)
        error = await fail(session.fetch_since(104))

    assert (error.stage, error.cause) == ("fetch", Cause.PROTOCOL_ERROR)


def flood_of(block):
    async def flood(session):
        while True:
            await session.send_bytes(block * 4000)

    return flood


@pytest.mark.slow
@pytest.mark.parametrize("block", [b"* OK still here\r\n", b"* \r\n", b"x"])
@pytest.mark.parametrize("command", ["poll", "folders"])
async def test_10_an_answer_that_never_ends_is_refused(block, command):
    changes = {"timeouts": {"connect": 2.0, "command": 20.0}, "junk": "auto"}
    async with (
        hostile_imap([LOGIN, "C: (NOOP|LIST)", flood_of(block)]) as server,
        session_to(server.port, **changes) as session,
    ):
        error = await fail(getattr(session, command)(), 5)

    assert error.cause is Cause.PROTOCOL_ERROR


@pytest.mark.slow
async def test_10_a_flood_between_two_commands_is_refused():
    async with (
        hostile_imap([LOGIN, SELECT, flood_of(b"* 9 EXISTS\r\n")]) as server,
        session_to(server.port) as session,
    ):
        await session.select(INBOX)
        async with asyncio.timeout(10):
            while session.is_open:
                await asyncio.sleep(0.01)


async def test_10_lines_that_trickle_do_not_wind_up_the_deadline():
    async def trickle(session):
        while True:
            await session.send("* OK still here")
            await asyncio.sleep(0.05)

    timeouts = {"timeouts": {"connect": 2.0, "command": 0.3}}
    async with (
        hostile_imap([LOGIN, "C: NOOP", trickle]) as server,
        session_to(server.port, **timeouts) as session,
    ):
        assert (await fail(session.poll())).cause is Cause.TIMEOUT


async def test_10_close_logs_out():
    async with hostile_imap([LOGIN, "C: LOGOUT", "S: * BYE", "S: {tag} OK"]) as server:
        session = await connector_to(server.port).open()
        await session.close()
        await session.close()

        assert server.received[-1].endswith("LOGOUT")
        assert not session.is_open


@pytest.mark.slow
async def test_10_close_does_not_wait_for_a_silent_server():
    async with hostile_imap([LOGIN, "C: LOGOUT", "wait 30"]) as server:
        session = await connector_to(server.port, timeouts={"connect": 2.0, "command": 30.0}).open()
        started = time.perf_counter()
        await session.close()

        assert time.perf_counter() - started < 2.6


# 11. Secrets.

FORMS = [
    SECRET,
    b64encode(SECRET.encode()).decode(),
    b64encode(f"\0watcher\0{SECRET}".encode()).decode(),
    b64encode(f"user=watcher\1auth=Bearer {SECRET}\1\1".encode()).decode(),
    b64encode(f"n,a=watcher,\1auth=Bearer {SECRET}\1\1".encode()).decode(),
]
ECHO = "".join(f" {form} {form.upper()}" for form in FORMS)


@pytest.mark.parametrize("mechanism", ["plain", "login", "xoauth2", "oauthbearer"])
@pytest.mark.parametrize("initial", ["SASL-IR", ""])
@pytest.mark.parametrize(
    "answer",
    [
        ["S: {tag} NO you said" + ECHO],
        ["S: X9 OK you said" + ECHO],
        ["S: {tag} BAD" + ECHO],
        ["S: * BYE" + ECHO],
        ["S: garbage" + ECHO],
        ["S: +" + ECHO, "S: +" + ECHO, "S: +" + ECHO, "S: +" + ECHO],
        ["wait 30"],
        ["cut"],
        [
            "S: {tag} OK [CAPABILITY IMAP4rev1" + ECHO + "] in",
            "C: LIST",
            "S: * LIST" + ECHO,
            "S: X NO" + ECHO,
        ],
    ],
)
async def test_11_no_form_of_the_secret_reaches_a_log_or_an_error(caplog, mechanism, initial, answer):
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0  # asyncio then logs the repr of everything that it runs
    script = [
        f"S: * OK [CAPABILITY IMAP4rev1 {initial} AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER] ready",
        "C: (LOGIN|AUTHENTICATE)",
        *answer,
    ]
    changes = {
        "auth": {"mechanism": mechanism, "username": "watcher", "password_env": "UNUSED"},
        "timeouts": {"connect": 0.5, "command": 0.2},
        "junk": "auto",
    }
    async with hostile_imap(script) as server:
        connector = connector_to(server.port, **changes)
        with pytest.raises(MailboxError) as caught:
            session = await connector.open()
            await session.folders()
    await asyncio.sleep(0)

    shown = [record.getMessage() + str(record.exc_text) for record in caplog.records]
    shown += [str(caught.value), repr(caught.value), caught.value.detail]
    leaks = [text for text in shown for form in FORMS if form.lower() in text.lower()]
    assert leaks == []
    assert "aioimaplib" in str(logging.root.manager.loggerDict)


async def test_11_texts_of_the_server_are_made_harmless():
    async with (
        hostile_imap([LOGIN, "C: NOOP", "S: * BYE \x1b[31mred\u202e \u2028 \x07" + "x" * 5000]) as server,
        session_to(server.port) as session,
    ):
        error = await fail(session.poll())

    assert error.detail.isprintable()
    assert len(error.detail) < 400

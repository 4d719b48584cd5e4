"""Gmail's labels and categories, from a server that keeps to them and from servers that do not."""

from __future__ import annotations

import asyncio

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.mail.message import OWN_HEADER
from smtp_probe.mail.tag import TagKey, make_tag
from smtp_probe.model import Placement
from smtp_probe.network.imap_answers import Fetched
from smtp_probe.network.imap_labels import read_placement
from smtp_probe.ports import WatchedFolder
from tests.network.hostile_imap import CAPABILITIES, LOGIN, SELECT, fetch_line, hostile_imap, session_to

TOKEN = make_tag([TagKey(b"k" * 32)], "lab", 1, 1_795_000_000_000, "nobody@example.net").token
OURS = f"{OWN_HEADER}: v=1; t={TOKEN}\r\n\r\n".encode()
GMAIL = LOGIN.replace(CAPABILITIES, f"{CAPABILITIES} X-GM-EXT-1")
INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)
HELD = WatchedFolder(name="INBOX", placement=Placement.OTHER)


def search(category, found=""):
    return f'C: UID SEARCH UID 104 X-GM-RAW "category:{category}"\nS: * SEARCH{found}\nS: {{tag}} OK'


NOT_FOUND = [search(category) for category in ("promotions", "social", "updates", "forums")]


def script(*answers, labels="", header=OURS):
    extra = f" X-GM-MSGID 1278455344230334865 X-GM-LABELS ({labels})"
    fetched = fetch_line(104, header=header, extra=extra)
    return [GMAIL, SELECT, "C: UID FETCH 104:.*X-GM-MSGID X-GM-LABELS", fetched, "S: {tag} OK", *answers]


async def placed(steps, folder=INBOX):
    async with hostile_imap(steps) as server, session_to(server.port) as session:
        await session.select(folder)
        [message] = await asyncio.wait_for(session.fetch_since(104), 2)
        return message.placement


async def test_a_message_in_the_first_tab_is_in_the_inbox():
    assert await placed(script(*NOT_FOUND, labels='\\Important "Muy Importante"')) is Placement.INBOX


@pytest.mark.parametrize("category", ["promotions", "social", "updates", "forums"])
async def test_a_message_in_another_tab_is_placed_there(category):
    searches = [
        search(each, " 104" if each == category else "")
        for each in ("promotions", "social", "updates", "forums")
    ]

    assert (await placed(script(*searches))).value == category


async def test_mail_of_others_is_not_searched_for():
    assert await placed(script(header=b"Subject: x\r\n\r\n")) is Placement.INBOX


async def test_the_label_of_spam_says_more_than_the_folder():
    assert await placed(script(labels='"\\\\Junk"')) is Placement.JUNK


async def test_a_message_of_another_folder_that_is_in_the_inbox_as_well_is_in_the_inbox():
    assert await placed(script(*NOT_FOUND, labels="\\Inbox Work"), HELD) is Placement.INBOX
    assert await placed(script(labels="Work"), HELD) is Placement.OTHER


@pytest.mark.parametrize("answer", ["NO not for you", "BAD what is X-GM-RAW?"])
async def test_a_server_that_refuses_the_search_is_not_asked_again(answer):
    refused = f'C: UID SEARCH UID 104 X-GM-RAW "category:promotions"\nS: {{tag}} {answer}'
    again = ["C: UID FETCH 104", fetch_line(104, header=OURS), "S: {tag} OK"]
    async with hostile_imap(script(refused, *again)) as server, session_to(server.port) as session:
        await session.select(INBOX)
        [first] = await session.fetch_since(104)
        [second] = await session.fetch([104])

    assert (first.placement, second.placement) == (Placement.INBOX, Placement.INBOX)


async def test_messages_that_nobody_asked_for_are_not_believed():
    searches = [search("promotions", " 1 2 3 105"), *NOT_FOUND[1:]]

    assert await placed(script(*searches)) is Placement.INBOX


async def test_a_connection_that_is_cut_in_the_search_is_an_error():
    cut = 'C: UID SEARCH UID 104 X-GM-RAW "category:promotions"\ncut'
    async with hostile_imap(script(cut)) as server, session_to(server.port) as session:
        await session.select(INBOX)
        with pytest.raises(MailboxError):
            await asyncio.wait_for(session.fetch_since(104), 2)


@pytest.mark.parametrize(
    "labels",
    [None, b"\\Inbox", [], [None, [b"\\Inbox"]], [b"\xff\xfe"], [b"x" * 100_000], [b"a"] * 500 + [b"\\Junk"]],
)
def test_labels_of_any_kind_are_read_without_an_error(labels):
    fetched = Fetched(1, {"X-GM-LABELS": labels}, 0)

    assert read_placement(Placement.INBOX, fetched) is Placement.INBOX

"""A Maildir as a watcher sees it; delivered to by real servers in tests/acceptance."""

from __future__ import annotations

import asyncio
import os

import pytest

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, Placement
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.directory_events import DirectoryEvents
from smtp_probe.network.maildir import MaildirConnector
from smtp_probe.ports import MailboxConnector, WatchedFolder

INBOX = WatchedFolder(name="INBOX", placement=Placement.INBOX)


def make(directory):
    for part in ("new", "cur", "tmp"):
        (directory / part).mkdir(parents=True)


def put(directory, name, subject="one", header="X-SMTP-Probe: 1\n"):
    (directory / "tmp" / name).write_text(f"{header}Subject: {subject}\n\nbody\n")
    (directory / "tmp" / name).rename(directory / "new" / name)


def connector(path, **changes) -> MaildirConnector:
    made = MaildirConnector("inbox", Mailbox(protocol="maildir", path=path, **changes), ReferenceClock())
    fits: MailboxConnector = made
    assert fits is made
    return made


@pytest.fixture
def maildir(tmp_path):
    make(tmp_path / "Maildir")
    return tmp_path / "Maildir"


async def selected(maildir, folder=INBOX, **changes):
    session = await connector(maildir, **changes).open()
    await session.select(folder)
    return session


async def test_folders_are_found_by_the_names_that_junk_has(maildir):
    assert [each.name for each in await (await connector(maildir).open()).folders()] == ["INBOX"]
    for name in (".Archive", ".Spam", ".Junk"):
        make(maildir / name)
    (maildir / ".Junk E-Mail").mkdir()  # no folder: nothing is in it
    found = await (
        await connector(maildir, folders=["INBOX", "Archive"], quarantine=["Quarantäne"]).open()
    ).folders()
    assert [(each.name, each.placement) for each in found] == [
        ("INBOX", Placement.INBOX), ("Archive", Placement.INBOX), ("Junk", Placement.JUNK),
        ("Quarant&AOQ-ne", Placement.OTHER),
    ]  # fmt: skip
    named = await (await connector(maildir, junk="Spam").open()).folders()
    assert [each.name for each in named] == ["INBOX", "Spam"]


async def test_messages_are_shown_with_the_times_of_their_files(maildir):
    put(maildir, "1795827600.M5P1.host")
    os.utime(maildir / "new/1795827600.M5P1.host", ns=(0, 1795827600_123456789))
    put(maildir, "odd name")
    os.utime(maildir / "new/odd name", (0, 1_700_000_000))
    session = await selected(maildir)
    odd, plain = await session.fetch_since(1)
    assert session.is_at_end
    assert plain.header == b"X-SMTP-Probe: 1\r\nSubject: one\r\n\r\n"
    assert (plain.guid, plain.internaldate_ns, plain.file_time_ns) == (
        "1795827600.M5P1.host", 1795827600_000000000, 1795827600_123456789,
    )  # fmt: skip
    assert odd.internaldate_ns == 1_700_000_000_000000000
    assert await session.fetch_text(plain.location.uid, 3) == b"bod"
    assert await session.fetch_text(99, 3) == b""
    assert [each.location.uid for each in await session.fetch([2, 99, 1])] == [1, 2]


async def test_what_is_ours_is_found_by_its_marks(maildir):
    put(maildir, "1.a", "[smtp-probe x]", header="")
    put(maildir, "2.b", "=?utf-8?q?other?=")
    put(maildir, "3.c", "other\n [smtp-probe y]", header="")
    session = await selected(maildir)
    assert await session.search_header("X-SMTP-Probe", "") == [2]
    assert await session.search_header("subject", "[SMTP-probe ") == [1, 3]


async def test_a_large_folder_is_given_in_batches(maildir):
    for number in range(230):
        put(maildir, f"{1795827600 + number}.M1P1.host")
    session = await selected(maildir)
    first, sizes = 1, []
    while messages := await session.fetch_since(first):
        sizes.append((len(messages), session.is_at_end))
        first = messages[-1].location.uid + 1
    assert sizes == [(100, False), (100, False), (30, True)]


async def test_news_is_told_by_the_kernel_at_once(maildir):
    session = await selected(maildir)
    assert not await session.poll()
    assert not await session.idle(0.02)
    now = asyncio.get_running_loop().time
    begun = now()
    asyncio.get_running_loop().call_later(0.05, put, maildir, "1.host")
    assert await session.idle(30)
    assert now() - begun < 5
    await session.fetch_since(1)
    asyncio.get_running_loop().call_later(0.02, session.wake)
    assert await session.idle(30)
    assert not await session.poll()
    await session.close()


async def test_where_the_kernel_tells_nothing_it_is_looked_for(maildir, monkeypatch):
    monkeypatch.setattr(DirectoryEvents, "watch", lambda *_: DirectoryEvents(None))
    monkeypatch.setattr("smtp_probe.network.maildir._UNTOLD_LOOK_SECONDS", 0.02)
    session = await selected(maildir)
    asyncio.get_running_loop().call_later(0.05, put, maildir, "1.host")
    assert await session.idle(10)


async def test_a_new_session_goes_on_with_the_numbers(maildir):
    opened = connector(maildir)
    put(maildir, "1.host")
    session = await opened.open()
    before = await session.select(INBOX)
    (maildir / "new/1.host").rename(maildir / "cur/1.host:2,S")
    put(maildir, "2.host")
    again = await opened.open()
    state = await again.select(INBOX)
    assert (state.uidvalidity, state.uidnext, state.exists) == (before.uidvalidity, 3, 2)


async def test_only_what_is_named_is_removed(maildir):
    for name in ("1.a", "2.b", "3.c"):
        put(maildir, name)
    session = await selected(maildir)
    await session.fetch_since(1)
    await session.remove([2])
    assert sorted(path.name for path in (maildir / "new").iterdir()) == ["1.a", "3.c"]
    kept = await selected(maildir, after_judgement="keep")
    await kept.fetch_since(1)
    await kept.remove([1])
    assert len(list((maildir / "new").iterdir())) == 2


async def test_what_must_not_be_removed_stays_and_the_mailbox_in_view(maildir, monkeypatch, caplog):
    put(maildir, "1.a")
    session = await selected(maildir)
    await session.fetch_since(1)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    for _ in range(2):
        await session.remove([1])
    assert [record.message.count("Permission denied") for record in caplog.records] == [1]
    assert await session.fetch([1])


@pytest.mark.parametrize("missing", ["new", "cur"])
async def test_a_directory_that_is_no_maildir_is_said_to_be_none(maildir, missing):
    (maildir / missing).rmdir()
    with pytest.raises(MailboxError) as caught:
        await connector(maildir).open()
    assert (caught.value.stage, caught.value.cause) == ("open", Cause.FOLDER_MISSING)
    assert f"{maildir}/{missing}" in caught.value.detail


async def test_a_directory_that_must_not_be_read_is_told_with_who_we_are(maildir, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(MailboxError) as caught:
        await connector(maildir).open()
    assert caught.value.cause is Cause.ACCESS_DENIED
    assert f"as user {os.geteuid()}" in caught.value.detail


async def test_one_message_that_cannot_be_read_hides_no_other_but_all_hide_the_folder(maildir):
    put(maildir, "1.a")
    (maildir / "new/2.b").write_bytes(b"CRYPTED\x03\x07")
    session = await selected(maildir)
    assert [each.location.uid for each in await session.fetch_since(1)] == [1]
    assert await session.search_header("X-SMTP-Probe", "") == [1]
    with pytest.raises(MailboxError, match="a message is encrypted") as caught:
        await session.fetch_since(2)
    assert caught.value.cause is Cause.DISK_FAILED


async def test_a_folder_that_vanishes_under_a_waiting_session_is_seen(maildir):
    session = await selected(maildir)
    asyncio.get_running_loop().call_later(0.05, maildir.rename, maildir.with_name("away"))
    with pytest.raises(MailboxError) as caught:
        await asyncio.wait_for(session.idle(20), 5)
    assert caught.value.cause is Cause.FOLDER_MISSING


async def test_it_is_looked_over_with_the_rights_that_we_have(maildir, monkeypatch):
    put(maildir, "1.a")
    make(maildir / ".Junk")
    seen = await connector(maildir).survey()
    assert [(each.name, each.messages, each.rights) for each in seen.folders] == [
        ("INBOX", 1, "rte"),
        ("Junk", 0, "rte"),
    ]
    monkeypatch.setattr("os.access", lambda path, mode, **_: not mode & os.W_OK)
    assert {each.rights for each in (await connector(maildir).survey()).folders} == {"r"}
    assert (seen.tls, seen.quotas) == (None, None)

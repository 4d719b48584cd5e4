"""One folder on the disk: numbers, renames, and files that are none."""

from __future__ import annotations

import gzip
import os

import pytest

from smtp_probe.network import maildir_folder
from smtp_probe.network.maildir_folder import MaildirFolder, UnreadableMessage


@pytest.fixture
def folder(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    return MaildirFolder(tmp_path)


def put(folder, name, text=b"Subject: one\n\nbody\n", part="new"):
    path = folder.directory / part / name
    path.write_bytes(text)
    return path


def test_messages_are_numbered_as_they_were_delivered_and_keep_their_numbers(folder):
    put(folder, "1795827602.M5P1.host")
    put(folder, "1795827601.M9P1.host:2,S", part="cur")
    put(folder, ".hidden")
    assert folder.list() == [1, 2]
    assert folder.unique(1) == "1795827601.M9P1.host"
    put(folder, "1795827600.M1P1.host")  # its delivery took longer
    (folder.directory / "new/1795827602.M5P1.host").rename(folder.directory / "cur/1795827602.M5P1.host:2,RS")
    assert folder.list() == [1, 2, 3]
    assert folder.unique(2) == "1795827602.M5P1.host"
    assert folder.next_number == 4


def test_a_message_that_a_listing_misses_is_no_new_one(folder):
    path = put(folder, "1.host")
    assert folder.list() == [1]
    path.rename(folder.directory / "tmp/1.host")
    put(folder, "2.host")
    assert folder.list() == [2]
    (folder.directory / "tmp/1.host").rename(folder.directory / "cur/1.host:2,")
    assert folder.list() == [1, 2]


def test_numbers_of_what_is_long_gone_are_forgotten(folder, monkeypatch):
    monkeypatch.setattr(maildir_folder, "_FORGET_SECONDS", -1)
    put(folder, "1.host")
    folder.list()
    (folder.directory / "new/1.host").unlink()
    put(folder, "2.host")
    folder.list()
    assert set(folder._numbers) == {"2.host"}


def test_an_unchanged_directory_is_not_listed_again(folder, monkeypatch):
    monkeypatch.setattr(maildir_folder, "_SETTLED_SECONDS", -1)
    put(folder, "1.host")
    assert folder.list() == [1]
    monkeypatch.setattr("os.listdir", None)
    assert folder.list() == [1]
    monkeypatch.undo()
    put(folder, "2.host")
    assert folder.list() == [1, 2]


def test_a_directory_that_has_just_changed_is_not_trusted(folder):
    put(folder, "1.host")
    folder.list()
    stamp = (folder.directory / "new").stat()
    put(folder, "2.host")
    os.utime(folder.directory / "new", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # within one tick
    assert folder.list() == [1, 2]


def test_lines_end_as_in_mail_however_they_are_stored(folder):
    put(folder, "1.host", b"A: 1\r\nB: 2\n\nbody\r\nmore\n")
    folder.list()
    assert folder.read(1, 1000).text == b"A: 1\r\nB: 2\r\n\r\nbody\r\nmore\r\n"
    assert folder.read(1, 9).text == b"A: 1\r\nB: "
    assert folder.read(1).size_bytes == 23


def test_of_a_large_message_no_more_than_the_header_is_read(folder):
    put(folder, "1.host", b"A: " + b"x" * 40_000 + b"\n\n" + b"y" * 10_000_000)
    folder.list()
    assert len(folder.read(1).text) < 60_000
    put(folder, "2.host", b"A" * 200_000)
    folder.list()
    assert len(folder.read(2).text) == 65_536


@pytest.mark.slow
def test_gzip_is_read_within_bounds(folder):
    put(folder, "1.host", gzip.compress(b"A: 1\n\n" + b"\0" * 50_000_000))
    put(folder, "2.host", gzip.compress(b"A: 1\n\nbody")[:-12])
    folder.list()
    assert folder.read(1).text.startswith(b"A: 1\r\n\r\n")
    assert len(folder.read(1, 100_000).text) <= 100_100
    assert folder.read(2).text.startswith(b"A: 1")


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"\x28\xb5\x2f\xfd..", "zstd"), (b"CRYPTED\x03\x07\x02", "encrypted"), (b"\x1f\x8bx" * 9, "damaged")],
)
def test_what_cannot_be_read_is_not_taken_for_somebody_elses(folder, text, words):
    put(folder, "1.host", text)
    folder.list()
    with pytest.raises(UnreadableMessage, match=words):
        folder.read(1)


@pytest.mark.timeout(20)
def test_links_pipes_and_directories_are_no_messages(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("Subject: [smtp-probe\n\n")
    (folder.directory / "new/1.link").symlink_to(secret)
    os.mkfifo(folder.directory / "new/2.pipe")
    (folder.directory / "new/3.directory").mkdir()
    put(folder, "4.host")
    assert [folder.read(number) is not None for number in folder.list()] == [False, False, False, True]


def test_a_message_is_read_where_it_has_gone(folder):
    put(folder, "1.host").rename(folder.directory / "new/1.host")
    folder.list()
    (folder.directory / "new/1.host").rename(folder.directory / "cur/1.host:2,S")
    assert folder.read(1).text == b"Subject: one\r\n\r\nbody\r\n"
    (folder.directory / "cur/1.host:2,S").unlink()
    assert folder.read(1) is None
    assert folder.read(77) is None


def test_only_the_file_that_was_read_is_removed(folder):
    read, unread, replaced = put(folder, "1.host"), put(folder, "2.host"), put(folder, "3.host")
    folder.list()
    folder.read(1)
    folder.read(3)
    put(folder, "4.host").rename(replaced)
    read.rename(folder.directory / "cur/1.host:2,S")
    folder.remove([1, 2, 3, 99])
    assert not (folder.directory / "cur/1.host:2,S").exists()
    assert unread.exists()
    assert replaced.exists()


def test_a_folder_without_its_parts_is_missing_and_keeps_its_numbers_when_it_is_back(folder, tmp_path):
    put(folder, "1.host")
    folder.list()
    (tmp_path / "new").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        folder.list()
    (tmp_path / "away").rename(tmp_path / "new")
    put(folder, "2.host")
    assert folder.list() == [1, 2]

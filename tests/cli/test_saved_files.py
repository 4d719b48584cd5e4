"""Files are read in pieces and with a bound; what cannot be explained is said with the file's name."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smtp_probe.cli import saved_files
from smtp_probe.cli.saved_files import UnfitFileError, name_file, read_messages

MESSAGE = b"Subject: one\n\nbody\n"
FROM = b"From joe Tue Sep  1 08:00:00 2026\n"


def read(path):
    """The numbers of what could be read, and the complaint."""
    numbers = []
    try:
        numbers.extend(saved.number for saved in read_messages(path))
    except UnfitFileError as error:
        return numbers, str(error)
    return numbers, None


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "mail"
        path.write_bytes(content)
        return path

    return write


def test_messages_are_given_in_order(file):
    assert read(file(FROM + MESSAGE + b"\n" + FROM + MESSAGE)) == ([1, 2], None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no message: it is empty"),
        (b"hello\n", "holds no message: it is without any header of mail"),
        (b"PK\x03\x04zip", "holds no message: it is a zip archive"),
        (FROM, "holds no message: it is without any header of mail"),
    ],
)
def test_a_file_without_a_message_is_named(file, content, complaint):
    path = file(content)

    assert read(path) == ([], f"{path} {complaint}")


def test_parts_of_an_mbox_without_a_header_are_counted_after_the_others(file):
    path = file(FROM + MESSAGE + FROM + b"\nno header\n" + FROM + b"x\n" + FROM + MESSAGE)

    assert read(path) == ([1, 4], f"{path}: 2 of 4 messages have no header of mail, the first of them is 2")


def test_what_cannot_be_opened_is_named(tmp_path):
    assert read(tmp_path / "no") == ([], f"{tmp_path}/no cannot be read: no such file or directory")
    assert read(tmp_path) == ([], f"{tmp_path} cannot be read: is a directory")
    assert read(Path("a\0b")) == ([], "a file's name has a NUL character in it")


def test_a_name_does_not_reach_the_terminal_raw():
    assert name_file(Path("a\x1b[31m\udcffb")) == "a[31mb"


def test_a_file_that_is_too_large_is_read_up_to_the_bound(file, monkeypatch):
    monkeypatch.setattr(saved_files, "MAX_FILE_BYTES", 2 * 1024 * 1024)
    message = FROM + MESSAGE + b"x" * 76 + b"\n"
    path = file(message * (3 * 1024 * 1024 // len(message)))

    numbers, complaint = read(path)

    assert complaint == f"{path} is too large: what is behind its first 2 MiB was not explained"
    assert len(numbers) == numbers[-1] > 10_000


def test_a_large_single_message_is_not_read_to_its_end(file, monkeypatch):
    monkeypatch.setattr(saved_files, "MAX_FILE_BYTES", 1024 * 1024)

    assert read(file(MESSAGE + b"x" * 2 * 1024 * 1024)) == ([1], None)


def test_a_pipe_is_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen([sys.executable, "-c", f"open({str(path)!r}, 'wb').write({MESSAGE!r})"]):
        assert read(path) == ([1], None)


def test_standard_input_is_read_and_may_be_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MESSAGE)))
    assert read(Path("-")) == ([1], None)
    assert read(Path("-")) == ([], "standard input holds no message: it is empty")
    monkeypatch.setattr(sys, "stdin", None)
    assert read(Path("-")) == ([], "standard input cannot be read: it is closed")

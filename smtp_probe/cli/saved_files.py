"""Reading the files that `explain` is given: in pieces, with a bound, and each message of them as it comes.

In: a path, or `-` for standard input. Out: the messages in it. What cannot be explained raises `UnfitFileError` when
all that can be has been given, with a sentence for people; nothing of a file's content stands in it. The forms of
the files are known to `mail.mailbox_file`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from smtp_probe.cli.wording import clean
from smtp_probe.config.files import explain
from smtp_probe.mail.explanation.mailbox_file import (
    SavedMessage,
    has_mail_header,
    name_foreign_format,
    split_messages,
)

STANDARD_INPUT = "-"
MAX_FILE_BYTES = 64 * 1024 * 1024
"""More of a file is not read. Messages are given as they come, so this bounds the time and not the memory."""
_PIECE_BYTES = 65_536


class UnfitFileError(Exception):
    """A file, or a part of it, cannot be explained. The text says which one and why."""


def name_file(file: Path) -> str:
    """Name a file for people."""
    return "standard input" if str(file) == STANDARD_INPUT else clean(str(file)) or "?"


def read_messages(file: Path) -> Iterator[SavedMessage]:
    """Give every message of a file. Raises UnfitFileError, after those that could be read.

    A part of an mbox without any header of mail is passed over, and counted in the error.
    """
    name = name_file(file)
    last, first_unfit, unfit = 0, SavedMessage(number=0, header=b""), 0
    for saved in split_messages(_read_pieces(file)):
        last = saved.number
        if has_mail_header(saved.header):
            yield saved
            continue
        unfit += 1
        first_unfit = saved if unfit == 1 else first_unfit
    if not last:
        message = f"{name} holds no message: it is empty"
        raise UnfitFileError(message)
    if unfit == last:
        kind = name_foreign_format(first_unfit.header) or "without any header of mail"
        message = f"{name} holds no message: it is {kind}"
        raise UnfitFileError(message)
    if unfit:
        message = f"{name}: {unfit} of {last} messages have no header of mail, the first of them is {first_unfit.number}"
        raise UnfitFileError(message)


def _read_pieces(file: Path) -> Iterator[bytes]:
    """Give the content piece by piece, at most `MAX_FILE_BYTES`."""
    name, room = name_file(file), MAX_FILE_BYTES
    try:
        with ExitStack() as stack:
            stream = _open(file, stack)
            while piece := stream.read(min(_PIECE_BYTES, room + 1)):
                room -= len(piece)
                if room < 0:
                    limit = MAX_FILE_BYTES // 1024**2
                    message = f"{name} is too large: what is behind its first {limit} MiB was not explained"
                    raise UnfitFileError(message)
                yield piece
    except OSError as error:
        message = f"{name} cannot be read: {explain(error)}"
        raise UnfitFileError(message) from None


def _open(file: Path, stack: ExitStack) -> BinaryIO:
    """Give the file as a stream of bytes. Raises OSError and UnfitFileError. Standard input is left open."""
    if str(file) != STANDARD_INPUT:
        if "\0" in str(file):
            message = "a file's name has a NUL character in it"
            raise UnfitFileError(message)
        return stack.enter_context(file.open("rb"))
    if sys.stdin is None or sys.stdin.closed:
        message = "standard input cannot be read: it is closed"
        raise UnfitFileError(message)
    return sys.stdin.buffer

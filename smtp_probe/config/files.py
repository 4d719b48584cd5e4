"""Small files, read whole and with a bound, and why one cannot be read.

In: a path. Out: its bytes. Raises `UnreadableFile` with a sentence for people; the caller knows which setting
named the file. Nothing of a file's content stands in an error.
"""

from __future__ import annotations

import stat
from pathlib import Path


class UnreadableFile(Exception):  # noqa: N818 - it says what is the case
    """A file cannot be read. The text says which one and why."""


def explain(error: OSError) -> str:
    """The system's reason, in small letters: `no such file or directory`."""
    return (error.strerror or type(error).__name__).lower()


def read_bounded(path: Path, limit_bytes: int, *, regular_only: bool = True) -> bytes:
    """Read a file of at most `limit_bytes`. Raises UnreadableFile.

    `regular_only` refuses pipes and devices, for which a reader could wait without end.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) or (regular_only and not stat.S_ISREG(mode)):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            message = f"{path} is {kind}"
            raise UnreadableFile(message)
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        message = f"{path} cannot be read: {explain(error)}"
        raise UnreadableFile(message) from None
    except ValueError:
        message = "the name of the file has a NUL character in it"
        raise UnreadableFile(message) from None
    if len(content) > limit_bytes:
        message = f"{path} is larger than {limit_bytes} bytes"
        raise UnreadableFile(message)
    return content


def drop_newline(content: bytes) -> bytes:
    """The content without one final line end, which an editor or `echo` has put there."""
    return content.removesuffix(b"\n").removesuffix(b"\r")

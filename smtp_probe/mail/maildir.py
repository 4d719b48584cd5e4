"""How a Maildir spells things: files, folders, and when a message was delivered.

In: names of files and folders. Out: the part of a file's name that never changes, the second in it, the directory of a
folder. The rules are those of cr.yp.to/proto/maildir.html, and of Maildir++ for folders. Touches no disk.
"""

from __future__ import annotations

import re

PARTS = ("new", "cur")
"""In this order: a message goes from the first to the second, so that who lists them so misses none."""
_INFO = re.compile(r"[:;!][12],[^/]*$")
"""The flags behind the unique name; a colon, or what stands for it where a file system has none."""
_SECOND = re.compile(r"([0-9]{9,10})\.")
_LONGEST_GUID = 300


def unique_name(file_name: str) -> str:
    """Give what stays of a file's name when its flags change, or when it goes from `new` to `cur`."""
    return _INFO.sub("", file_name)


def named_second(unique: str) -> int | None:
    """Give the second at which the delivery began, by the deliverer's clock; None where the name tells none."""
    match = _SECOND.match(unique)
    return None if match is None else int(match[1])


def as_guid(unique: str) -> str | None:
    """Give the name as other stores give a GUID; None for one that is no plain text."""
    return unique if unique.isascii() and unique.isprintable() and len(unique) <= _LONGEST_GUID else None


def folder_directory(name: str) -> str:
    """Give the directory of a folder below that of the maildir: `.Junk`, `.Archive.2026`; empty for INBOX.

    Whatever is in the name, it is one directory: it leads nowhere else.
    """
    dotted = name.replace("/", ".").replace("\0", "")
    if dotted.upper() == "INBOX":
        return ""
    return "." + (dotted[6:] if dotted.upper().startswith("INBOX.") else dotted)


def folder_name(directory: str) -> str:
    """Give the name of a folder by its directory; the other way round."""
    return directory.removeprefix(".")

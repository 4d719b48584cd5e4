"""Which folder of a mailbox is the junk folder, and which the trash; and where labels place a message.

In: the entries of LIST answers. Out: the name of one of them, in the server's own spelling, or None. What the server
says of a folder (SPECIAL-USE, RFC 6154) comes before what the folder's name says to people. At Gmail a folder is a label,
and a message has several: what it is in is told by them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from smtp_probe.mail import folder_names
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name
from smtp_probe.model import Placement

Use = Literal["junk", "trash"]

_ATTRIBUTES: dict[Use, str] = {"junk": "\\junk", "trash": "\\trash"}
_CLOSED = frozenset({"\\noselect", "\\nonexistent"})
_PARENTS = frozenset({"", "inbox", "[gmail]", "[google mail]", "mail"})
"""Where a folder of that name is the account's own one. `Projects/Spam` is somebody's archive."""
_SEPARATED = re.compile(r"(?:(.*)[/.\\^|])?([^/.\\^|]*)")
_JOINTS = re.compile(r"[\s_-]+")


CATEGORIES = (Placement.PROMOTIONS, Placement.SOCIAL, Placement.UPDATES, Placement.FORUMS)
"""The tabs of Gmail's inbox besides the first."""
_JUNK_LABELS = frozenset({"\\junk", "\\spam"})
_INBOX_LABEL = "\\inbox"


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One LIST answer: the name as the server spells it, and its attributes with their backslash."""

    name: str
    attributes: tuple[str, ...] = ()


def choose_special(entries: Sequence[FolderEntry], use: Use) -> str | None:
    """Give the name of the folder for `use`: by its attribute first, then by its name. None when there is none."""
    candidates: list[tuple[int, str]] = []
    for entry in entries:
        attributes = {attribute.lower() for attribute in entry.attributes}
        if attributes & _CLOSED:
            continue
        if _ATTRIBUTES[use] in attributes:
            return entry.name
        rank = _rank_name(entry.name, use)
        if rank is not None:
            candidates.append((rank, entry.name))
    return min(candidates)[1] if candidates else None


def place_by_labels(folder: Placement, labels: AbstractSet[str]) -> Placement:
    """Give where a message is shown that lies in such a folder and has these labels of Gmail, in lower case.

    The label of the folder itself is not among them. Junk is never shown in the inbox, so its label comes first.
    """
    if not _JUNK_LABELS.isdisjoint(labels):
        return Placement.JUNK
    return Placement.INBOX if folder is Placement.OTHER and _INBOX_LABEL in labels else folder


def _rank_name(name: str, use: Use) -> int | None:
    """Give how well a name fits, 0 the best, or None. Any of the usual hierarchy separators may stand in it."""
    match = _SEPARATED.fullmatch(_fold(decode_mailbox_name(name)))
    if match is None or (match[1] or "") not in _PARENTS or match[2] not in _NAMES[use]:
        return None
    return _NAMES[use].index(match[2])


def _fold(name: str) -> str:
    return _JOINTS.sub(" ", unicodedata.normalize("NFC", name).casefold()).strip()


_NAMES: dict[Use, tuple[str, ...]] = {
    "junk": tuple(map(_fold, folder_names.JUNK)),
    "trash": tuple(map(_fold, folder_names.TRASH)),
}

"""The folders of a JMAP account (RFC 8621 section 2): which of them are watched, and under which names.

In: what Mailbox/get lists, and the settings. Out: folders by their full names, with the ids of the server. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smtp_probe.config.settings import Mailbox
from smtp_probe.mail.placement import FolderEntry, choose_special
from smtp_probe.mail.syntax.mailbox_names import encode_mailbox_name
from smtp_probe.model import Placement
from smtp_probe.ports import WatchedFolder

_DEEPEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapFolder:
    """One mailbox, in JMAP's sense of the word. `name` is its full name, in the form of IMAP's names."""

    name: str
    mailbox_id: str
    role: str = ""
    messages: int = 0
    rights: str = ""
    """In the letters of RFC 4314."""


def read_folders(objects: Sequence[Mapping[str, Any]]) -> list[JmapFolder]:
    """Read what Mailbox/get lists; what is no folder is left out."""
    by_id = {each["id"]: each for each in objects if isinstance(each.get("name"), str)}
    return [
        JmapFolder(
            name=encode_mailbox_name("INBOX" if each.get("role") == "inbox" else _full_name(each, by_id)),
            mailbox_id=key,
            role=each["role"] if isinstance(each.get("role"), str) else "",
            messages=each["totalEmails"] if isinstance(each.get("totalEmails"), int) else 0,
            rights=_rights(each.get("myRights")),
        )
        for key, each in by_id.items()
    ]


def choose_folders(folders: Sequence[JmapFolder], settings: Mailbox) -> tuple[WatchedFolder, ...]:
    """The configured folders, the junk folder where there is one, and those of quarantine."""
    names = [(encode_mailbox_name(name), Placement.INBOX) for name in settings.folders]
    junk = settings.junk
    if junk == "auto":
        entries = [FolderEntry(each.name, (f"\\{each.role}",) if each.role else ()) for each in folders]
        found = choose_special(entries, "junk")
        names += [] if found is None else [(found, Placement.JUNK)]
    elif junk is not None:
        names.append((encode_mailbox_name(junk), Placement.JUNK))
    names += [(encode_mailbox_name(name), Placement.OTHER) for name in settings.quarantine]
    chosen: dict[str, WatchedFolder] = {}
    for name, placement in names:
        chosen.setdefault(_fold(name), WatchedFolder(name=name, placement=placement))
    return tuple(chosen.values())


def find_trash(folders: Sequence[JmapFolder], wanted: str) -> str | None:
    """The id of the trash folder; None where there is none."""
    if wanted == "auto":
        entries = [FolderEntry(each.name, (f"\\{each.role}",) if each.role else ()) for each in folders]
        name = choose_special(entries, "trash")
    else:
        name = encode_mailbox_name(wanted)
    return None if name is None else find_id(folders, name)


def find_id(folders: Sequence[JmapFolder], name: str) -> str | None:
    """The id of a folder by its full name; None where there is none of that name."""
    return next((each.mailbox_id for each in folders if _fold(each.name) == _fold(name)), None)


def _fold(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name


def _full_name(folder: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> str:
    names: list[str] = []
    current: Mapping[str, Any] | None = folder
    while current is not None and len(names) < _DEEPEST:
        names.append(current["name"])
        current = by_id.get(str(current.get("parentId")))
    return "/".join(reversed(names))


def _rights(shown: object) -> str:
    rights = shown if isinstance(shown, dict) else {}
    return "r" * bool(rights.get("mayReadItems")) + "te" * bool(rights.get("mayRemoveItems"))

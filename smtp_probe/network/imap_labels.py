"""Where a Gmail account really shows a message: by its labels, and by the category (the tab) of its inbox.

In: commands over an open session, and the messages that were fetched from one folder. Out: the same messages, their
placement corrected. Labels come with the FETCH; categories are no labels over IMAP, only X-GM-RAW finds them, and it is
asked only for messages that bear marks like ours. A server that refuses the search is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smtp_probe.errors import MailboxError
from smtp_probe.mail.placement import CATEGORIES, place_by_labels
from smtp_probe.mail.recognition import find_candidates
from smtp_probe.model import MailboxMessage, Placement
from smtp_probe.network.imap_answers import Fetched
from smtp_probe.network.imap_commands import ImapCommands, quote, write_uid_set

CAPABILITY = "X-GM-EXT-1"
LABELS = "X-GM-LABELS"
_MAXIMUM_LABELS = 200


def read_placement(folder: Placement, fetched: Fetched) -> Placement:
    """Give the placement of a message in a folder, by its labels where the server tells them."""
    labels = fetched.items.get(LABELS)
    if not isinstance(labels, list):
        return folder
    names = (label for label in labels[:_MAXIMUM_LABELS] if isinstance(label, bytes))
    return place_by_labels(folder, {name.decode("utf-8", "replace").lower() for name in names})


class InboxCategories:
    """Asks one session for the categories of our messages in the inbox."""

    def __init__(self, commands: ImapCommands) -> None:
        self._commands = commands
        self._is_offered = commands.can(CAPABILITY)

    async def sort(self, messages: Sequence[MailboxMessage]) -> Sequence[MailboxMessage]:
        """Give the messages with their categories; as they were where the server does not tell them."""
        if not self._is_offered:
            return messages
        asked = [
            each.location.uid
            for each in messages
            if each.placement is Placement.INBOX and find_candidates(each.header)
        ]
        found = await self._find(asked) if asked else {}
        return [replace(each, placement=found.get(each.location.uid, each.placement)) for each in messages]

    async def _find(self, uids: Sequence[int]) -> dict[int, Placement]:
        found: dict[int, Placement] = {}
        try:
            for category in CATEGORIES:
                criterion = quote(f"category:{category.value}")
                told = await self._commands.search("UID", write_uid_set(uids), "X-GM-RAW", criterion)
                found |= dict.fromkeys(set(told) & set(uids), category)
        except MailboxError:
            if not self._commands.connection.is_open:
                raise
            self._is_offered = False
            return {}
        return found

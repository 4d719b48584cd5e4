"""Looking over a mailbox, for a person who sets it up: which folders there are to watch, how full, with which rights.

In: an open `ImapSession`. Out: `model.MailboxSurvey`, or `errors.MailboxError` for what would hinder the watcher, too. What a
server does not tell of quota and rights, or refuses to, is left out. Nothing is marked, moved or removed.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.mailbox_names import decode_mailbox_name
from smtp_probe.model import ClockSighting, MailboxSurvey, SurveyedFolder
from smtp_probe.network.mailbox_session import ImapSession

_Answer = TypeVar("_Answer")


async def survey(session: ImapSession, clock: ClockSighting | None = None) -> MailboxSurvey:
    """Open each folder that would be watched, and ask what is known of it."""
    watched = await session.folders()
    folders = []
    for folder in watched:
        state = await session.select(folder)
        rights = await _unless_refused(session, session.rights(folder))
        folders.append(
            SurveyedFolder(
                name=decode_mailbox_name(folder.name),
                placement=folder.placement,
                messages=state.exists,
                rights=rights,
            )
        )
    quotas = await _unless_refused(session, session.quotas(watched[0]))
    return MailboxSurvey(
        folders=tuple(folders),
        quotas=None if quotas is None else tuple(quotas),
        tls=session.tls_facts,
        clock=clock,
    )


async def _unless_refused(session: ImapSession, question: Awaitable[_Answer | None]) -> _Answer | None:
    try:
        return await question
    except MailboxError:
        if not session.is_open:
            raise
        return None

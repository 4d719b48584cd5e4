"""Reading the clock of a mailbox's server, by a message of our own in a folder of our own.

In: an open session, the folder, and our clock. Out: what the server's clock showed, between which two instants of ours; or
`errors.MailboxError`. The message is dated by the server when it takes it in, which is after we asked for it and before it
said that it was done. It is removed at once, and with it what an earlier run may have left behind. No probe is involved.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from smtp_probe.errors import MailboxError
from smtp_probe.mail.stamps import read_clock
from smtp_probe.mail.syntax.mailbox_names import encode_mailbox_name
from smtp_probe.model import Cause, ClockSighting, Placement
from smtp_probe.network.mailbox_session import ImapSession
from smtp_probe.ports import WatchedFolder

_HEADER = "X-SMTP-Probe-Clock"
_TEXT = (
    "Auto-Submitted: auto-generated\r\nSubject: smtp-probe reads the clock\r\n\r\n"
    "smtp-probe put this message here to learn how far this server's clock is from its own.\r\nIt may be deleted.\r\n"
)


async def sight_clock(session: ImapSession, folder: str, now_ns: Callable[[], int]) -> ClockSighting | None:
    """Put the message there, read its date, and remove it. None where the server tells no date."""
    name, mark = encode_mailbox_name(folder), secrets.token_hex(8)
    earliest_ns, latest_ns = await _put(session, name, f"{_HEADER}: {mark}\r\n{_TEXT}".encode(), now_ns)
    await session.select(WatchedFolder(name=name, placement=Placement.OTHER))
    ours = await session.search_header(_HEADER, "")
    shown = [
        read_clock(message)
        for message in await session.fetch(await session.search_header(_HEADER, mark))
        if mark.encode() in message.header
    ]
    await session.remove(ours)
    if len(shown) != 1 or shown[0] is None:
        return None
    at_ns, _, resolution_seconds = shown[0]
    return ClockSighting(
        at_ns=at_ns, resolution_seconds=resolution_seconds, earliest_ns=earliest_ns, latest_ns=latest_ns
    )


async def _put(session: ImapSession, name: str, message: bytes, now_ns: Callable[[], int]) -> tuple[int, int]:
    """Put the message into the folder, which is made if it is not there. Gives the instants around that."""
    try:
        return await _put_once(session, name, message, now_ns)
    except MailboxError as error:
        if error.cause is not Cause.FOLDER_MISSING or not session.is_open:
            raise
    await session.create(name)
    return await _put_once(session, name, message, now_ns)


async def _put_once(
    session: ImapSession, name: str, message: bytes, now_ns: Callable[[], int]
) -> tuple[int, int]:
    earliest_ns = now_ns()
    await session.append(name, message)
    return earliest_ns, now_ns()

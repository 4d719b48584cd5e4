"""Room in a mailbox: asked once a minute, told as a share, and said once when it is gone and once when it is back."""

import pytest

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, QuotaUse
from smtp_probe.probes.mailbox_room import MailboxRoom
from tests.probes.fakes import INBOX, FakeClock


class Session:
    """A session that tells of quotas, or refuses to."""

    def __init__(self, *uses):
        self.uses = [QuotaUse(resource=name, used=used, limit=limit) for name, used, limit in uses]
        self.error = None
        self.is_open = True
        self.asked = 0

    async def quotas(self, _):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.uses or None


class Bed:
    def __init__(self):
        self.clock = FakeClock()
        self.told = []
        self.room = MailboxRoom("inbox", self.clock, self.told.append)

    async def look(self, session, seconds=61):
        await self.clock.advance(seconds)
        await self.room.look(session, INBOX)
        return self.room.shortage


@pytest.mark.parametrize(
    ("use", "shortage"),
    [
        (("STORAGE", 10, 1000), ""),
        (("STORAGE", 990, 1000), "990 of 1000 KiB used"),
        (("storage", 3, 1), "3 of 1 KiB used"),
        (("MESSAGE", 99, 100), ""),
        (("MESSAGE", 100, 100), "100 of 100 messages used"),
        (("STORAGE", 0, 0), "0 of 0 KiB used"),
        (("ANNOTATION-STORAGE", 9, 9), ""),
    ],
)
async def test_a_shortage_is_what_keeps_a_bounce_out(use, shortage):
    assert await Bed().look(Session(use)) == shortage


async def test_of_several_quotas_the_fullest_is_told():
    bed = Bed()
    await bed.look(Session(("STORAGE", 1, 4), ("STORAGE", 3, 4), ("MESSAGE", 1, 2)))
    assert bed.told == [{"storage": 0.75, "message": 0.5}] == [bed.room.shares]


async def test_it_is_asked_once_a_minute_and_at_once_over_a_new_connection():
    bed, session = Bed(), Session(("STORAGE", 9, 9))
    await bed.look(session)
    await bed.look(session, 1)
    assert session.asked == 1
    bed.room.forget()
    assert (bed.room.shortage, bed.room.shares) == ("", {})
    await bed.look(session, 1)
    assert session.asked == 2


async def test_no_room_is_said_once_and_so_is_its_return(caplog):
    bed, full, free = Bed(), Session(("STORAGE", 9, 9)), Session(("STORAGE", 0, 900))
    with caplog.at_level("INFO"):
        for session in (full, full, free, free):
            await bed.look(session)
    assert [(record.levelname, record.mailbox) for record in caplog.records] == [
        ("WARNING", "inbox"), ("INFO", "inbox"),
    ]  # fmt: skip


async def test_a_server_that_tells_none_or_refuses_to_is_unknown_and_a_lost_connection_is_lost():
    bed, session = Bed(), Session()
    assert await bed.look(session) == ""
    session.error = MailboxError("quota", Cause.PROTOCOL_ERROR, detail="NO")
    assert await bed.look(session) == ""
    assert await bed.look(object()) == ""
    assert bed.told == [{}, {}]
    session.is_open = False
    with pytest.raises(MailboxError):
        await bed.look(session)

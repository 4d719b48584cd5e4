"""Every pair of things that can happen to a probe, in either order: one end, the right one, and each copy counted once."""

from __future__ import annotations

import itertools
import re

import pytest

from smtp_probe.mail.tag import find_tokens
from smtp_probe.model import BounceSeen, DuplicateSeen, ForgerySeen, OutcomeKind
from tests.probes.test_arrivals import Bed, bounce_of, running

DEADLINE, GIVE_UP = 60.0, 600.0


class Life:
    """What a probe went through, and what must have come of it."""

    def __init__(self, bed, envelope):
        self.bed, self.envelope = bed, envelope
        self.seconds = 0.0
        self.is_overdue = False
        self.end = None
        self.is_damaged = None
        self.duplicates = self.forgeries = self.notices = 0

    async def pass_until(self, seconds):
        if seconds > self.seconds:
            await self.bed.clock.advance(seconds - self.seconds)
            self.seconds = seconds
        if self.end is None and self.seconds > DEADLINE:
            self.is_overdue = True
        if self.end is None and self.seconds > GIVE_UP:
            self.end = OutcomeKind.LOST

    async def store(self, message):
        self.bed.store(message)
        await self.pass_until(self.seconds + 1)

    async def copy(self, message):
        """A copy of ours: the end if there was none, a duplicate if one arrived before, else an orphan of its end."""
        if self.end is None:
            self.end = OutcomeKind.LATE if self.is_overdue else OutcomeKind.DELIVERED
            self.is_damaged = message != self.envelope.message
        elif self.is_damaged is not None:
            self.duplicates += 1
        await self.store(message)


async def overdue(life):
    await life.pass_until(DEADLINE + 5)


async def late(life):
    await overdue(life)
    await life.copy(life.envelope.message)


async def bounced(life):
    if life.end is None:
        life.end = OutcomeKind.BOUNCED
    else:
        life.notices += 1
    await life.store(bounce_of(life.envelope))


async def lost(life):
    await life.pass_until(GIVE_UP + 5)


async def duplicate(life):
    await life.copy(life.envelope.message)
    await life.copy(life.envelope.message)


async def corrupted(life):
    await life.copy(life.envelope.message.replace(b"no information", b"an advertisement"))


async def forged(life):
    token = find_tokens(life.envelope.message)[0]
    life.forgeries += 1
    wrong = token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb")
    await life.store(life.envelope.message.replace(token.encode(), wrong.encode()))


async def replayed(life):
    """Somebody who got the message sends it once more, by another way."""
    again = b"Received: from attacker.example by mx.example.test with SMTP id 66; Mon, 1 Jan 2024 01:00:00 +0000\r\n"
    if life.end is None:
        life.end = OutcomeKind.LATE if life.is_overdue else OutcomeKind.DELIVERED
        life.is_damaged = False
    elif life.is_damaged is not None:
        life.duplicates += 1
    await life.store(again + life.envelope.message)


HAPPENINGS = (overdue, late, bounced, lost, duplicate, corrupted, forged, replayed)
PAIRS = [pair for pair in itertools.product(HAPPENINGS, repeat=2)]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a.__name__}-{b.__name__}" for a, b in PAIRS])
async def test_every_pair_of_happenings_ends_once_and_rightly(first, second):
    async with running(Bed()) as bed:
        envelope = await bed.send(deadline=DEADLINE, give_up_after=GIVE_UP, bounce_mailbox="inbox")
        life = Life(bed, envelope)
        await life.pass_until(1)
        await first(life)
        await second(life)
        early_end = life.end
        await life.pass_until(GIVE_UP + 60)  # whatever has not ended by now is lost

        assert bed.kinds() == [life.end]
        outcome = bed.journal.outcomes()[0]
        assert outcome.was_overdue == life.is_overdue
        assert early_end is None or early_end == life.end
        if life.is_damaged is not None:
            assert outcome.arrival.corrupted == life.is_damaged
        assert len(bed.journal.of(DuplicateSeen)) == life.duplicates
        assert len(bed.journal.of(ForgerySeen)) == life.forgeries
        assert len(bed.journal.of(BounceSeen)) == life.notices
        left = [raw for raw, _ in bed.inbox.messages.values()]
        assert len(left) == life.forgeries, "a forged copy is never deleted, all of ours are"
        assert all(re.search(rb"(aaaa|bbbb)", raw) for raw in left)

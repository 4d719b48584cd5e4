"""What a receiver of the drills answers: it takes mail of the drill it works for, and nothing else.

In: connections, recipients and messages of strangers. Out: replies, and the attempts of the server under test. A recipient
counts only with a tag in its address that we signed for this drill; the message has to bear the same tag. Mail of an earlier
run that comes now is taken and thrown away, so that no queue keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from smtp_probe.mail.addresses import find_address_tokens, strip_tag
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.mail.tag import TagKey, find_tokens, verify
from smtp_probe.model import Desk, DrillAttempt, Manner, Tag
from smtp_probe.ports import Clock, Visit

MOST_ATTEMPTS = 200
"""More are not kept: a server that comes so often has shown what it does."""
_HEADER_BYTES = 16_384
_NOT_OURS = "550 5.7.1 This host takes only the tagged mail of its own drills"


class Mailing:
    """One message of a drill on its way to us, shared by all receivers of the drill."""

    def __init__(self, clock: Clock, keys: Sequence[TagKey], drill: str, recipient: str) -> None:
        self.clock = clock
        self.probe_id = ""
        """Of the message of this run; empty until it is made."""
        self.attempts: list[DrillAttempt] = []
        self.strays = 0
        """Messages of earlier runs that came."""
        self.arrived = asyncio.Event()
        self._keys = tuple(keys)
        self._drill = drill
        self._recipient = recipient.lower()

    def verify(self, address: str) -> Tag | None:
        """The tag in an address, where it is of this drill and signed by us."""
        if strip_tag(address).lower() != self._recipient:
            return None
        for token in find_address_tokens(address.encode("ascii", "replace")):
            tag = verify(token, self._keys, self._drill, self._recipient)
            if tag is not None:
                return tag
        return None

    def note(self, visit: Visit, desk: Desk, answer: str, at_ns: int) -> None:
        """Keep an attempt. Who comes after the message has arrived comes with another one."""
        if len(self.attempts) < MOST_ATTEMPTS and not self.arrived.is_set():
            self.attempts.append(
                DrillAttempt(
                    at_ns=at_ns,
                    desk=desk,
                    peer=visit.peer,
                    ehlo_name=sanitise(visit.ehlo_name, 255),
                    tls=visit.tls,
                    answer=answer,
                )
            )


class DeskReception:
    """`ports.Reception` of one receiver. It puts off so many attempts; None: every one."""

    def __init__(
        self,
        mailing: Mailing,
        *,
        desk: Desk = Desk.ONLY,
        deferrals: int | None = 0,
        manner: Manner = Manner.SERVE,
    ) -> None:
        self._mailing = mailing
        self._desk = desk
        self._deferrals = deferrals
        self._manner = manner
        self._deferred = 0

    def came(self, visit: Visit) -> None:
        """Keep the contact, where this is all that can be seen of an attempt."""
        if self._manner is not Manner.SERVE:
            self._mailing.note(visit, self._desk, self._manner.value, visit.came_ns)

    def take_recipient(self, visit: Visit, address: str) -> str:
        """Take our own, put off what is to be put off, refuse everybody else."""
        mailing = self._mailing
        tag = mailing.verify(address)
        if tag is None:
            return _NOT_OURS
        if tag.probe_id != mailing.probe_id:
            return "250 2.1.5 Taken, for a drill that is over"
        is_put_off = self._deferrals is None or self._deferred < self._deferrals
        mailing.note(visit, self._desk, "451" if is_put_off else "250", mailing.clock.now_ns())
        if not is_put_off:
            return "250 2.1.5 Taken"
        self._deferred += 1
        return f"451 4.3.0 Put off on purpose, for the {self._deferred}. time: this is a drill"

    def take_message(self, visit: Visit, recipients: Sequence[str], content: bytes) -> str:  # noqa: ARG002
        """Take a message that bears the tag of its one recipient."""
        tags = [self._mailing.verify(address) for address in recipients]
        borne = find_tokens(content[:_HEADER_BYTES])
        if len(tags) != 1 or tags[0] is None or tags[0].token not in borne:
            return _NOT_OURS
        if tags[0].probe_id == self._mailing.probe_id:
            self._mailing.arrived.set()
        else:
            self._mailing.strays += 1
        return "250 2.0.0 Taken, and thrown away"

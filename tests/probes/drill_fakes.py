"""What the drills need, without a server: a sender, a submitter that plays the server under test, and a receiver."""

import asyncio

from smtp_probe.config.settings import Sender
from smtp_probe.errors import ReceiverError
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Cause, Disposition, Failure, Submission
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.ports import Visit
from smtp_probe.probes.drill_mail import DrillSender

KEYS = [TagKey(b"k" * 32)]
SENDER = Sender.model_validate(
    {
        "host": "mail.example.org",
        "tls": "starttls",
        "ehlo_name": "probe.example.org",
        "envelope_from": "probe@example.org",
    }
)
PEER = "192.0.2.1"


class FakeReceiver:
    """Listens nowhere."""

    def __init__(self, reception=None, error="", manner=None):
        self.reception = reception
        self.manner = manner
        self.error = error
        self.is_open = False
        self.was_open = False

    async def open(self):
        if self.error:
            raise ReceiverError(self.error)
        self.is_open = self.was_open = True

    async def close(self):
        self.is_open = False


class FakeServer:
    """The server under test: takes a message, and does with it what `deliver` says, beside the drill."""

    def __init__(self, deliver=None, disposition=Disposition.ACCEPTED):
        self.deliver = deliver
        self.disposition = disposition
        self.envelopes = []
        self.task = None

    async def submit(self, envelope, *, on_phase=None):
        self.envelopes.append(envelope)
        now_ns = ReferenceClock().now_ns()
        if self.disposition is not Disposition.ACCEPTED:
            failure = Failure(stage="connect", cause=Cause.CONNECT_REFUSED.value)
            return Submission(disposition=self.disposition, started_ns=now_ns, failure=failure)
        if self.deliver is not None:
            self.task = asyncio.create_task(self.deliver(envelope))
        return Submission(
            disposition=self.disposition, started_ns=now_ns, final_dot_ns=now_ns, accepted_ns=now_ns
        )


def visit(peer=PEER, ehlo_name="mail.example.org"):
    return Visit(peer=peer, came_ns=ReferenceClock().now_ns(), ehlo_name=ehlo_name)


def sender_of(server):
    return DrillSender(SENDER, server, KEYS, ReferenceClock())

"""What the tests of submission share: settings with short deadlines, one envelope, one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from smtp_probe.config.settings import Sender
from smtp_probe.model import Phase, PhaseTiming, Submission
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.submission import SmtpSubmitter
from smtp_probe.ports import Envelope
from tests.network.certificates import NAME, Certificates

SHORT = dict.fromkeys(
    ("resolve", "connect", "tls", "greeting", "ehlo", "auth", "mail", "rcpt", "data", "accept", "quit"), 0.25
)
PATIENT = dict.fromkeys(SHORT, 5.0)
SECRET = "correct horse battery"

ENVELOPE = Envelope(
    sender="probe@sender.test",
    recipient="user+tag=1@recipient.test",
    envid="abc+def",
    message=b"Subject: probe\r\n\r\nOne line.\r\n",
)


class FixedResolver:
    """Answers every question with the same addresses, or the same error."""

    def __init__(self, *answer: str, error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error

    async def addresses(self, host: str, family: str) -> Sequence[str]:
        if self.error is not None:
            raise self.error
        return self.answer


def sender(port: int, *, certificates: Certificates | None = None, **changes: Any) -> Sender:
    """Settings towards a loopback port: no TLS, unless `tls` says so; deadlines that no busy machine meets."""
    tls_options = {"server_name": NAME}
    if certificates is not None:
        tls_options["ca_file"] = str(certificates.ca_file)
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "tls_options": {**tls_options, **changes.pop("tls_options", {})},
        "ehlo_name": "probe.test",
        "envelope_from": ENVELOPE.sender,
        "timeouts": {**PATIENT, "total": 9.0, **changes.pop("timeouts", {})},
        **changes,
    }
    return Sender(**settings)


def auth(mechanism: str = "plain") -> dict[str, Any]:
    """Settings that log in, also without TLS."""
    return {
        "auth": {"mechanism": mechanism, "username": "probe", "password_env": "NOT_READ_HERE"},
        "allow_credentials_without_tls": True,
    }


async def submit(
    settings: Sender,
    envelope: Envelope = ENVELOPE,
    *,
    resolver: Any = None,
    secret: Callable[[], str] | None = lambda: SECRET,
    on_phase: Callable[[str], None] | None = None,
) -> Submission:
    """Submit once, and let the loop close what is left."""
    submitter = SmtpSubmitter(
        "test", settings, resolver or FixedResolver("127.0.0.1"), ReferenceClock(), secret
    )
    async with asyncio.timeout(10):
        submission = await submitter.submit(envelope, on_phase=on_phase)
    await asyncio.sleep(0)
    return submission


def timing(submission: Submission, phase: Phase) -> PhaseTiming:
    """The timing of one phase, which must be there."""
    found = [timing for timing in submission.phases if timing.phase is phase]
    assert len(found) == 1, f"{phase} in {[timing.phase for timing in submission.phases]}"
    return found[0]

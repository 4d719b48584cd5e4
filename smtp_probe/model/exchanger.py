"""What one visit to one address of an MX host showed."""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.model.failure import Failure, Reply
from smtp_probe.model.submission import Phase, PhaseTiming, TlsFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangerVisit:
    """One connection: no message was sent on it."""

    host: str
    address: str
    phases: tuple[PhaseTiming, ...] = ()
    failure: Failure | None = None
    """Why the dialogue ended early: before the greeting or EHLO were well, or at TLS."""
    extensions: tuple[str, ...] = ()
    """Keywords of the first EHLO's answer, lower case."""
    tls: TlsFacts | None = None
    chain: tuple[bytes, ...] = ()
    """The certificates as they were presented, in DER, the host's own first; also of a handshake that failed."""
    recipient: Reply | None = None
    """What was said to RCPT of a wanted recipient; None where that was not asked for."""
    relay: Reply | None = None
    """What was said to RCPT of somebody else's domain; None where that was not asked for."""
    vrfy: Reply | None = None
    """What was said to VRFY; None where that was not asked for."""

    @property
    def is_up(self) -> bool:
        """Whether it greets and answers EHLO, in TLS too: whether mail can be handed over at all."""
        hello = self.reply(Phase.EHLO)
        is_cut_short = self.failure is not None and self.failure.stage == Phase.EHLO
        return hello is not None and hello.code < 300 and not is_cut_short

    @property
    def offers_starttls(self) -> bool:
        """Whether STARTTLS was announced."""
        return "starttls" in self.extensions

    def reply(self, phase: Phase) -> Reply | None:
        """The last reply of a phase."""
        return next((timing.reply for timing in self.phases if timing.phase is phase), None)

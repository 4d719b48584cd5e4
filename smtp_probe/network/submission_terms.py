"""Our own side of a submission: the settings, and what has to be at hand before a server is bothered.

In: a sender's settings, the resolver, the clock, a way to the secret. Out: the secret and the TLS context, or a
`ProbeError` with a cause that never counts against the path. It sends nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from smtp_probe.config.settings import Sender, TlsMode
from smtp_probe.errors import ConfigError, ProbeError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause, Phase
from smtp_probe.network.tls import ContextSource
from smtp_probe.ports import Clock, Resolver, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all submissions to one endpoint share."""

    settings: Sender
    resolver: Resolver
    clock: Clock
    contexts: ContextSource
    read_secret: Secret | None

    async def secret(self) -> str:
        """Our password or token, fresh. Raises ProbeError when it cannot be had."""
        try:
            secret = self.read_secret() if self.read_secret is not None else ""
            if not isinstance(secret, str):
                secret = await secret
        except (OSError, ValueError, ConfigError) as error:
            raise ProbeError(Phase.AUTH, Cause.CREDENTIAL, detail=sanitise(str(error))) from None
        except ProbeError as error:
            raise ProbeError(Phase.AUTH, Cause.CREDENTIAL, detail=error.detail) from None
        if not secret:
            raise ProbeError(Phase.AUTH, Cause.CREDENTIAL, detail="the secret is empty")
        return secret

    async def tls_context(self, deadline: float) -> ssl.SSLContext:
        """The context to connect with, by `deadline` in the loop's time. Raises ProbeError when there is none."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self.contexts.context()
        except OSError as error:
            stage = Phase.TLS if self.settings.tls is TlsMode.IMPLICIT else Phase.STARTTLS
            reason = (
                "they took longer than the whole handshake may" if isinstance(error, TimeoutError) else error
            )
            detail = sanitise(f"the certificate authorities cannot be read: {reason}")
            raise ProbeError(stage, Cause.CREDENTIAL, detail=detail) from error

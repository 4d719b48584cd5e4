"""Asks a mail server on this machine how it retries: `postconf`, or `exim -brt` and, where that is allowed, `exim -bP`.

In: the settings of its queue. Out: a `RetrySchedule`, or None for a server that does not retry. Raises QueueError where it
cannot be asked: then nothing is known, and nothing is found wrong.
"""

from __future__ import annotations

import asyncio
import logging

from smtp_probe.config.settings import Queue, QueueKind
from smtp_probe.errors import QueueError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import QueueFailure, RetrySchedule
from smtp_probe.network.program import run_program
from smtp_probe.policy.retry_schedule import (
    EXIM_SETTINGS,
    POSTFIX_SETTINGS,
    ScheduleError,
    read_exim,
    read_postfix,
)

_MOST_BYTES = 65_536
_EXIM_RULE_OPTION = "-brt"
_log = logging.getLogger(__name__)


class LocalRetryPolicy:
    """One server. Fits `ports.RetryPolicyReader`."""

    def __init__(self, settings: Queue) -> None:
        self._command = settings.effective_retry_command
        self._deadline = settings.deadline
        self._is_postfix = settings.kind is QueueKind.POSTFIX
        if self._is_postfix:
            self._command = (*self._command, *POSTFIX_SETTINGS)

    async def read(self) -> RetrySchedule | None:
        """Ask. Raises QueueError."""
        output = await self._run(self._command)
        try:
            return read_postfix(output) if self._is_postfix else read_exim(output, await self._ask_exim())
        except ScheduleError as error:
            raise QueueError(QueueFailure.MALFORMED, str(error)) from error

    async def _ask_exim(self) -> str:
        """Ask for the settings beside the rule. Nothing where they cannot be had: Exim may keep them for its administrators."""
        if _EXIM_RULE_OPTION not in self._command:
            return ""  # a program of the user's own: its other answers are not known
        command = self._command[: self._command.index(_EXIM_RULE_OPTION)]
        try:
            return await self._run((*command, "-bP", *EXIM_SETTINGS))
        except QueueError as error:
            _log.debug("exim does not tell its settings", extra={"detail": str(error)})
            return ""

    async def _run(self, command: tuple[str, ...]) -> str:
        output = bytearray()
        program = command[0]
        try:
            async with asyncio.timeout(self._deadline):
                code, complaint = await run_program(
                    command, lambda piece: output.extend(piece[: _MOST_BYTES - len(output)])
                )
        except TimeoutError:
            raise QueueError(
                QueueFailure.TIMEOUT, f"{program}: no answer within {self._deadline:g} s"
            ) from None
        except FileNotFoundError as error:
            raise QueueError(QueueFailure.MISSING, f"{program} does not exist") from error
        except PermissionError as error:
            raise QueueError(QueueFailure.DENIED, f"no permission for {program}") from error
        if code != 0:
            said = sanitise(complaint, 200) or "no message"
            raise QueueError(QueueFailure.FAILED, f"{program} ended with {code}: {said}")
        return output.decode("utf-8", "replace")

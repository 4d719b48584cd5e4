"""The errors that cross module borders.

A mail path that fails is a value (`model.Failure`), not an exception. What stands here is raised by adapters
to the one caller that turns it into such a value, or by the configuration to the command line.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.model import Cause, QueueFailure, Reply, TlsFailure, TokenResult
from smtp_probe.model.words import say_why


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in a configuration: where it stands, and what to do."""

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        """Say it as `file:line: path: message`, leaving out what is not known."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(Exception):
    """The configuration cannot be used. Carries every problem found, never only the first."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class ProbeError(Exception):
    """An adapter could not do its work.

    `stage` names the step (a submission phase, `login`, `select`, ...), `cause` is one of the bounded causes,
    `reply` is the server's answer where there was one, `detail` a sanitised text for people.
    """

    def __init__(
        self,
        stage: str,
        cause: Cause,
        *,
        reply: Reply | None = None,
        tls_failure: TlsFailure | None = None,
        detail: str = "",
    ) -> None:
        self.stage = stage
        self.cause = cause
        self.reply = reply
        self.tls_failure = tls_failure
        self.detail = detail
        super().__init__(f"{stage}: {say_why(cause, detail)}")


class MailboxError(ProbeError):
    """The mailbox cannot be watched now: the observer failed, not the mail path."""


class ResolverError(ProbeError):
    """A DNS question got no usable answer. `cause` tells a name that does not exist from a dead resolver."""


class CredentialError(ProbeError):
    """No access token can be had now: our own side failed, not the mail path. `word` is what the server called it."""

    def __init__(self, result: TokenResult, detail: str, *, word: str = "") -> None:
        self.result = result
        self.word = word
        super().__init__("token", Cause.CREDENTIAL, detail=detail)

    def again(self) -> CredentialError:
        """The same, to be raised once more: an exception grows by each place that raised it."""
        return CredentialError(self.result, self.detail, word=self.word)

    def of(self, name: str) -> CredentialError:
        """The same, for who does not know which credential it is of."""
        return CredentialError(self.result, f"{name}: {self.detail}", word=self.word)


class JournalError(Exception):
    """The journal cannot be written or read. Nothing may be sent while this lasts."""


class EngineError(JournalError):
    """The engine cannot be reached, or refused. Nothing may be sent while this lasts."""


class EngineConflict(Exception):  # noqa: N818 - it says what is the case
    """Somebody else has written to a subject since we last looked at it."""


class AlreadyStarted(Exception):  # noqa: N818 - it says what is the case
    """Somebody has started this probe, and perhaps sent it: it must not be sent again."""


class QueueError(Exception):
    """A queue cannot be read: nothing is known of it. `detail` is a sanitised text for people."""

    def __init__(self, failure: QueueFailure, detail: str) -> None:
        self.failure = failure
        self.detail = detail
        super().__init__(detail)


class ReceiverError(Exception):
    """A receiver of ours cannot listen where it should. The text is a sanitised sentence for people."""

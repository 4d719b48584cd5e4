"""The section `queues`: which queue of a mail server on this machine is watched, and how it is read.

Reads nothing. Paths and commands have defaults by method, so that a section with one line is enough.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import Flag, LabelName, LabelText, Seconds, Whole

Word = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]


class QueueKind(StrEnum):
    """Which mail server."""

    POSTFIX = "postfix"
    EXIM = "exim"


class QueueMethod(StrEnum):
    """How its queue is read."""

    POSTQUEUE = "postqueue"
    SHOWQ = "showq"
    EXIM = "exim"
    SPOOL = "spool"


_METHODS = {
    QueueKind.POSTFIX: (QueueMethod.POSTQUEUE, QueueMethod.SHOWQ),
    QueueKind.EXIM: (QueueMethod.EXIM, QueueMethod.SPOOL),
}
"""The first of each is the default."""
_COMMANDS = {
    QueueMethod.POSTQUEUE: ("postqueue", "-j"),
    QueueMethod.EXIM: ("exim", "-bp"),
}
_RETRY_COMMANDS = {
    QueueKind.POSTFIX: ("postconf", "-x"),
    QueueKind.EXIM: ("exim", "-brt", "example.org"),
}
_PATHS = {
    QueueMethod.SHOWQ: Path("/var/spool/postfix/public/showq"),
    QueueMethod.SPOOL: Path("/var/spool/exim4"),
}


class Queue(Settings):
    """The queue of a mail server on this machine."""

    kind: QueueKind = Field(QueueKind.POSTFIX, description="Which mail server: postfix or exim.")
    method: QueueMethod | None = Field(
        None,
        description="postqueue or showq (Postfix), exim or spool (Exim); default: the first of them.",
    )
    command: tuple[Word, ...] = Field(
        (),
        max_length=32,
        description="Program and arguments, for the methods postqueue and exim; default: `postqueue -j`, `exim -bp`.",
    )
    path: Path | None = Field(
        None,
        description="Socket or spool directory, for the methods showq and spool; default: the usual one.",
    )
    interval: Seconds = Field(60.0, description="Time between two looks.")
    deadline: Seconds = Field(
        20.0, description="A look that takes longer is given up, and its program ended."
    )
    top_domains: Whole = Field(
        10, ge=0, le=100, description="How many destination domains of deferred mail are told apart."
    )
    retry_check: Flag = Field(
        True, description="Whether the server is asked each hour how it retries, and that is judged."
    )
    retry_command: tuple[Word, ...] = Field(
        (),
        max_length=32,
        description="Program that tells it; default: `postconf -x` (names follow), `exim -brt example.org`.",
    )
    minimum_first_retry: Seconds = Field(300.0, description="A second attempt before that is too aggressive.")
    minimum_lifetime: Seconds = Field(
        172800.0, description="Mail that is given up before that is lost too easily."
    )
    maximum_lifetime: Seconds = Field(
        604800.0, description="Mail that is given up later comes back too late."
    )
    labels: dict[LabelName, LabelText] = Field(
        default_factory=dict, max_length=8, description="Further labels, on smtp_probe_queue_info only."
    )

    @property
    def effective_method(self) -> QueueMethod:
        """The method, by default that of the kind."""
        return self.method or _METHODS[self.kind][0]

    @property
    def effective_command(self) -> tuple[str, ...]:
        """What is run; empty for the methods that run nothing."""
        return self.command or _COMMANDS.get(self.effective_method, ())

    @property
    def effective_path(self) -> Path:
        """What is read, for the methods that read."""
        return self.path or _PATHS[self.effective_method]

    @property
    def effective_retry_command(self) -> tuple[str, ...]:
        """What is run to be told how the server retries."""
        return self.retry_command or _RETRY_COMMANDS[self.kind]

    @model_validator(mode="after")
    def _method_fits(self) -> Self:
        allowed = _METHODS[self.kind]
        if self.effective_method not in allowed:
            words = " and ".join(method.value for method in allowed)
            msg = f"the methods of {self.kind.value} are {words}"
            raise conflict(msg, "method", "kind")
        if self.command and self.effective_method not in _COMMANDS:
            msg = f"the method {self.effective_method.value} runs no command"
            raise conflict(msg, "command", "method")
        if self.path is not None and self.effective_method not in _PATHS:
            msg = f"the method {self.effective_method.value} reads no path"
            raise conflict(msg, "path", "method")
        return self

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        self._require_order("deadline", "interval")
        self._require_order("minimum_lifetime", "maximum_lifetime")
        return self

    @model_validator(mode="after")
    def _labels_of_their_own(self) -> Self:
        taken = sorted({"queue", "kind", "method"} & set(self.labels))
        if taken:
            msg = f"a label cannot be named {', '.join(taken)}"
            raise conflict(msg, "labels")
        return self

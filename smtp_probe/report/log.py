"""Logging: where it goes, what it looks like, and how much of it there was.

In: a level and a form. Out: lines on standard error, and counts by level for the metrics. Keeps the libraries from
talking below warnings: at debug level aioimaplib writes every command that it sends, the login too.
"""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import TextIO

from smtp_probe.report.log_format import JsonFormatter, LogfmtFormatter
from smtp_probe.report.redaction import register_secret

__all__ = ["LogForm", "LogHandler", "configure", "register_secret"]

_QUIET_LIBRARIES = ("aioimaplib", "aiohttp", "asyncio", "aiosmtplib", "mail.log")


class LogForm(StrEnum):
    """What a line looks like."""

    LOGFMT = "logfmt"
    JSON = "json"


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes lines and counts them."""

    def __init__(self, form: LogForm, stream: TextIO) -> None:
        super().__init__(stream)
        self.by_level: dict[str, int] = {}
        """Lines written since the start, by level in lower case."""
        self.internal_errors = 0
        """Lines that told of an exception which nobody expected."""
        self.setFormatter(JsonFormatter() if form is LogForm.JSON else LogfmtFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record and write it. Called under the handler's lock, by any thread."""
        level = record.levelname.lower()
        self.by_level[level] = self.by_level.get(level, 0) + 1
        if record.exc_info and record.levelno >= logging.ERROR:
            self.internal_errors += 1
        super().emit(record)


def configure(
    level: str = "info", form: LogForm | str = LogForm.LOGFMT, stream: TextIO | None = None
) -> LogHandler:
    """Set up logging for the process; may be called again. Raises ValueError for an unknown level or form."""
    handler = LogHandler(LogForm(form), stream if stream is not None else sys.stderr)
    root = logging.getLogger()
    root.setLevel(level.upper())
    for old in [known for known in root.handlers if isinstance(known, LogHandler)]:
        handler.by_level, handler.internal_errors = old.by_level, old.internal_errors
        root.removeHandler(old)
    root.addHandler(handler)
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    return handler

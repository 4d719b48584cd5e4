"""One log record as one line: logfmt, or JSON.

In: log records; whatever is given as `extra` becomes a field. Out: one line each, in which every value is escaped, so
that nobody's text can begin a line, add a field or steer a terminal; and from which known secrets are struck.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from smtp_probe.report.redaction import SECRETS, Redactor

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_BARE = re.compile(r"[!#-<>-\[\]-~]+")
"""Visible ASCII without the space, the quote, the equals sign and the backslash: needs no quotes."""
_NO_KEY = re.compile(r"[^A-Za-z0-9_.]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

Plain = str | int | float | bool | None


class _LineFormatter(logging.Formatter):
    """What both forms share: which fields a record has."""

    def __init__(self, redactor: Redactor = SECRETS) -> None:
        super().__init__()
        self._redactor = redactor

    def _fields(self, record: logging.LogRecord) -> Iterator[tuple[str, Plain]]:
        at = datetime.fromtimestamp(record.created, UTC)
        yield "ts", at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield "level", record.levelname.lower()
        yield "msg", self._redactor.redact(record.getMessage())
        yield "logger", record.name
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                yield _NO_KEY.sub("_", name), self._plain(value)
        if record.exc_info:
            yield "exception", self._redactor.redact(self.formatException(record.exc_info))
        if record.stack_info:
            yield "stack", self._redactor.redact(record.stack_info)

    def _plain(self, value: object) -> Plain:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return self._redactor.redact(str(value))


class LogfmtFormatter(_LineFormatter):
    """`ts=... level=... msg="..." logger=... key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of one record."""
        return " ".join(f"{name}={_quote(value)}" for name, value in self._fields(record))


class JsonFormatter(_LineFormatter):
    """One JSON object a line, ASCII only."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of one record."""
        return json.dumps(dict(self._fields(record)), ensure_ascii=True)


def _quote(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    if _BARE.fullmatch(text):
        return text
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    # Control, bidirectional, zero-width and surrogate characters.
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

"""What the terminal at hand can do, and a console that does no more than that.

In: a stream and the environment. Out: whether it may be drawn upon, the signs that it can show, and a rich console that
takes every text as it stands: no markup, no highlighting, no emoji. A file, a pipe, NO_COLOR or a dumb terminal
gets plain lines without a single control character.
"""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console

_DUMB_TERMINALS = ("", "dumb", "unknown")
_WITHOUT_BOX_DRAWING = ("linux", "vt100", "vt220")
_SIZES = ("COLUMNS", "LINES")
"""What a shell exported of a size, once: a window that is drawn upon says itself how large it is."""
PLAIN_COLUMNS = 100
"""How wide a page is drawn where nobody says how wide it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs of which bars are made. Each is one column wide."""

    both: str
    left: str
    right: str
    back: str
    good: str
    bad: str
    unknown: str
    running: str


LINES = Glyphs(both="━", left="╸", right="╺", back="◂", good="✓", bad="✗", unknown="?", running="●")
ASCII = Glyphs(both="=", left="-", right="-", back="<", good="+", bad="x", unknown="?", running="*")


_SPELT = {"±": "+-", "µ": "u", "…": "...", "→": "->"}
"""Signs of ours that mean something, for streams without them: `16 ms ?20 ms` would tell nothing."""


def _spell(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that a stream's encoding lacks (an error handler of `codecs`)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SPELT.get(character, "?") for character in missing), error.end


codecs.register_error("smtp_probe.spelt", _spell)


class _Console(Console):
    """A console that says when its reader is gone, instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Let the error through."""
        raise BrokenPipeError


def is_drawable(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a live view may be drawn: a terminal that moves its cursor, and nobody who said NO_COLOR."""
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR") or environ.get("TERM", "").lower() in _DUMB_TERMINALS:
        return False
    return stream.isatty()


def choose_glyphs(stream: TextIO, environ: Mapping[str, str] | None = None) -> Glyphs:
    """Lines where the stream's encoding has them and the terminal's font does, and letters otherwise."""
    environ = os.environ if environ is None else environ
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    is_poor = stream.isatty() and environ.get("TERM", "").lower() in _WITHOUT_BOX_DRAWING
    return LINES if encoding.startswith("utf") and not is_poor else ASCII


def open_console(stream: TextIO, environ: Mapping[str, str] | None = None) -> Console:
    """A console on a stream. A character that the stream's encoding lacks is spelt, or a question mark, and no error."""
    environ = os.environ if environ is None else environ
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="smtp_probe.spelt")
    is_live = is_drawable(stream, environ)
    return _Console(
        file=stream,
        width=None if is_live else _plain_columns(stream, environ),
        force_terminal=is_live,
        force_interactive=is_live,
        color_system="auto" if is_live else None,
        no_color=not is_live,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        _environ={name: text for name, text in environ.items() if name not in _SIZES} if is_live else environ,
    )


@contextmanager
def for_reader(stream: TextIO) -> Iterator[None]:
    """Write for somebody who may have seen enough before the end: the exit code still tells the rest."""
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        abandon(stream)


def abandon(stream: TextIO) -> None:
    """Let a stream whose reader is gone end in nothing, so that the interpreter's last flush of it does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain_columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    """The width of a terminal that takes plain lines; COLUMNS where it is a sane number; else a fixed one."""
    if stream.isatty():
        with suppress(OSError):
            return max(20, os.get_terminal_size(stream.fileno()).columns or PLAIN_COLUMNS)
    columns = environ.get("COLUMNS", "")
    return min(500, max(20, int(columns))) if columns.isascii() and columns.isdigit() else PLAIN_COLUMNS

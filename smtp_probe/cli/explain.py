"""The command `explain`: what saved messages say of their own way. Offline; needs no configuration.

In: files with a message or an mbox each, or standard input. Out: a waterfall for each message, or with --json one object
a line, in order. Exit code 0, also where something was found in a message; 2 for a file that cannot be read, that
holds no message, or of which only the beginning was read: it is named on standard error, and the others are explained.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from smtp_probe.mail.explanation import Explanation
    from smtp_probe.mail.mailbox_file import SavedMessage

MAX_FILE_BYTES = 64 * 1024 * 1024
"""More of a file is not read. Messages are explained as they come, so this bounds the time and not the memory."""
_PIECE_BYTES = 65_536
_STANDARD_INPUT = "-"

_Show = Callable[[str, int, "Explanation"], None]


class _UnfitFileError(Exception):
    """A file, or the rest of it, cannot be explained. The text says why."""


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("explain")(explain)


def explain(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="A message (.eml) or an mbox each; - is standard input.", allow_dash=True
        ),
    ],
    own: Annotated[
        list[str] | None,
        typer.Option(
            "--own",
            metavar="HOST_OR_DOMAIN",
            help="A host or domain of the receiver's; may be repeated. Default: whose line is the topmost.",
        ),
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", "-d", help="Show time, client, cipher and id of each hop, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead.")] = False,
) -> None:
    """Say where saved messages have spent their time, from their own headers.

    Any message will do. Exit code 2 when a file cannot be read or holds no message; the others are explained.
    """
    from smtp_probe.cli.terminal import abandon

    owners = _read_owners(own or [])
    show = _print_json if as_json else _view(with_details=details)
    try:
        is_complete = all([_explain_file(file, owners, show) for file in files])
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)  # the reader has seen enough
        return
    if not is_complete:
        raise typer.Exit(2)


def _read_owners(written: list[str]) -> list[str]:
    from smtp_probe.mail.organisations import read_own

    owners = []
    for text in written:
        name = read_own(text)
        if name is None:
            message = f"{text[:80]!r} is no host, domain or address"
            raise typer.BadParameter(message, param_hint="--own")
        owners.append(name)
    return owners


def _explain_file(file: Path, own: list[str], show: _Show) -> bool:
    """Show every message of a file. False when something had to be said on standard error."""
    from smtp_probe.cli.wording import clean
    from smtp_probe.mail.explanation import explain_message
    from smtp_probe.mail.mailbox_file import has_mail_header, name_foreign_format

    name = "standard input" if str(file) == _STANDARD_INPUT else clean(str(file)) or "?"
    count, is_complete = 0, True
    try:
        for saved in _read_messages(file):
            count = saved.number
            if has_mail_header(saved.header):
                show(name, saved.number, explain_message(saved, own))
                continue
            kind = name_foreign_format(saved.header)
            reason = f"it is {kind}" if kind else "there is no mail header in it"
            _complain(f"{name}: message {saved.number} is none: {reason}")
            is_complete = False
    except _UnfitFileError as error:
        _complain(f"{name} {error}")
        return False
    if not count:
        _complain(f"{name} holds no message: it is empty")
    return is_complete and count > 0


def _read_messages(file: Path) -> Iterator[SavedMessage]:
    """Give the messages of a file one by one. Raises _UnfitFileError."""
    from smtp_probe.config.files import explain as explain_error
    from smtp_probe.mail.mailbox_file import split_messages

    try:
        if str(file) == _STANDARD_INPUT:
            yield from split_messages(_read_pieces(_standard_input()))
            return
        with file.open("rb") as stream:
            yield from split_messages(_read_pieces(stream))
    except OSError as error:
        message = f"cannot be read: {explain_error(error)}"
        raise _UnfitFileError(message) from None
    except ValueError:
        message = "cannot be read: its name has a NUL character in it"
        raise _UnfitFileError(message) from None


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        message = "cannot be read: it is closed"
        raise _UnfitFileError(message)
    return sys.stdin.buffer


def _read_pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Give the content piece by piece. Raises _UnfitFileError where there is more than may be read."""
    room = MAX_FILE_BYTES
    while piece := stream.read(min(_PIECE_BYTES, room + 1)):
        room -= len(piece)
        if room < 0:
            message = f"is too large: only its first {MAX_FILE_BYTES // 1024**2} MiB were explained"
            raise _UnfitFileError(message)
        yield piece


def _print_json(file: str, number: int, explanation: Explanation) -> None:
    from smtp_probe.cli.explanation_json import explanation_to_json

    sys.stdout.write(explanation_to_json(file, number, explanation) + "\n")


def _view(*, with_details: bool) -> _Show:
    """A function that draws one message after the other on standard output, an empty line between them."""
    from smtp_probe.cli.explanation_view import draw_explanation
    from smtp_probe.cli.terminal import choose_glyphs, open_console

    console, glyphs = open_console(sys.stdout), choose_glyphs(sys.stdout)
    shown: list[str] = []

    def show(file: str, number: int, explanation: Explanation) -> None:
        heading = f"{file}, message {number}" if number > 1 else file
        if shown:
            console.print()
        shown[:] = [heading]
        for line in draw_explanation(heading, explanation, console.width, glyphs, with_details=with_details):
            console.print(line)

    return show


def _complain(text: str) -> None:
    sys.stdout.flush()
    typer.echo(text, err=True)

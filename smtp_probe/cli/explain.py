"""The command `explain`: what saved messages say of their own way. Needs no configuration, and is offline
unless it is asked to verify.

In: files with a message or an mbox each, or standard input. Out: a waterfall for each message, or with --json one object
a line, in order. Exit code 0, also where something was found in a message; 2 for a file that cannot be read, that
holds no message, or of which only a part could be explained: it is named on standard error, after what it did hold.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smtp_probe.app.message_check import MessageChecker
    from smtp_probe.mail.explanation.explain import Explanation
    from smtp_probe.model import Authentication

    Show = Callable[[Path, int, Explanation, Authentication], None]
    """Shows one message: its file, its number in it, what it says of its way, and of its authentication."""


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("explain")(explain)


def explain(  # noqa: PLR0913, PLR0917  # as many as there are flags
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="A message (.eml) or an mbox each; - is standard input.", allow_dash=True
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
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="AUTHSERV_ID",
            help="Whose Authentication-Results count; may be repeated. Default: the receiver's own hosts'.",
        ),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask DNS, to verify signatures, SPF and DMARC ourselves.")
    ] = False,
    resolver: Annotated[
        str | None,
        typer.Option("--resolver", metavar="HOST:PORT", help="Name server to ask; means --online, too."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead.")] = False,
) -> None:
    """Say where saved messages have spent their time, from their own headers.

    Any message will do. Exit code 2 when a file cannot be read or holds no message; the others are explained.
    """
    from smtp_probe.app.message_check import MessageChecker
    from smtp_probe.cli.domain_arguments import read_resolver
    from smtp_probe.cli.terminal import abandon

    owners = _read_owners(own or [])
    is_online = online or resolver is not None
    settings = read_resolver(resolver, trust_ad=False) if is_online else None
    show = _print_json(is_online=is_online) if as_json else _view(with_details=details)
    try:
        with MessageChecker(owners, trust or [], settings) as checker:
            unfit = [file for file in files if not _explain_file(file, owners, checker, show)]
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)  # the reader has seen enough
        return
    if unfit:
        raise typer.Exit(2)


def _read_owners(written: list[str]) -> list[str]:
    from smtp_probe.mail.path.organisations import read_own

    owners = []
    for text in written:
        name = read_own(text)
        if name is None:
            message = f"{text[:80]!r} is no host, domain or address"
            raise typer.BadParameter(message, param_hint="--own")
        owners.append(name)
    return owners


def _explain_file(file: Path, own: list[str], checker: MessageChecker, show: Show) -> bool:
    """Show every message of a file. False when something had to be said on standard error."""
    from smtp_probe.cli.saved_files import UnfitFileError, read_messages
    from smtp_probe.mail.explanation.explain import explain_message

    try:
        for saved in read_messages(file):
            show(file, saved.number, explain_message(saved, own), checker.look(saved))
    except UnfitFileError as error:
        sys.stdout.flush()
        typer.echo(error, err=True)
        return False
    return True


def _print_json(*, is_online: bool) -> Show:
    from smtp_probe.cli.explanation_json import explanation_to_json

    def show(file: Path, number: int, explanation: Explanation, authentication: Authentication) -> None:
        line = explanation_to_json(str(file), number, explanation, authentication, is_online=is_online)
        sys.stdout.write(line + "\n")

    return show


def _view(*, with_details: bool) -> Show:
    """A function that draws one message after the other on standard output, an empty line between them."""
    from smtp_probe.cli.explanation_view import draw_explanation
    from smtp_probe.cli.saved_files import name_file
    from smtp_probe.cli.terminal import choose_glyphs, open_console

    console, glyphs = open_console(sys.stdout), choose_glyphs(sys.stdout)
    is_first = True

    def show(file: Path, number: int, explanation: Explanation, authentication: Authentication) -> None:
        nonlocal is_first
        if not is_first:
            console.print()
        is_first = False
        heading = name_file(file) + (f", message {number}" if number > 1 else "")
        lines = draw_explanation(
            heading,
            explanation,
            console.width,
            glyphs,
            with_details=with_details,
            authentication=authentication,
        )
        for line in lines:
            console.print(line)

    return show

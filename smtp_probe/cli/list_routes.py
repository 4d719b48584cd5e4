"""The command `list-routes`: which routes a configuration has, by their names.

In: a configuration file. Out: a line for each route, in columns where they fit and a block for each where the terminal
is narrower; with --json one object a line. Connects to nothing and reads no secret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile

if TYPE_CHECKING:
    from smtp_probe.config.settings import Config

_TITLES = ("route", "from", "by", "to", "mailbox", "every", "deadline")


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("list-routes")(list_routes)


def list_routes(
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead.")] = False,
) -> None:
    """List the routes of the configuration. Connects to nothing."""
    from smtp_probe.cli.terminal import for_reader
    from smtp_probe.config.load import load

    config = load(config_file, verify_secrets=False)
    lines = map(json.dumps, route_facts(config)) if as_json else draw_routes(config, _columns())
    with for_reader(sys.stdout):
        for line in lines:
            sys.stdout.write(line + "\n")


def route_facts(config: Config) -> Iterator[dict[str, Any]]:
    """Each route with the servers that it uses, for programs."""
    for name, route in sorted(config.routes.items()):
        sender, mailbox = config.senders[route.sender], config.mailboxes[route.mailbox]
        yield {
            "route": name,
            "sender": route.sender,
            "sender_server": f"{sender.host}:{sender.effective_port}",
            "envelope_from": sender.envelope_from,
            "recipient": route.recipient,
            "mailbox": route.mailbox,
            "mailbox_server": mailbox.place,
            "bounce_mailbox": route.bounce_mailbox,
            "interval_seconds": route.interval,
            "deadline_seconds": route.deadline,
            "labels": dict(route.labels),
        }


def draw_routes(config: Config, width: int | None) -> Iterator[str]:
    """The same for people. No width: columns, however wide they are."""
    rows = [_row(facts) for facts in route_facts(config)]
    sizes = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]
    if width is not None and sum(sizes) + 2 * (len(sizes) - 1) > width:
        yield from _blocks(rows)
        return
    for row in (_TITLES, *rows):
        yield "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()


def _blocks(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    size = max(map(len, _TITLES))
    for name, *cells in rows:
        yield name
        for title, cell in zip(_TITLES[1:], cells, strict=True):
            yield f"  {title.ljust(size)}  {cell}"


def _row(facts: dict[str, Any]) -> tuple[str, ...]:
    return (
        facts["route"],
        facts["envelope_from"],
        facts["sender"],
        facts["recipient"],
        facts["mailbox"],
        f"{facts['interval_seconds']:g} s",
        f"{facts['deadline_seconds']:g} s",
    )


def _columns() -> int | None:
    """The width of the terminal; None for a file or a pipe, where a line stays a line."""
    from smtp_probe.cli.terminal import open_console

    return open_console(sys.stdout).width if sys.stdout.isatty() else None

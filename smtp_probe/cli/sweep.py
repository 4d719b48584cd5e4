"""The command `sweep`: which messages of ours lie in the mailboxes, and the removal of those that nobody waits for.

In: a configuration and the daemon's own keys. Out: a line for each mailbox and each message; with --json one object a line.
Exit code 0: all mailboxes were looked into, 2: a mistake in the configuration, 3: one could not be looked into.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile

if TYPE_CHECKING:
    from smtp_probe.app.sweep import SweptMailbox, SweptMessage


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("sweep")(sweep)


def sweep(
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Remove nothing: only list.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="For each mailbox.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead.")] = False,
) -> None:
    """Remove what no probe waits for any more from the mailboxes. Touches only messages that this prober signed.

    Exit code 0: done, 2: a mistake in the configuration, 3: a mailbox could not be looked into.
    """
    import asyncio

    from smtp_probe.app.sweep import Sweep
    from smtp_probe.cli.probe import read_keys
    from smtp_probe.cli.terminal import for_reader
    from smtp_probe.config.load import load
    from smtp_probe.report.log import configure

    configure("error")
    config = load(config_file)
    keys = read_keys(config)

    async def work() -> list[SweptMailbox]:
        return await Sweep(config, keys, timeout, is_dry=is_dry).run()

    mailboxes = asyncio.run(work())
    lines = map(json.dumps, map(mailbox_facts, mailboxes)) if as_json else draw_mailboxes(mailboxes)
    with for_reader(sys.stdout):
        for line in lines:
            sys.stdout.write(line + "\n")
    raise typer.Exit(3 if any(mailbox.problem for mailbox in mailboxes) else 0)


def mailbox_facts(mailbox: SweptMailbox) -> dict[str, Any]:
    """One mailbox, for programs."""
    from smtp_probe.cli.wording import clean, iso_time

    return {
        "mailbox": mailbox.name,
        "problem": clean(mailbox.problem) or None,
        "messages": [
            {
                "folder": clean(message.folder),
                "uid": message.uid,
                "route": message.route,
                "probe_id": message.probe_id,
                "sent_at": iso_time(message.sent_ms * 1_000_000, 1.0),
                "orphan": message.is_orphan,
                "removed": message.is_removed,
            }
            for message in mailbox.messages
        ],
    }


def draw_mailboxes(mailboxes: Sequence[SweptMailbox]) -> Iterator[str]:
    """Each mailbox with its messages, for people."""
    from smtp_probe.cli.wording import clean, iso_time

    for mailbox in mailboxes:
        if mailbox.problem:
            yield f"{mailbox.name}: cannot be looked into: {clean(mailbox.problem)}"
            continue
        orphans = sum(message.is_orphan for message in mailbox.messages)
        removed = sum(message.is_removed for message in mailbox.messages)
        yield f"{mailbox.name}: {len(mailbox.messages)} of ours, {orphans} that nobody waits for, {removed} removed"
        for message in mailbox.messages:
            sent = iso_time(message.sent_ms * 1_000_000, 1.0)
            yield f"  {clean(message.folder)} {message.uid}  {message.route}  {message.probe_id}  {sent}  {_say(message)}"


def _say(message: SweptMessage) -> str:
    if message.is_removed:
        return "removed"
    return "nobody waits for it" if message.is_orphan else "may be waited for"

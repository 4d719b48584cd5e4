"""The command `domain`: what a domain publishes about its mail, checked once. Needs no configuration.

In: a domain, and what is known of its mail. Out: findings by check, with what to change, or one JSON object. Exit code 0,
1 where something is an error, 2 for a mistake on the command line, 3 where it could not be observed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smtp_probe.app.domain_check import LookOptions
    from smtp_probe.model import DomainReport, DomainUnderCheck


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("domain")(domain)


def domain(  # noqa: PLR0913, PLR0917  # as many as there are flags
    name: Annotated[str, typer.Argument(metavar="NAME", help="The domain.")],
    selector: Annotated[
        list[str] | None,
        typer.Option("--selector", metavar="S", help="A DKIM selector to look at; may be repeated."),
    ] = None,
    egress: Annotated[
        list[str] | None,
        typer.Option(
            "--egress", metavar="IP", help="An address from which its mail leaves; may be repeated."
        ),
    ] = None,
    ehlo: Annotated[
        str | None, typer.Option("--ehlo", metavar="NAME", help="The EHLO name with which its mail leaves.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--sender", metavar="ADDRESS", help="An envelope sender of its mail.")
    ] = None,
    resolver: Annotated[
        str | None,
        typer.Option("--resolver", metavar="HOST:PORT", help="Name server to ask; default: the system's."),
    ] = None,
    trust_ad: Annotated[
        bool,
        typer.Option("--trust-ad", help="The name server validates DNSSEC: believe what it says of that."),
    ] = False,
    no_dial: Annotated[
        bool, typer.Option("--no-dial", help="Ask DNS only: connect to no mail or web server.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Private addresses of mail servers are as they should be.")
    ] = False,
    authority: Annotated[
        bool, typer.Option("--authority", help="Ask the zone's own name servers one by one, too.")
    ] = False,
    recipient: Annotated[
        str | None,
        typer.Option(
            "--recipient", metavar="ADDRESS", help="Ask each MX host whether it takes mail for this."
        ),
    ] = None,
    relay_test: Annotated[
        bool,
        typer.Option(
            "--relay-test", help="Try whether an MX host is an open relay. Only on hosts of your own."
        ),
    ] = False,
    dnsbl: Annotated[
        list[str] | None,
        typer.Option("--dnsbl", metavar="ZONE", help="Ask this block list about --egress; may be repeated."),
    ] = None,
    rhsbl: Annotated[
        list[str] | None,
        typer.Option(
            "--rhsbl", metavar="ZONE", help="Ask this block list about the domain; may be repeated."
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", metavar="FILE", help="Authorities to trust instead of the system's (PEM)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Check what a domain publishes about its mail, and say what to change.

    Exit code 0: no errors, 1: errors, 2: a mistake on the command line, 3: it could not be observed.
    """
    from smtp_probe.app.domain_check import LookOptions
    from smtp_probe.cli.domain_arguments import (
        read_block_lists,
        read_file,
        read_resolver,
        read_subject,
        read_terms,
    )
    from smtp_probe.report.log import configure

    configure("error")
    subject = read_subject(name, selector or [], egress or [], ehlo, sender)
    options = LookOptions(
        resolver=read_resolver(resolver, trust_ad=trust_ad),
        dials=not no_dial,
        allows_private=allow_private,
        asks_authority=authority,
        block_lists=read_block_lists(dnsbl or [], rhsbl or []),
        ca_file=read_file(ca_file),
        terms=read_terms(subject, recipient, tests_relay=relay_test),
    )
    report = _look(subject, options)
    _show(report, as_json=as_json)
    raise typer.Exit(exit_code(report))


def exit_code(report: DomainReport) -> int:
    """1 for an error, whatever else could not be seen; 3 where nothing can be said; else 0."""
    if any(finding.severity.is_grave for finding in report.findings):
        return 1
    return 0 if report.is_observed else 3


def _look(subject: DomainUnderCheck, options: LookOptions) -> DomainReport:
    import asyncio

    from smtp_probe.app.domain_check import look_at_domain

    return asyncio.run(look_at_domain(subject, options))


def _show(report: DomainReport, *, as_json: bool) -> None:
    from smtp_probe.cli.domain_json import report_to_json
    from smtp_probe.cli.domain_view import draw_report
    from smtp_probe.cli.terminal import choose_glyphs, for_reader, open_console

    with for_reader(sys.stdout):
        if as_json:
            sys.stdout.write(report_to_json(report, exit_code(report)) + "\n")
        else:
            console = open_console(sys.stdout)
            for line in draw_report(report, console.width, choose_glyphs(sys.stdout)):
                console.print(line)

"""The command `init`: from an address and a password file to a configuration that works.

In: flags, and answers where there is a terminal. Out: what was found and tried, line by line, and a file. Exit code 0: it
is written; 1: no server takes the login; 2: a mistake on the command line, or a file in the way; 3: DNS cannot be asked.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smtp_probe.app.account_setup import AccountSetup, Chosen
    from smtp_probe.cli.questions import Questions
    from smtp_probe.model import Discovery
    from smtp_probe.policy.discovery.consent import Recipe

DEFAULT_OUTPUT = Path("smtp-probe.yaml")


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("init")(init)


def init(  # noqa: PLR0913, PLR0917 - one parameter an option
    address: Annotated[
        str | None,
        typer.Argument(metavar="ADDRESS", help="The account's address. Asked for where it is left out."),
    ] = None,
    same_address: Annotated[
        str | None, typer.Option("--address", metavar="ADDRESS", help="The same, as a flag.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file", metavar="FILE", help="Holds the password. Asked for where it is left out."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The configuration to write.")
    ] = DEFAULT_OUTPUT,
    force: Annotated[bool, typer.Option("--force", help="Replace a configuration that is there.")] = False,
    username: Annotated[
        str | None, typer.Option("--username", metavar="NAME", help="Login name. Left out: found out.")
    ] = None,
    smtp_server: Annotated[
        str | None,
        typer.Option(
            "--smtp-server", metavar="HOST[:PORT]", help="Where to hand mail in. Left out: found out."
        ),
    ] = None,
    imap_server: Annotated[
        str | None,
        typer.Option(
            "--imap-server", metavar="HOST[:PORT]", help="Where the mailbox is. Left out: found out."
        ),
    ] = None,
    recipient: Annotated[
        str | None,
        typer.Option("--recipient", metavar="ADDRESS", help="Of the route. Default: the account itself."),
    ] = None,
    state_directory: Annotated[
        Path, typer.Option("--state-directory", metavar="DIRECTORY", help="For the journal and the key.")
    ] = Path("/var/lib/smtp-probe"),
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Authorities to trust instead of the system's.",
        ),
    ] = None,
    nameserver: Annotated[
        list[str] | None,
        typer.Option(
            "--nameserver", metavar="ADDRESS", help="Ask this one. May be repeated. Default: the system's."
        ),
    ] = None,
    oauth_client_id: Annotated[
        str | None,
        typer.Option(
            "--oauth-client-id",
            metavar="ID",
            help="Of a client registered at Google or Microsoft: tokens instead of a password, after `smtp-probe login`.",
        ),
    ] = None,
    oauth_client_secret_file: Annotated[
        Path | None,
        typer.Option(
            "--oauth-client-secret-file",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Holds that client's secret, where it has one (Google).",
        ),
    ] = None,
    accept_foreign: Annotated[
        bool,
        typer.Option(
            "--accept-foreign", help="Log in to servers of other domains that only unsigned DNS names."
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="For each login.")
    ] = 60.0,
) -> None:
    """Find an account's servers, try them, and write a first configuration.

    Exit code 0: it is written, 1: no server takes the login, 2: a mistake, 3: DNS cannot be asked.
    """
    import asyncio

    from smtp_probe.app.account_setup import AccountSetup, SetupRequest
    from smtp_probe.app.config_draft import Consent, Draft, write_draft
    from smtp_probe.cli.questions import Questions
    from smtp_probe.config.secrets import read_secret
    from smtp_probe.config.settings import SecretSource
    from smtp_probe.model import AccountProtocol
    from smtp_probe.report.log import configure

    configure("error")
    questions = Questions(is_terminal=sys.stdin.isatty(), accepts_foreign=accept_foreign)
    if not output.absolute().parent.is_dir():
        questions.fail(f"{output} cannot be written: there is no folder {output.absolute().parent}")
    if output.exists() and not force:
        questions.fail(f"{output} is there already: give --force to replace it, or --output another name")
    if address and same_address:
        questions.fail("the address is given twice: as ADDRESS and by --address")
    person = questions.person(address or same_address)
    to_whom = questions.address(recipient) if recipient else person.address
    given = (
        *questions.server(AccountProtocol.SMTP, smtp_server, person),
        *questions.server(AccountProtocol.IMAP, imap_server, person),
    )
    secret, was_made = None, False
    if oauth_client_id is None:
        secret, was_made = questions.password(password_file, output.absolute().parent)
    is_written = False
    try:
        if secret is not None:
            read_secret(SecretSource(password_file=secret), path="--password-file")
        request = SetupRequest(
            person=person,
            password_file=secret,
            username=username,
            given=given,
            ca_file=None if ca_file is None else ca_file.absolute(),
            nameservers=questions.nameservers(nameserver or []),
            timeout_seconds=timeout,
        )
        setup = AccountSetup(request=request, accepts=questions.accepts, on_trial=questions.tell_trial)
        consent = None
        if oauth_client_id is None:
            submission, inbox = asyncio.run(_choose(setup, questions))
        else:
            submission, inbox, recipe = asyncio.run(_choose_untried(setup, questions))
            consent = Consent(
                recipe=recipe, client_id=oauth_client_id, client_secret_file=oauth_client_secret_file
            )
        draft = Draft(
            request=request,
            submission=submission,
            inbox=inbox,
            recipient=to_whom,
            state_directory=state_directory,
            consent=consent,
        )
        write_draft(draft, output, may_replace=force)
        is_written = True
    finally:
        if secret is not None and was_made and not is_written:
            secret.unlink(missing_ok=True)
    if consent is not None:
        questions.say(f"{output} is written, and nothing has been tried yet.")
        questions.say(f"Next: smtp-probe login account --config.file={output}")
        questions.say(f"Then: smtp-probe login-test --config.file={output}")
        return
    questions.say(f"{output} is written. Next: smtp-probe probe own --config.file={output}")


async def _choose(setup: AccountSetup, questions: Questions) -> tuple[Chosen, Chosen]:
    """A server for each protocol that takes the login; ends the program where there is none."""
    from smtp_probe.model import AccountProtocol

    found = await _find(setup, questions)
    chosen = []
    for protocol in AccountProtocol:
        servers = found.of(protocol)
        if not servers:
            questions.give_up(protocol, is_unobserved=bool(found.unobserved))
        one = await setup.choose(protocol, servers)
        if one is None:
            questions.give_up(protocol, setup.refused.get(protocol))
        else:
            chosen.append(one)
    submission, inbox = chosen
    return submission, inbox


async def _choose_untried(setup: AccountSetup, questions: Questions) -> tuple[Chosen, Chosen, Recipe]:
    """The servers of a provider whose tokens are known how to be had; nobody can log in before a person has consented."""
    from smtp_probe.app.account_setup import Chosen
    from smtp_probe.model import AccountProtocol
    from smtp_probe.policy.discovery.consent import find_recipe

    found = await _find(setup, questions)
    chosen = []
    recipe = None
    for protocol in AccountProtocol:
        servers = [server for server in found.of(protocol) if find_recipe(server.host) is not None]
        if not servers:
            questions.fail(
                f"no {protocol} server of Google or Microsoft was found: name one with --{protocol}-server, or write the "
                "credential by hand (docs/settings.md, OAuth2)"
            )
        recipe = find_recipe(servers[0].host)
        chosen.append(
            Chosen(server=servers[0], username=setup.request.username or setup.request.person.address)
        )
    assert recipe is not None
    submission, inbox = chosen
    return submission, inbox, recipe


async def _find(setup: AccountSetup, questions: Questions) -> Discovery:
    """The servers that are known, told as they are found."""
    found = await setup.find()
    for note in found.notes:
        questions.say(f"  {note}")
    for reason in found.unobserved:
        questions.say(f"  not known: {reason}")
    return found

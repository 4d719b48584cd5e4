"""The command `login`: has access tokens for one credential of the configuration, with a person's consent where it takes one.

In: a configuration and the name of a credential. Out: the address and the code for a browser on any device, or the address
for one on this machine, and then where the tokens are kept. Exit code 0: tokens are had; 1: refused; 2: a mistake in the
configuration, the command line or a file of ours; 3: the server was not reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.cli.options import DEFAULT_CONFIG_FILE, ConfigFile, complete_by
from smtp_probe.errors import ConfigError, ConfigProblem, CredentialError

if TYPE_CHECKING:
    from smtp_probe.app.login import Login
    from smtp_probe.network.authorization_code import Consent
    from smtp_probe.network.oauth import DeviceCode

_SHOWN_NAMES = 30


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("login")(login)


def login(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name of the credential.",
            autocompletion=complete_by(lambda config: config.credentials),
        ),
    ],
    config_file: ConfigFile = DEFAULT_CONFIG_FILE,
) -> None:
    """Log in to an authorization server (OAuth2), and keep the tokens for the daemon.

    Exit code 0: tokens are had, 1: refused, 2: a mistake in configuration, command line or files, 3: not reached.
    """
    import asyncio

    from smtp_probe.app.login import log_in
    from smtp_probe.config.load import load
    from smtp_probe.model import TokenResult
    from smtp_probe.model.words import in_words
    from smtp_probe.report.log import configure

    configure("error")
    config = load(config_file, verify_secrets=False)
    if name not in config.credentials:
        known = ", ".join(sorted(config.credentials)[:_SHOWN_NAMES])
        advice = f"choose one of {known}" if known else "the file has none (docs/settings.md, oauth2)"
        message = f"there is no credential {name[:80]!r}: {advice}"
        raise ConfigError((ConfigProblem(message=message, path="credentials", file=str(config_file)),))
    try:
        done = asyncio.run(log_in(config, name, _show_code, _show_address))
    except CredentialError as error:
        typer.echo(f"{name}: {in_words(error.result)}: {error.detail}", err=True)
        codes = {TokenResult.LOCAL: 2, TokenResult.NETWORK: 3, TokenResult.PROTOCOL: 3}
        raise typer.Exit(codes.get(error.result, 1)) from None
    typer.echo(_describe(name, done))


def _show_code(code: DeviceCode) -> None:
    minutes = max(1, round(code.lifetime_seconds / 60))
    typer.echo(f"Open {code.verification_uri} in a browser, on any device,")
    typer.echo(f"and enter the code {code.user_code} (within {minutes} min).")


def _show_address(consent: Consent) -> None:
    typer.echo(f"Open this address in a browser on this machine:\n\n  {consent.address}\n")
    typer.echo(
        f"It comes back to {consent.redirect_uri} (from another machine: ssh -L takes that port along)."
    )


def _describe(name: str, done: Login) -> str:
    lifetime = "" if done.lifetime_seconds is None else f", good for {done.lifetime_seconds / 60:.0f} min"
    place = "nothing has to be kept" if done.kept_in is None else f"kept in {done.kept_in}"
    return f"{name}: access token had{lifetime}; {place}"

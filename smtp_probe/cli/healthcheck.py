"""The command `healthcheck`: asks a running daemon whether it is well, for containers that have no other client.

In: the address of its pages, and what opens its door (--web.config.file). Out: one line, and exit code 0 when it is well, 1 when it is not or does not answer, 2 for flags that
make no sense alone.
"""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smtp_probe.config.files import UnreadableFile, drop_newline, explain, read_bounded

if TYPE_CHECKING:
    import ssl

_VARIABLE = "SMTP_PROBE_HEALTHCHECK"
_LARGEST_PASSWORD = 1024
DEFAULT_URL = "http://127.0.0.1:10925"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("healthcheck")(healthcheck)


def healthcheck(  # noqa: PLR0913, PLR0917 - one parameter an option
    url: Annotated[
        str,
        typer.Option(envvar=f"{_VARIABLE}_URL", metavar="URL", help="Where its pages are, without a path."),
    ] = DEFAULT_URL,
    ready: Annotated[
        bool, typer.Option("--ready", help="Ask whether the mailboxes are watched, too (/-/ready).")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="To wait for the answer.")] = 5.0,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            envvar=f"{_VARIABLE}_CA_FILE",
            metavar="FILE",
            help="The authority of its certificate, for https.",
        ),
    ] = None,
    cert_file: Annotated[
        Path | None,
        typer.Option(
            "--cert-file",
            envvar=f"{_VARIABLE}_CERT_FILE",
            metavar="FILE",
            help="Our certificate, where it asks for one.",
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file",
            envvar=f"{_VARIABLE}_KEY_FILE",
            metavar="FILE",
            help="Its key, where that is a file of its own.",
        ),
    ] = None,
    username: Annotated[
        str | None,
        typer.Option(
            "--username",
            envvar=f"{_VARIABLE}_USERNAME",
            metavar="NAME",
            help="A user of its pages, where it has users.",
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            envvar=f"{_VARIABLE}_PASSWORD_FILE",
            metavar="FILE",
            help="The user's password.",
        ),
    ] = None,
) -> None:
    """Ask a running daemon whether it is well: exit code 0, or 1 when it is not or does not answer."""
    path = "/-/ready" if ready else "/-/healthy"
    _refuse_halves(cert_file, key_file, username, password_file)
    try:
        login = _read_login(username, password_file)
        status, text = _ask(
            url.rstrip("/") + path, timeout, _certificates(ca_file, cert_file, key_file), login
        )
    except UnreadableFile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:
        typer.echo(f"{url}: {_explain(error)}", err=True)
        raise typer.Exit(1) from None
    if status == HTTPStatus.UNAUTHORIZED:
        text = f"{url}: it wants a user and a password that it knows (--username, --password-file)"
    typer.echo(text, err=status != 200)
    raise typer.Exit(0 if status == 200 else 1)


def _refuse_halves(
    cert_file: Path | None, key_file: Path | None, username: str | None, password_file: Path | None
) -> None:
    """Refuse a flag without the other that it needs. Raises typer.BadParameter."""
    halves = (
        ("--username", username, "--password-file", password_file),
        ("--password-file", password_file, "--username", username),
        ("--key-file", key_file, "--cert-file", cert_file),
    )
    for flag, given, other, needed in halves:
        if given is not None and needed is None:
            message = f"it needs {other} as well ({_VARIABLE}_{other[2:].replace('-', '_').upper()} in the environment)"
            raise typer.BadParameter(message, param_hint=flag)


def _explain(error: OSError | ValueError) -> str:
    """Why there is no answer, without the system's numbers."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused: no daemon listens there (--url says where it does)"
    if isinstance(reason, TimeoutError):
        return "no answer in time (--timeout)"
    return getattr(reason, "strerror", None) or str(reason)


def _read_login(username: str | None, password_file: Path | None) -> str | None:
    """Give what the field Authorization says. Raises UnreadableFile."""
    if username is None or password_file is None:
        return None
    password = drop_newline(read_bounded(password_file, _LARGEST_PASSWORD))
    return "Basic " + b64encode(username.encode() + b":" + password).decode()


def _certificates(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> ssl.SSLContext | None:
    """Give the certificates that are not the usual ones. Raises UnreadableFile."""
    import ssl

    if ca_file is None and cert_file is None:
        return None
    named = cert_file if ca_file is None else ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if cert_file is not None:
            named = cert_file
            context.load_cert_chain(cert_file, key_file)
    except ssl.SSLError as error:
        message = f"{named}: no certificate in PEM form, or one without its key ({error.reason})"
        raise UnreadableFile(message) from None
    except OSError as error:
        message = f"{named} cannot be read: {explain(error)}"
        raise UnreadableFile(message) from None
    return context


def _ask(
    url: str, timeout_seconds: float, context: ssl.SSLContext | None, login: str | None
) -> tuple[int, str]:
    """Give the status and the first kilobyte of the answer. Raises OSError, ValueError."""
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        message = "an address begins with http:// or https://"
        raise ValueError(message)
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.ProxyHandler({})
    ]  # the daemon is asked itself, whatever the environment says
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    question = urllib.request.Request(url)  # noqa: S310 - what it begins with was looked at
    if login is not None:  # the unredirected ones go to this address alone
        question.add_unredirected_header("Authorization", login)
    try:
        with urllib.request.build_opener(*handlers).open(question, timeout=timeout_seconds) as answer:
            return answer.status, answer.read(1024).decode("utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(1024).decode("utf-8", "replace").strip()

"""The command `healthcheck`: asks a running daemon whether it is well, for containers that have no other client.

In: the address of its pages. Out: one line, and exit code 0 when it is well, 1 when it is not or does not answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:10925"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("healthcheck")(healthcheck)


def healthcheck(
    url: Annotated[
        str,
        typer.Option(
            envvar="SMTP_PROBE_HEALTHCHECK_URL", metavar="URL", help="Where its pages are, without a path."
        ),
    ] = DEFAULT_URL,
    ready: Annotated[
        bool, typer.Option("--ready", help="Ask whether the mailboxes are watched, too (/-/ready).")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="To wait for the answer.")] = 5.0,
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", metavar="FILE", help="The authority of its certificate, for https."),
    ] = None,
) -> None:
    """Ask a running daemon whether it is well: exit code 0, or 1 when it is not or does not answer."""
    path = "/-/ready" if ready else "/-/healthy"
    try:
        status, text = _ask(url.rstrip("/") + path, timeout, ca_file)
    except (OSError, ValueError) as error:
        typer.echo(f"{url}: {_explain(error)}", err=True)
        raise typer.Exit(1) from None
    typer.echo(text, err=status != 200)
    raise typer.Exit(0 if status == 200 else 1)


def _explain(error: OSError | ValueError) -> str:
    """Why there is no answer, without the system's numbers."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused: no daemon listens there (--url says where it does)"
    if isinstance(reason, TimeoutError):
        return "no answer in time (--timeout)"
    return getattr(reason, "strerror", None) or str(reason)


def _ask(url: str, timeout_seconds: float, ca_file: Path | None) -> tuple[int, str]:
    """Give the status and the first kilobyte of the answer. Raises OSError, ValueError."""
    import ssl
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        message = "an address begins with http:// or https://"
        raise ValueError(message)
    context = ssl.create_default_context(cafile=ca_file) if ca_file is not None else None
    handlers = [urllib.request.ProxyHandler({})]  # the daemon is asked itself, whatever the environment says
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))  # type: ignore[arg-type]
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=timeout_seconds) as answer:
            return answer.status, answer.read(1024).decode("utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(1024).decode("utf-8", "replace").strip()

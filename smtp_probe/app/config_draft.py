"""A first configuration as text, with a comment on each part; and writing it without harm to what is there.

In: the servers that took the login. Out: a file that `load` accepts, which is tried before it is put in its place.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from smtp_probe.app.account_setup import Chosen, SetupRequest, ehlo_name
from smtp_probe.config.load import load
from smtp_probe.errors import ConfigError, ConfigProblem
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.policy.discovery.consent import Recipe

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/_-]*[.@/][A-Za-z0-9.@/_-]*[A-Za-z0-9]")
"""What YAML takes as text without quotes: a host, an address, a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The client that the administrator has registered, and the provider's way."""

    recipe: Recipe
    client_id: str
    client_secret_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What goes into the file."""

    request: SetupRequest
    submission: Chosen
    inbox: Chosen
    recipient: str
    state_directory: Path
    consent: Consent | None = None
    """How tokens are had, where there is no password."""


def write_draft(draft: Draft, path: Path, *, may_replace: bool) -> None:
    """Write the file, or raise ConfigError and leave everything as it was."""
    folder = path.absolute().parent
    text = render(draft, path)
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=".new")
    except OSError as error:
        raise _unwritable(path, error) from None
    trial = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        load(trial, {})
        trial.chmod(0o644)
        if may_replace:
            trial.replace(path)
        else:
            path.hardlink_to(trial)  # in one step, and never over what is there
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        trial.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> ConfigError:
    message = f"cannot be written: {error.strerror or error}"
    return ConfigError((ConfigProblem(message=message, file=str(path)),))


def render(draft: Draft, path: Path) -> str:
    """The file's text. `path` is where it will stand: paths in its folder are told from there."""
    request, folder = draft.request, path.absolute().parent
    account = "\n".join(("    auth:", "      username: {name}", *_proof(draft, folder)))
    authority = ""
    if request.ca_file is not None:
        authority = f"\n    tls_options: {{ca_file: {json.dumps(str(request.ca_file))}}}"
    shown = json.dumps(str(path))[1:-1]
    parts = [
        f"# smtp-probe for {sanitise(request.person.address)}, as `smtp-probe init` found it.",
        "#",
        f"#   smtp-probe check-config {shown}",
        f"#   smtp-probe probe own --config.file={shown}",
        f"#   smtp-probe run --config.file={shown}",
        "#",
        "# Paths are taken from the folder of this file. Every setting is told in docs/settings.md.",
        "",
        "# The journal and the signing key; made with mode 0700 where it does not exist.",
        f"state_directory: {_path(draft.state_directory, folder)}",
        "",
        *([] if draft.consent is None else _credential(draft.consent, folder, shown)),
        "senders:",
        _server(draft.submission, authority),
        account.format(name=_scalar(draft.submission.username)),
        f"    ehlo_name: {_scalar(ehlo_name(request.person))}  # should be a name of this machine that DNS knows",
        f"    envelope_from: {_scalar(request.person.address)}  # bounces go there",
        "",
        "mailboxes:",
        _server(draft.inbox, authority, "inbox"),
        account.format(name=_scalar(draft.inbox.username)),
        "    # Messages of ours, and no others, are removed when they have been judged: delete, trash or keep.",
        *([] if draft.inbox.server.profile else ["    after_judgement: delete"]),
        "",
        "routes:",
        "  # From the account to itself. Routes through other servers: docs/routes.md.",
        "  own:",
        "    sender: submission",
        f"    recipient: {_scalar(draft.recipient)}",
        "    mailbox: inbox",
        "    bounce_mailbox: inbox",
        "    interval: 5m  # one message every five minutes",
        "    deadline: 5m  # not there by then: overdue, and counted as a failure",
    ]
    if request.nameservers:
        servers = ", ".join(json.dumps(server) for server in request.nameservers)
        parts += ["", "resolver:", f"  nameservers: [{servers}]", f"  port: {request.nameserver_port}"]
    return "\n".join(parts) + "\n"


def _proof(draft: Draft, folder: Path) -> tuple[str, ...]:
    """By what a login is proved."""
    if draft.consent is not None:
        return ("      mechanism: xoauth2", "      oauth: account")
    assert draft.request.password_file is not None
    return (f"      password_file: {_path(draft.request.password_file, folder)}  # read at every login",)


def _credential(consent: Consent, folder: Path, shown: str) -> list[str]:
    recipe = consent.recipe
    secret = consent.client_secret_file
    return [
        f"# Tokens instead of a password. Once, as the daemon's user: smtp-probe login account --config.file={shown}",
        "credentials:",
        "  account:",
        f"    grant: {recipe.grant}",
        f"    token_url: {recipe.token_url}",
        f"    {recipe.consent_key}: {recipe.consent_url}",
        f"    client_id: {json.dumps(consent.client_id)}",
        *([] if secret is None else [f"    client_secret: {{password_file: {_path(secret, folder)}}}"]),
        f"    scope: {json.dumps(recipe.scope)}",
        "",
    ]


def _server(chosen: Chosen, authority: str, name: str = "submission") -> str:
    server = chosen.server
    profile = f"\n    profile: {server.profile}  # docs/providers.md" if server.profile else ""
    return (
        f"  # Found by: {sanitise(server.source)}.\n"
        f"  {name}:\n"
        f"    host: {_scalar(server.host)}\n"
        f"    port: {server.port}\n"
        f"    tls: {'implicit' if server.is_implicit_tls else 'starttls'}{authority}{profile}"
    )


def _path(path: Path, folder: Path) -> str:
    whole = path.absolute()
    return _scalar(str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole))


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)

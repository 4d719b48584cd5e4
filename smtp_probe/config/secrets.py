"""Passwords and tokens: where each is kept, and reading one when it is used.

In: a `SecretSource` of the settings. Out: the secret itself, to the one adapter that needs it; it is kept nowhere,
so that a changed file is picked up at the next login. No error text says anything of a secret's content.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from smtp_probe.config.files import UnreadableFile, drop_newline, read_bounded
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.settings import Config, SecretSource
from smtp_probe.errors import ConfigError, ConfigProblem

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
_LONGEST_BYTES = 65_536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNDECODED = re.compile(r"[\ud800-\udfff]")


class _Unusable(Exception):  # noqa: N818 - it says what is the case
    """A secret cannot be had: `key` is the setting that names it."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.message = message
        super().__init__(message)


def read_secret(source: SecretSource, *, path: str = "auth", environ: Mapping[str, str] | None = None) -> str:
    """Read one secret from where it is kept. Raises ConfigError.

    `path` is that of the section, as `senders.relay.auth`, for the error. One final newline is dropped. What is
    empty, longer than 64 KiB, no UTF-8, or has a control character in it is refused: it cannot be what was meant.
    """
    try:
        return _read(source, os.environ if environ is None else environ)
    except _Unusable as error:
        raise ConfigError((ConfigProblem(message=error.message, path=f"{path}.{error.key}"),)) from None


def check_secrets(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[KeyPath, str]]:
    """Try every secret of a configuration. Gives the path of each that cannot be used, and why."""
    for path, source in secret_sources(config):
        try:
            _read(source, environ)
        except _Unusable as error:
            yield (*path, error.key), error.message


def secret_sources(config: Config) -> Iterator[tuple[KeyPath, SecretSource]]:
    """Every secret that a configuration names, with its path."""
    for section, endpoints in (("senders", config.senders), ("mailboxes", config.mailboxes)):
        for name, endpoint in endpoints.items():
            if endpoint.auth is not None and endpoint.auth.oauth is None:
                yield (section, name, "auth"), endpoint.auth
    for name, credential in config.credentials.items():
        for key in ("client_secret", "refresh_token"):
            source: SecretSource | None = getattr(credential, key)
            if source is not None:
                yield ("credentials", name, key), source


def exposed_secret_files(config: Config) -> list[Path]:
    """The secret files that every user of this machine may read. Files that cannot be looked at are left out."""
    found = []
    for _, source in secret_sources(config):
        path = source.password_file
        try:
            is_exposed = path is not None and path.stat().st_mode & stat.S_IROTH
        except (OSError, ValueError):
            continue
        if path is not None and is_exposed and path not in found:
            found.append(path)
    return found


def _read(source: SecretSource, environ: Mapping[str, str]) -> str:
    if source.password_file is not None:
        return _from_file("password_file", source.password_file)
    if source.password_env is not None:
        return _from_variable(source.password_env, environ)
    if source.password_credential is not None:
        return _from_credential(source.password_credential, environ)
    raise _Unusable("password_file", "no source of the secret is given")


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    # Only a name in capitals is repeated: anything else may be the password itself, put into the wrong place.
    shown = f"the environment variable {name}" if name.isupper() else "the environment variable named here"
    if name not in environ:
        raise _Unusable("password_env", f"{shown} is not set")
    return _accept("password_env", shown, environ[name])


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    directory = environ.get(CREDENTIALS_VARIABLE)
    if not directory:
        message = (
            f"{CREDENTIALS_VARIABLE} is not set: systemd sets it for a service with LoadCredential=; "
            "elsewhere use password_file"
        )
        raise _Unusable("password_credential", message)
    return _from_file("password_credential", Path(directory, name))


def _from_file(key: str, path: Path) -> str:
    try:
        content = drop_newline(read_bounded(path, _LONGEST_BYTES))
    except UnreadableFile as error:
        if path.parent.is_dir() and not os.path.lexists(path):
            # The name is not repeated: a password that was put here by mistake looks like a missing file.
            raise _Unusable(key, f"there is no file of this name in {path.parent}") from None
        raise _Unusable(key, str(error)) from None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _Unusable(key, f"{path} is not UTF-8 text") from None
    return _accept(key, str(path), text)


def _accept(key: str, place: str, secret: str) -> str:
    if not secret.strip():
        raise _Unusable(key, f"{place} is empty")
    if _CONTROL.search(secret):
        raise _Unusable(key, f"{place} has a line break or a control character in it: one line is expected")
    if _UNDECODED.search(secret):
        raise _Unusable(key, f"{place} is not UTF-8 text")
    return secret

"""Tokens that an authorization server gave us, kept in a file of mode 0600 that one process at a time may change.

In: a path. Out: what is kept there, and the file written anew, whole or not at all. The daemon and the commands use the
same file: a refresh token that may be used once only must not be used by both. Raises `UnreadableFile`; no error text
says anything of a token.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from smtp_probe.config.files import UnreadableFile, explain, read_bounded
from smtp_probe.config.private_files import make_private_directory, refuse_others

_LARGEST_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTokens:
    """What is kept. `origin` is a hash of the first refresh token, from which this one descends; empty for a login's."""

    refresh_token: str = field(repr=False)
    origin: str = ""
    access_token: str = field(default="", repr=False)
    expires_ns: int | None = None
    """On the wall clock; None where the server did not tell, or there is no access token."""


class TokenFile:
    """One file of tokens."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> KeptTokens | None:
        """Give what is kept, or None where there is no file. Raises UnreadableFile."""
        if not os.path.lexists(self.path):
            return None
        refuse_others(self.path, "600")
        content = read_bounded(self.path, _LARGEST_BYTES)
        try:
            return _parse(json.loads(content))
        except (ValueError, TypeError):
            message = f"{self.path} does not hold tokens as `smtp-probe login` writes them: log in again"
            raise UnreadableFile(message) from None

    def write(self, tokens: KeptTokens) -> None:
        """Put tokens in the place of those before. Raises UnreadableFile."""
        make_private_directory(self.path.parent)
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, 0o600)
                self._give_to_owner(descriptor)
                json.dump(asdict(tokens), file)
                file.flush()
                os.fsync(descriptor)
            new.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            message = f"{self.path} cannot be written: {explain(error)}"
            raise UnreadableFile(message) from None

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Keep others from changing the file; gives False where another one does so now. Raises UnreadableFile."""
        make_private_directory(self.path.parent)
        try:
            name = self.path.with_name(f".{self.path.name}.lock")
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"{self.path.parent} cannot be written: {explain(error)}"
            raise UnreadableFile(message) from None
        try:
            self._give_to_owner(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _give_to_owner(self, descriptor: int) -> None:
        """Where root has logged in, the file is that of the directory's owner: the daemon's user."""
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _parse(data: Any) -> KeptTokens:
    """Raises ValueError or TypeError for what was not written by us."""
    tokens = KeptTokens(**data)
    texts = (tokens.refresh_token, tokens.origin, tokens.access_token)
    if not all(isinstance(text, str) for text in texts) or not isinstance(tokens.expires_ns, int | None):
        raise TypeError
    return tokens

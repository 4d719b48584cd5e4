"""The keys with which the tags of messages are signed: reading them, and making the first one.

In: the settings. Out: the keys, newest first: the first signs, all verify. A key is the content of its file without
the final newline, taken as it stands (`openssl rand -hex 32 > tag.key` makes one). Whoever can read a key can forge
an arrival, so a key or a state directory that others may read or write is refused.

"Others" is everybody but the owner and the groups that this process itself is in: Kubernetes gives a volume to the
pod by exactly such a group (fsGroup), on each start anew.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from smtp_probe.config.files import UnreadableFile, drop_newline, explain, read_bounded
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.private_files import make_private_directory, refuse_others
from smtp_probe.config.settings import Config
from smtp_probe.errors import ConfigError, ConfigProblem

KEY_FILE = "tag.key"
SHORTEST_KEY_BYTES = 32
_LONGEST_KEY_BYTES = 4096
_ROOM_FOR_NEWLINE = 2


def load_or_make_keys(config: Config) -> tuple[bytes, ...]:
    """The signing keys, newest first: those of `tag_key_files`, or else the one in the state directory.

    The state directory (mode 0700) and the key (mode 0600) are made where they do not exist. Raises ConfigError.
    """
    if config.tag_key_files:
        problems = [
            ConfigProblem(message=message, path=".".join(map(str, path)))
            for path, message in check_keys(config)
        ]
        if problems:
            raise ConfigError(tuple(problems))
        return tuple(_read_key(path) for path in config.tag_key_files)
    try:
        make_private_directory(config.state_directory)
        return (_read_or_make(config.state_directory / KEY_FILE),)
    except UnreadableFile as error:
        raise ConfigError((ConfigProblem(message=str(error), path="state_directory"),)) from None


def prepare_state_directory(config: Config) -> None:
    """Make the state directory where there is none, wherever the keys are. Raises ConfigError."""
    try:
        make_private_directory(config.state_directory)
    except UnreadableFile as error:
        raise ConfigError((ConfigProblem(message=str(error), path="state_directory"),)) from None


def check_keys(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Try every file of `tag_key_files`. Gives the path of each that is no good key, and why. Makes nothing."""
    for position, path in enumerate(config.tag_key_files):
        try:
            _read_key(path)
        except UnreadableFile as error:
            yield ("tag_key_files", position), str(error)


def _read_key(path: Path) -> bytes:
    key = drop_newline(read_bounded(path, _LONGEST_KEY_BYTES + _ROOM_FOR_NEWLINE))
    refuse_others(path, "600")
    if len(key) < SHORTEST_KEY_BYTES:
        message = (
            f"{path} holds {len(key)} bytes, but a key needs at least {SHORTEST_KEY_BYTES}: "
            f"make one with: openssl rand -hex 32 > {shlex.quote(str(path))}"
        )
        raise UnreadableFile(message)
    return key


def _read_or_make(path: Path) -> bytes:
    if not os.path.lexists(path):
        try:
            _write_key(path, os.urandom(SHORTEST_KEY_BYTES).hex().encode() + b"\n")
        except OSError as error:
            message = f"{path} cannot be made: {explain(error)}"
            raise UnreadableFile(message) from None
    return _read_key(path)


def _write_key(path: Path, content: bytes) -> None:
    """Put the whole key in its place at once, or nothing; a key that another process put there first stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _hand_to_owner(file.fileno(), path.parent)
        with contextlib.suppress(FileExistsError):
            _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _hand_to_owner(descriptor: int, folder: Path) -> None:
    """Give a key that root made to whom the folder belongs: the daemon that runs as its owner must read it."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links. Two first starts at the same moment are then not told apart.
        draft.replace(path)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot, and need not
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

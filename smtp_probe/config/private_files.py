"""Directories and files that nobody else may read: made so, and refused otherwise.

"Others" is everybody but the owner and the groups that this process itself is in: Kubernetes gives a volume to the
pod by exactly such a group (fsGroup), on each start anew.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from smtp_probe.config.files import UnreadableFile, explain


def make_private_directory(path: Path) -> None:
    """Make a directory of mode 0700, and each that is missing above it. Raises UnreadableFile, also for one that is open to others."""
    try:
        for each in (*reversed(path.parents), path):  # `parents=True` would leave those above open to others
            each.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        message = f"{path} cannot be made: {each} is not a directory"
        raise UnreadableFile(message) from None
    except OSError as error:
        message = f"{path} cannot be made: {explain(error)}"
        raise UnreadableFile(message) from None
    refuse_others(path, "700")


def make_private_file(path: Path) -> None:
    """Make an empty file of mode 0600, where there is none. Raises UnreadableFile, also for one that is open to others."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        message = f"{path} cannot be opened: {explain(error)}"
        raise UnreadableFile(message) from None
    refuse_others(path, "600")


def refuse_others(path: Path, wanted_mode: str) -> None:
    """Raise UnreadableFile where others may read or write, with the command that ends it."""
    try:
        status = path.stat()
    except OSError as error:
        message = f"{path} cannot be looked at: {explain(error)}"
        raise UnreadableFile(message) from None
    exposed = stat.S_IROTH | stat.S_IWOTH
    if stat.S_ISDIR(status.st_mode):
        exposed |= stat.S_IXOTH
    if status.st_gid not in {os.getegid(), *os.getgroups()}:
        exposed |= exposed << 3
    if status.st_mode & exposed:
        message = (
            f"{path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"run: chmod {wanted_mode} {shlex.quote(str(path))}"
        )
        raise UnreadableFile(message)

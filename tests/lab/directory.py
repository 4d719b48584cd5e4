"""Makes the directory in which a lab lives."""

import tempfile
from pathlib import Path

from .errors import LabError

LONGEST = 60
"""Longest path: a unix socket's own has room for 108 characters."""


def make_directory(path: Path | None) -> Path:
    """Make `path`, or a new temporary directory, that every user of the machine can enter.

    Servers run as users of their own. $TMPDIR is not asked: it may be long, or one user's own.
    """
    if path is None:
        path = Path(tempfile.mkdtemp(prefix="mail-lab-", dir="/tmp"))
    else:
        path.mkdir(parents=True)
    path = path.resolve()
    path.chmod(0o755)
    closed = [folder for folder in path.parents if not folder.stat().st_mode & 0o001]
    if closed or len(str(path)) > LONGEST:
        path.rmdir()
        why = f"not all users may enter {closed[0]}" if closed else "its path is too long"
        raise LabError(f"cannot use {path}: {why}")
    return path

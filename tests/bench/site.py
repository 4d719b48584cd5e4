"""Where a run takes place: the mail lab, a directory for each part of it, and how long it may take."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

from tests.lab import MailLab

_T = TypeVar("_T")


class Site:
    """One run's place. The lab is started when it is first asked for, and everything is gone at the end."""

    def __init__(self, *, is_quick: bool) -> None:
        self.is_quick = is_quick
        self._undo = ExitStack()
        self._root = Path(self._undo.enter_context(tempfile.TemporaryDirectory(prefix="smtp-probe-bench-")))
        self._directories = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @cached_property
    def lab(self) -> MailLab:
        """The lab of this run. Raises LabError where it cannot be started."""
        return self._undo.enter_context(MailLab.start())

    def choose(self, full: _T, quick: _T) -> _T:
        """Give the effort for this kind of run."""
        return quick if self.is_quick else full

    def new_directory(self) -> Path:
        """Make an empty directory that only we can read."""
        self._directories += 1
        path = self._root / str(self._directories)
        path.mkdir(mode=0o700)
        return path

    def say(self, text: str) -> None:
        """Tell a waiting person what is being done."""
        print(text, file=sys.stderr, flush=True)

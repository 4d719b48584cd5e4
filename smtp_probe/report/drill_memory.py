"""The last report of each drill, kept in a file of the state directory: a drill may run once a day, and a restart must not
leave its metrics and its page empty until then.

In: reports. Out: the same reports after a restart. What cannot be read is told and left out; what cannot be written is told once for each
failure, and nothing waits for it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from smtp_probe.model import DrillReport

_log = logging.getLogger(__name__)
NAME = "drills.json"
_MOST_BYTES = 4_194_304
_REPORTS = TypeAdapter(
    tuple[DrillReport, ...], config=ConfigDict(defer_build=True)
)  # most have no drill to remember


class DrillMemory:
    """The file, in one state directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME

    def read(self) -> tuple[DrillReport, ...]:
        """Every report that was kept; none where there is no file, or none that can be read."""
        try:
            if self._path.stat().st_size > _MOST_BYTES:
                _log.warning("the results of earlier drills are left out: %s is too large", self._path)
                return ()
            return _REPORTS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            _log.warning("the results of earlier drills cannot be read: %s", error)
        except ValidationError:
            _log.warning("the results of earlier drills are left out: %s is not of this version", self._path)
        return ()

    def write(self, reports: Iterable[DrillReport]) -> None:
        """Keep these and no others. A kill at any instant leaves the old file or the new one."""
        draft = self._path.with_suffix(".new")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_REPORTS.dump_json(tuple(reports)))
            draft.replace(self._path)
        except OSError as error:
            _log.warning("the results of drills are not kept: %s", error)

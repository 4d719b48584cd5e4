"""The roles of a process, as the command line names them."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One part of the work; `all` is every one of them."""

    CONTROLLER = "controller"
    WORKER = "worker"
    WATCHER = "watcher"
    EXPORTER = "exporter"
    CHECKER = "checker"
    ALL = "all"

    @property
    def parts(self) -> frozenset[str]:
        """The single parts."""
        if self is Role.ALL:
            return frozenset(role.value for role in Role if role is not Role.ALL)
        return frozenset({self.value})

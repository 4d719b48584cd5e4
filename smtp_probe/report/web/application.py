"""What the pages need of the application, and nothing more."""

from __future__ import annotations

from typing import Protocol

from smtp_probe.config.settings import Config
from smtp_probe.report.archive import Archive
from smtp_probe.report.telemetry import Telemetry
from smtp_probe.report.web.checked import Checks


class Application(Protocol):
    """The application, as the server of its pages sees it."""

    @property
    def telemetry(self) -> Telemetry:
        """What is counted and shown."""
        ...

    @property
    def config(self) -> Config:
        """The configuration in use."""
        ...

    @property
    def archive(self) -> Archive:
        """What the journal has."""
        ...

    @property
    def checks(self) -> Checks:
        """What the checks of domains, exchangers, queue and drills found."""
        ...

    @property
    def is_lifecycle_enabled(self) -> bool:
        """Whether anything may be changed over HTTP (--web.enable-lifecycle)."""
        ...

    async def reload(self) -> None:
        """Load the configuration anew and use it. Raises ConfigError; then the old one stays in use."""
        ...

    async def probe_now(self, route: str) -> str | None:
        """Send a probe on a configured route, out of turn. Gives the reason why not, or None."""
        ...

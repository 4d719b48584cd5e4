"""The clock of one hop: the reference clock, made wrong on purpose.

In: the reference clock and the hop's settings. Out: instants in nanoseconds on the hop's own clock. Does not sleep
and sets no clock.
"""

from __future__ import annotations

from smtp_probe.demo.scenarios import HopSettings
from smtp_probe.ports import Clock


class HopClock:
    """Tells the time as one host believes it to be. The drift is counted from the making of this object."""

    def __init__(self, reference: Clock, settings: HopSettings) -> None:
        self._reference = reference
        self._offset_ns = round(settings.clock_offset_seconds * 1e9)
        self._drift = settings.clock_drift_ppm * 1e-6
        self._started_ns = reference.now_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, on this host's clock."""
        true_ns = self._reference.now_ns()
        return true_ns + self._offset_ns + round((true_ns - self._started_ns) * self._drift)

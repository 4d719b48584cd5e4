"""All that is counted and shown, put together: one object for the composition root to hold.

In: a configuration, events, the program's statements about itself. Out: the metrics page, and what the landing page
shows. Only wires; what each part does is told in its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.registry import Collector

"""Has the garbage collector leave alone what stands: a configuration of thousands of routes lives until the next one.

To look at all of it again stops a process for most of a second (10,000 routes, a busy machine), in which it begins no run.
"""

from __future__ import annotations

import gc


def leave_standing() -> None:
    """Throw away what nobody needs, and never look again at what is left; what comes later is looked at."""
    gc.collect()
    gc.freeze()

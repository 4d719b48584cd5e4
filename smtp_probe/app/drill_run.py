"""One drill now: for the command line. Uses the adapters of a program that neither watches nor sends anything else.

In: a configuration, the signing keys and the name of a drill. Out: a `DrillReport`. Where the daemon runs a drill at the same place
just then, nothing can listen there, and the report says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_probe.app.drills import Drills
from smtp_probe.app.program import Program
from smtp_probe.config.settings import Config
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import DrillReport
from smtp_probe.report.journal import IN_MEMORY


async def run_drill(config: Config, keys: Sequence[TagKey], name: str) -> DrillReport:
    """Run one drill of a configuration. Bounded by the drill's own deadline."""
    program = Program(config, keys, IN_MEMORY)
    drills = Drills(program.clock, keys, program.submitter, lambda _: None)
    drills.configure(config)
    try:
        return await drills.run_now(name)
    finally:
        await program.close()

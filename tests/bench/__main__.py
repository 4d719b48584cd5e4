"""The command line of the benchmarks: `python -m tests.bench [--json FILE] [--only NAME] [--quick]`, as root."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.lab.errors import LabError

from .clocks import measure_clocks
from .cpu import measure_cpu
from .domains import measure_domains
from .figures import Row
from .growth import measure_growth
from .history import measure_history
from .lag import measure_lag
from .machine import describe_machine, load_average
from .memory import measure_memory
from .pages import measure_pages
from .parts import measure_parts
from .rate import measure_rate
from .scrape import measure_scrape
from .site import Site
from .table import print_table, write_json

BENCHMARKS: Mapping[str, Callable[[Site], list[Row]]] = {
    "cpu": measure_cpu,
    "lag": measure_lag,
    "rate": measure_rate,
    "memory": measure_memory,
    "scrape": measure_scrape,
    "parts": measure_parts,
    "domains": measure_domains,
    "clocks": measure_clocks,
    "pages": measure_pages,
    "growth": measure_growth,
    "history": measure_history,
}
_FAILURES = (LabError, TimeoutError, OSError, AssertionError)
"""What a measurement raises when its servers or its daemon do not do their part."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write. Gives 0 when everything could be measured, met or not, and 1 otherwise."""
    options = _parse(arguments)
    machine = describe_machine()
    rows: list[Row] = []
    failed: list[str] = []
    with Site(is_quick=options.quick) as site:
        for name in options.only or BENCHMARKS:
            begun = time.monotonic()
            try:
                rows += BENCHMARKS[name](site)
            except _FAILURES as error:
                failed.append(name)
                site.say(f"{name} could not be measured: {type(error).__name__}: {error}")
            site.say(f"{name} took {time.monotonic() - begun:.0f} s")
    machine["load_average_after"] = load_average()
    print_table(rows)
    write_json(options.json, machine, rows, is_quick=options.quick, failed=failed)
    print(f"written to {options.json}")
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="measure this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: under two minutes")
    options = parser.parse_args(arguments)
    if options.json is None:
        options.json = Path("bench-results") / time.strftime("%Y%m%dT%H%M%SZ.json", time.gmtime())
    return options


if __name__ == "__main__":
    sys.exit(main())

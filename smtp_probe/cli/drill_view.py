"""A drill's report for people and for programs: lines for a terminal, and one JSON object.

In: a `DrillReport`, the width, the signs. Out: rich texts without line ends, or one line of JSON with the same keys always. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from smtp_probe.cli.domain_json import finding_to_dict
from smtp_probe.cli.domain_view import draw_finding, indented
from smtp_probe.cli.drawing import WIDEST
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.model import DrillReport, DrillResult
from smtp_probe.report.web.instants import instant

EXIT_CODES = {DrillResult.HEALTHY: 0, DrillResult.UNHEALTHY: 1, DrillResult.UNOBSERVED: 3}
_STYLES = {
    DrillResult.HEALTHY: "green",
    DrillResult.UNHEALTHY: "bold red",
    DrillResult.UNOBSERVED: "magenta",
}


def draw_report(report: DrillReport, width: int, glyphs: Glyphs) -> list[Text]:
    """The whole report, and one line that sums it up."""
    width = min(width, WIDEST)
    lines = [Text(f"{report.drill} ({report.kind.value} drill)", style="bold")]
    for title, words in report.facts.items():
        lines += indented(f"{title}: {words}", width, "")
    for finding in report.findings:
        lines += draw_finding(finding, width)
    for sentence in report.unobserved:
        lines += indented(f"not observed: {sentence}", width, "magenta")
    return [*lines, *_sum_up(report, glyphs)]


def report_to_json(report: DrillReport) -> str:
    """The whole report as one line, without a line end."""
    facts: dict[str, Any] = {
        "drill": report.drill,
        "kind": report.kind.value,
        "result": report.result.value,
        "exit_code": EXIT_CODES[report.result],
        "started_at": instant(report.started_ns),
        "duration_seconds": round(report.duration_seconds, 3),
        "findings": [finding_to_dict(finding) for finding in report.findings],
        "unobserved": list(report.unobserved),
        "facts": dict(report.facts),
        "attempts": [
            {
                "at": instant(attempt.at_ns),
                "receiver": attempt.desk.value,
                "peer": attempt.peer,
                "ehlo_name": attempt.ehlo_name,
                "tls": attempt.tls or None,
                "answer": attempt.answer,
            }
            for attempt in report.attempts
        ],
        "retry_intervals_seconds": [round(seconds, 3) for seconds in report.retry_intervals],
        "failover_seconds": None if report.failover_seconds is None else round(report.failover_seconds, 3),
        "trials": [
            {
                "check": trial.check,
                "step": trial.step or None,
                "code": None if trial.reply is None else trial.reply.code,
                "reply": None if trial.reply is None else str(trial.reply),
                "unobserved": trial.unobserved or None,
                "detail": trial.detail or None,
            }
            for trial in report.trials
        ],
    }
    return json.dumps(facts, ensure_ascii=True, allow_nan=False, separators=(", ", ": "))


def _sum_up(report: DrillReport, glyphs: Glyphs) -> Iterator[Text]:
    signs = {
        DrillResult.HEALTHY: glyphs.good,
        DrillResult.UNHEALTHY: glyphs.bad,
        DrillResult.UNOBSERVED: glyphs.unknown,
    }
    result = report.result
    yield Text.assemble(
        (f"{signs[result]} {result.value}", _STYLES[result]), f" after {report.duration_seconds:.1f} s"
    )

"""Dashboards, rules and metrics know each other: no name that is not exposed, and nothing exposed that nobody looks at."""

from __future__ import annotations

import re

from smtp_probe.report.metric import Kind
from smtp_probe.report.metrics import METRICS

from .boards import BOARDS, ROOT, variables

ELSEWHERE: dict[str, str] = {
    "smtp_probe_engine_info": "names a process; docs/engine.md says how to join it",
    "smtp_probe_engine_schedules": "for a look after a change; its time has an alert",
    "smtp_probe_engine_runs_total": "for a look; what was not sent is counted as a missed slot",
    "smtp_probe_engine_checking": "for a look; a queue that nobody looks into is down, which has an alert",
    "smtp_probe_engine_mailbox_groups": "for a look; a mailbox that nobody watches is down, which has an alert",
}
"""Metrics that no dashboard and no rule uses, each with the reason."""

OF_THE_CLIENT_LIBRARY = {
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
}
RULES = sorted((ROOT / "deploy" / "prometheus").rglob("*.y*ml"))

EXPOSED = {
    name
    for metric in METRICS
    for name in (
        [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")]
        if metric.kind is Kind.HISTOGRAM
        else [metric.name]
    )
}


def names(text: str) -> set[str]:
    """Metrics of ours in a text, without recorded ones (level:metric:operations)."""
    return set(re.findall(r"(?<![\w:/.-])(?:smtp_probe|process)_[a-z0-9_]+(?![\w:])", text))


def expressions(board) -> str:
    return "\n".join(
        [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        + [each["query"]["query"] for each in board["templating"]["list"] if each["type"] == "query"]
        + [each["expr"] for each in board["annotations"]["list"]]
    )


USED = {uid: names(expressions(board)) for uid, board in BOARDS.items()}


def test_dashboards_name_only_what_is_exposed():
    wrong = {uid: sorted(used - EXPOSED - OF_THE_CLIENT_LIBRARY) for uid, used in USED.items()}

    assert {uid: names for uid, names in wrong.items() if names} == {}


def test_what_is_exposed_is_looked_at():
    looked_at = set().union(*USED.values(), *(names(path.read_text()) for path in RULES))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in looked_at} | looked_at
    unused = {metric.name for metric in METRICS} - families

    assert unused == set(ELSEWHERE)


def test_rules_name_only_what_is_exposed():
    wrong = {path.name: sorted(names(path.read_text()) - EXPOSED - OF_THE_CLIENT_LIBRARY) for path in RULES}

    assert len(wrong) >= 2
    assert {name: found for name, found in wrong.items() if found} == {}


def test_alerts_lead_to_dashboards_with_the_variables_that_they_fill():
    links = re.findall(r"/d/([\w-]+)(\S*)", "\n".join(path.read_text() for path in RULES))

    assert links
    for uid, query in links:
        assert uid in BOARDS
        assert set(re.findall(r"var-(\w+)=", query)) <= set(variables(BOARDS[uid])), (uid, query)

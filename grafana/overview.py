"""Overview: is mail flowing, and if not, what is wrong?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from . import links
from .frame import OBJECTIVE, ROUTE, WINDOW, dashboard
from .links import BOUNCES, Link
from .panels import (
    ANY_IS_BAD,
    GREEN,
    GREY,
    ORANGE,
    RED,
    YELLOW,
    Column,
    Look,
    Query,
    graph,
    matrix,
    number,
    rows,
    timeline,
)
from .selectors import increase, quantile, select, usual
from .wrong import wrong_now

UID = "smtp-probe-overview"


def counted(name: str, window: str = "$window") -> str:
    """What a counter of routes counted, by route."""
    return f"sum by (route) ({increase(window, name, 'route')})"


JUDGED = f"({counted('probes_total')} - {counted('unobserved_total')})"
FAILED = counted("probe_failures_total")
STATE = (
    f"3 * ({counted('unobserved_total')} > bool 0.9 * {counted('probes_total')} and {counted('probes_total')} > 0) > 0"
    f" or (({FAILED} > bool 0) + ({FAILED} > bool 0.9 * {JUDGED}) and {JUDGED} > 0)"
)
BUDGET = (
    f"1 - (sum by (route) ({increase('30d', 'probe_failures_total', 'route')})"
    f" / (sum by (route) ({increase('30d', 'probes_total', 'route')})"
    f" - sum by (route) ({increase('30d', 'unobserved_total', 'route')}) > 0)) / (1 - $objective)"
)


def _by_place(name: str) -> str:
    """A count of one exporter, by route and vantage; exporters of one vantage count the same."""
    return f"max by (route, vantage) (sum by (instance, route, vantage) ({increase('$window', name, 'route', 'vantage!=')}))"


FROM_WHERE = f"({_by_place('probe_failures_total')} or 0 * {_by_place('probes_total')}) / ({_by_place('probes_total')} > 0)"


def build() -> Dashboard:
    """Give the dashboard."""
    level = {"3": ("now", RED), "2": ("today", ORANGE), "1": ("look", YELLOW)}
    there = Link("Show where", "${__data.fields.page:raw}", is_whole=True)
    wrong = rows(
        Look(
            "What is wrong now",
            "What does not work, in words, the worst first. Click a row to see where.",
            (Query(wrong_now()),),
            "none",
            nothing="Nothing is wrong.",
            width=14,
            height=9,
        ),
        (
            Column("Value", "urgent", words=level),
            Column("problem", "what", links=(there,)),
            Column("subject", "of what", links=(there,)),
            Column("instance", "seen by"),
            Column("page", "page", hidden=True),
        ),
        sort="urgent",
    )
    ratio_steps = ((None, RED), (0.95, ORANGE), (0.99, YELLOW), (0.999, GREEN))
    ratio = f"1 - sum({FAILED}) / sum({JUDGED} > 0)"
    budget_steps = ((None, RED), (0.0001, ORANGE), (0.25, YELLOW), (0.5, GREEN))
    slow = ((None, GREEN), (60, YELLOW), (300, RED))
    states = {
        "0": ("flows", GREEN),
        "1": ("some fail", ORANGE),
        "2": ("all fail", RED),
        "3": ("not observed", GREY),
    }
    return dashboard(
        UID,
        "smtp-probe / Overview",
        "Is mail flowing? If not: what is wrong, in words, and where to look next.",
        (
            (
                number(
                    Look(
                        "Arrived in time",
                        "Share of the observed probes of all routes that arrived by their deadline.",
                        (Query(ratio, "all routes"),),
                        "percentunit",
                        ratio_steps,
                        width=5,
                        height=4,
                        nothing="no probe judged",
                    )
                ),
                number(
                    Look(
                        "Routes that fail",
                        "Routes of which no observed probe arrived in time.",
                        (
                            Query(
                                f"count(({FAILED} > 0.9 * {JUDGED}) and {FAILED} > 0) or 0 * count({JUDGED})",
                                "routes",
                            ),
                        ),
                        "none",
                        ANY_IS_BAD,
                        width=5,
                        height=4,
                        nothing="no route",
                    )
                ),
                number(
                    Look(
                        "On their way",
                        "Messages that have been sent and have not ended.",
                        (Query(f"sum({select('messages_in_flight', 'route')})", "messages"),),
                        "none",
                        width=5,
                        height=4,
                    ),
                    spark=True,
                ),
                number(
                    Look(
                        "Oldest on its way",
                        "Age of the oldest message that has not ended.",
                        (
                            Query(
                                f"max(time() - {select('oldest_in_flight_timestamp_seconds', 'route')})",
                                "age",
                            ),
                        ),
                        "s",
                        ((None, GREEN), (300, YELLOW), (3600, RED)),
                        width=5,
                        height=4,
                        nothing="none",
                    )
                ),
                number(
                    Look(
                        "Probers that answer",
                        "Probers whose last scrape worked. What cannot be scraped cannot be trusted.",
                        (Query('sum(up{job=~"$job",instance=~"$instance"})', "up"),),
                        "none",
                        ((None, RED), (1, GREEN)),
                        links=(links.PROBER,),
                        width=4,
                        height=4,
                        nothing="none",
                    )
                ),
            ),
            (
                wrong,
                timeline(
                    Look(
                        "State of each route",
                        "How the probes of each route ended over the time chosen above; grey is where nothing could be observed.",
                        (Query(STATE, "{{route}}"),),
                        "none",
                        ((None, GREEN), (1, ORANGE), (2, RED), (3, GREY)),
                        links=(links.ROUTE,),
                        words=states,
                        width=10,
                        height=9,
                    )
                ),
            ),
            (
                graph(
                    Look(
                        "Half of the messages arrive within",
                        "Median delivery time against the usual one (dashed: the same hour in past weeks). Above it for long: something has become slow.",
                        (
                            Query(
                                quantile(0.5, "$window", "delivery_duration_seconds", "route"),
                                "{{route}}",
                                exemplar=True,
                            ),
                            Query(usual(0.5, "delivery_duration_seconds", "route"), "{{route}} usual"),
                        ),
                        "s",
                        slow,
                        links=(links.ROUTE,),
                        least=0,
                    ),
                    dashed="B",
                ),
                graph(
                    Look(
                        "95 of 100 arrive within",
                        "The slow end of the delivery time against the usual one (dashed).",
                        (
                            Query(
                                quantile(0.95, "$window", "delivery_duration_seconds", "route"),
                                "{{route}}",
                                exemplar=True,
                            ),
                            Query(usual(0.95, "delivery_duration_seconds", "route"), "{{route}} usual"),
                        ),
                        "s",
                        slow,
                        links=(links.ROUTE,),
                        least=0,
                    ),
                    dashed="B",
                ),
            ),
            (
                graph(
                    Look(
                        "Failures",
                        "Probes that failed, by route and reason.",
                        (
                            Query(
                                f"sum by (route, reason) ({increase('$window', 'probe_failures_total', 'route')}) > 0",
                                "{{route}}: {{reason}}",
                            ),
                        ),
                        "none",
                        links=(links.ROUTE, BOUNCES),
                        width=8,
                        least=0,
                        nothing="no failure",
                    ),
                    stacked=True,
                    bars=True,
                ),
                number(
                    Look(
                        "Budget left of 30 days",
                        "What is left of the failures that the objective allows in 30 days. Below zero it is spent.",
                        (Query(BUDGET, "{{route}}"),),
                        "percentunit",
                        budget_steps,
                        links=(links.ROUTE,),
                        width=8,
                    )
                ),
                graph(
                    Look(
                        "On their way, by route",
                        "Messages in flight. A line that climbs is mail that is sent and does not arrive.",
                        (Query(f"sum by (route) ({select('messages_in_flight', 'route')})", "{{route}}"),),
                        "none",
                        links=(links.ROUTE,),
                        width=8,
                        least=0,
                    )
                ),
            ),
            (
                matrix(
                    Look(
                        "Broken from here, or everywhere?",
                        "Share of probes that failed, by the place that they were sent from (engine.vantages). A row that is red "
                        "throughout is the receiving side, or the way to it; one red field is the network or the address of that place.",
                        (Query(FROM_WHERE),),
                        "percentunit",
                        ((None, GREEN), (0.1, YELLOW), (0.5, RED)),
                        links=(links.ROUTE.of_row("route"),),
                        width=24,
                        height=9,
                        nothing="one place only",
                    ),
                    row="route",
                    column="vantage",
                ),
            ),
        ),
        (ROUTE, WINDOW, OBJECTIVE),
    )

"""Hops and path: which server is slow, and which way does mail take?"""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.dashboard import Dashboard

from .frame import HOP, ROUTE, WINDOW, dashboard
from .links import HOP as TO_HOP
from .links import ROUTE as TO_ROUTE
from .panels import (
    ANY_IS_ODD,
    GREEN,
    RED,
    YELLOW,
    Column,
    Look,
    Query,
    bars,
    graph,
    graph_of_nodes,
    matrix,
    rows,
)
from .selectors import increase, quantile, select, usual

UID = "smtp-probe-hops"
POSITIONS = 8
"""Hops whose order the graph of the path draws; at the default detail a route shows three."""

HOPS = f"max by (route, hop, by) ({select('hop_last_duration_seconds', 'route', 'hop!=rest')})"


def _at(position: int) -> str:
    return f"max by (route, hop, by) ({select('hop_last_duration_seconds', 'route', f'hop={position}')})"


def predecessors() -> str:
    """Give each hop with the name of the one after it: the next position, or the store after the last."""
    count = f"max by (route) ({select('hops', 'route')})"
    after = [f'label_replace({_at(place)}, "next", "{place + 1}", "", "")' for place in range(1, POSITIONS)]
    before_store = [
        f'label_replace({_at(place)} and on (route) ({count} == {place}), "next", "store", "", "")'
        for place in range(1, POSITIONS + 1)
    ]
    return " or ".join((*after, *before_store))


def edges() -> str:
    """Give the edges of the path's graph: from the hop before, or from the route where that one is not shown."""
    source = f'label_replace(label_replace({predecessors()}, "source", "$1", "by", "(.+)"), "hop", "$1", "next", "(.+)")'
    known = f"sum by (route, hop, source) ({source})"
    chained = f"{HOPS} * on (route, hop) group_left (source) ({known} ^ 0)"
    first = f'label_replace({HOPS} unless on (route, hop) {known}, "source", "$1", "route", "(.+)")'
    named = f'label_replace({chained} or {first}, "target", "$1", "by", "(.+)")'
    return f'label_join({named}, "id", " ", "route", "hop")'


def nodes() -> str:
    """Give the nodes: each route, with its delivery time, and each host, with the longest time it took."""
    hosts = f'label_replace(max by (by) ({HOPS}), "id", "$1", "by", "(.+)")'
    routes = f"max by (route) ({select('last_delivery_duration_seconds', 'route')})"
    both = f'{hosts} or label_replace({routes}, "id", "$1", "route", "(.+)")'
    return f'label_replace(max by (id) ({both}), "title", "$1", "id", "(.+)")'


def build() -> Dashboard:
    """Give the dashboard."""
    slow = ((None, GREEN), (10, YELLOW), (60, RED))
    names = {"Value #A": "mainstat", "Value #B": "mainstat"}
    shown = [
        model.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names},
        )
    ]
    offset = f"max by (by) ({select('hop_clock_offset_seconds', 'by')})"
    bound = f"max by (by) ({select('hop_clock_offset_bound_seconds', 'by')})"
    return dashboard(
        UID,
        "smtp-probe / Hops and path",
        "Which server is slow, which way does mail take, whose clock is wrong, and who takes mail in plaintext?",
        (
            (
                bars(
                    Look(
                        "Which server is slow now?",
                        "Longest time of a hop of the last messages, by the host that took the message in.",
                        (
                            Query(
                                f"topk(12, max by (by) ({select('hop_last_duration_seconds', 'route', 'by')}))",
                                "{{by}}",
                            ),
                        ),
                        "s",
                        slow,
                        links=(TO_HOP,),
                        width=8,
                        height=10,
                        least=0,
                    )
                ),
                matrix(
                    Look(
                        "Hops by route",
                        "Time of each hop of the last message: a red column is one slow server, a red row one slow route.",
                        (
                            Query(
                                f"sum by (route, by) ({select('hop_last_duration_seconds', 'route', 'by')})"
                            ),
                        ),
                        "s",
                        slow,
                        width=16,
                        height=10,
                    ),
                    row="route",
                    column="by",
                ),
            ),
            (
                graph(
                    Look(
                        "Hops, 95 of 100 within",
                        "Time of each hop over all routes, by host, against the usual (dashed).",
                        (
                            Query(quantile(0.95, "$window", "hop_duration_seconds", "by", by="by"), "{{by}}"),
                            Query(usual(0.95, "hop_duration_seconds", "by", by="by"), "{{by}} usual"),
                        ),
                        "s",
                        slow,
                        links=(TO_HOP,),
                        least=0,
                        height=9,
                    ),
                    dashed="B",
                ),
                graph_of_nodes(
                    Look(
                        "Path of the last messages",
                        "From each route through the hosts that took the most of its time, in their order, to the store. Edges: time of the hop.",
                        (Query(nodes()), Query(edges())),
                        "s",
                        links=(),
                        height=9,
                    ),
                    shown,
                ),
            ),
            (
                graph(
                    Look(
                        "Another path than before",
                        "Arrivals that came another way than the one before them.",
                        (
                            Query(
                                f"sum by (route) ({increase('$window', 'path_changes_total', 'route')})",
                                "{{route}}",
                            ),
                        ),
                        "none",
                        ANY_IS_ODD,
                        links=(TO_ROUTE,),
                        width=8,
                        least=0,
                    ),
                    bars=True,
                ),
                rows(
                    Look(
                        "Paths now",
                        "Fingerprint of each route's last path, and whether its lowest Received line is that of the server we spoke to.",
                        (Query(f"max by (route, path, origin) ({select('path_info', 'route')})"),),
                        "none",
                        width=8,
                    ),
                    (
                        Column("route", "route", links=(TO_ROUTE.of_row("route"),)),
                        Column("path", "path"),
                        Column(
                            "origin",
                            "lowest line",
                            words={
                                "confirmed": ("confirmed", GREEN),
                                "missing": ("missing", RED),
                                "above": ("lines beneath it", YELLOW),
                            },
                        ),
                    ),
                    sort="route",
                    descending=False,
                ),
                rows(
                    Look(
                        "Encryption of each host",
                        "Whether it took the last message over TLS. Plaintext in the leg 'transport' is mail from outside, open to all.",
                        (Query(f"min by (by, leg) ({select('hop_tls', 'by')})"),),
                        "none",
                        width=8,
                        nothing="no host says",
                    ),
                    (
                        Column("by", "taken by", links=(TO_HOP.of_row("taken by"),)),
                        Column("leg", "leg"),
                        Column("Value", "over", words={"0": ("plaintext", RED), "1": ("TLS", GREEN)}),
                    ),
                    sort="over",
                    descending=False,
                ),
            ),
            (
                graph(
                    Look(
                        "Clocks of hosts",
                        "How far each clock is ahead of ours (below zero: behind). Dashed: how far at most the truth is from it.",
                        (Query(offset, "{{by}}"), Query(bound, "{{by}} give or take")),
                        "s",
                        links=(TO_HOP,),
                    ),
                    dashed="B",
                ),
                graph(
                    Look(
                        "Clocks that were set",
                        "Steps of the hosts' clocks.",
                        (
                            Query(
                                f"sum by (by) ({increase('$window', 'hop_clock_steps_total', 'by')})",
                                "{{by}}",
                            ),
                        ),
                        "none",
                        ANY_IS_ODD,
                        links=(TO_HOP,),
                        least=0,
                    ),
                    bars=True,
                ),
            ),
        ),
        (ROUTE, HOP, WINDOW),
    )

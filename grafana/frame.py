"""What all dashboards share: uid and tags, the variables in their order, links, annotations, and the grid."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.models import dashboard as model

from .panels import SOURCE
from .selectors import increase, select

TAG = "smtp-probe"
WIDTH = 24


class UnevenRowError(ValueError):
    """A row of panels that is not 24 wide, or not of one height."""


Row = Sequence[model.Panel]


def source_variable() -> model.VariableModel:
    """Where the metrics are."""
    return model.VariableModel(
        type_val=model.VariableType.DATASOURCE, name="datasource", label="Data source", query="prometheus"
    )  # fmt: skip


def variable(
    name: str, metric: str, *labels: str, label: str = "", single: bool = False
) -> model.VariableModel:
    """Values of a label that a metric has, of the jobs and instances chosen before."""
    query = f"label_values({metric if '{' in metric else select(metric, *labels)}, {label or name})"
    return model.VariableModel(
        type_val=model.VariableType.QUERY,
        name=name,
        label=name,
        datasource=SOURCE,
        query={"qryType": 1, "query": query, "refId": f"variable-{name}"},
        definition=query,
        refresh=model.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=model.VariableSort.ALPHABETICAL_ASC,
        multi=not single,
        include_all=not single,
        all_value=".+",
    )


def choice(name: str, label: str, values: Sequence[str], default: str) -> model.VariableModel:
    """One of a few fixed values."""
    return model.VariableModel(
        type_val=model.VariableType.CUSTOM,
        name=name,
        label=label,
        query=",".join(values),
        current=model.VariableOption(selected=True, text=default, value=default),
        options=[model.VariableOption(selected=each == default, text=each, value=each) for each in values],
    )


JOB = variable("job", 'smtp_probe_build_info{job=~".+"}')
INSTANCE = variable("instance", 'smtp_probe_build_info{job=~"$job"}')
ROUTE = variable("route", "interval_seconds")
ONE_ROUTE = variable("route", "interval_seconds", single=True)
HOP = variable("hop", "hop_last_duration_seconds", "route", label="by")
WINDOW = choice("window", "Counted over", ("5m", "15m", "1h", "6h", "1d"), "1h")
OBJECTIVE = choice("objective", "Objective", ("0.95", "0.99", "0.995", "0.999"), "0.99")


def _annotation(name: str, colour: str, expr: str, title: str, text: str) -> model.AnnotationQuery:
    return model.AnnotationQuery(
        name=name,
        datasource=SOURCE,
        enable=True,
        icon_color=colour,
        expr=expr,
        title_format=title,
        text_format=text,
        step="30s",
    )


ANNOTATIONS = (
    _annotation(
        "Firing alerts", "red", 'ALERTS{alertname=~"SmtpProbe.+",alertstate="firing"} > 0',
        "{{alertname}}", "{{route}} {{domain}} {{queue}} {{mailbox}} {{instance}}",
    ),
    _annotation(
        "Path changes", "purple", f"sum by (route) ({increase('$__rate_interval', 'path_changes_total')}) > 0",
        "Another path", "{{route}}",
    ),
    _annotation(
        "Reloads", "blue",
        f"changes({select('config_last_reload_success_timestamp_seconds')}[$__rate_interval]) > 0",
        "Configuration loaded", "{{instance}}",
    ),
    _annotation(
        "Clock steps of the prober", "orange", f"abs(delta({select('clock_step_seconds')}[$__rate_interval])) > 0.5",
        "Our clock was set", "{{instance}}",
    ),
    _annotation(
        "Clock steps of hosts", "yellow",
        f"sum by (by) ({increase('$__rate_interval', 'hop_clock_steps_total')}) > 0",
        "Its clock was set", "{{by}}",
    ),
)  # fmt: skip


def dashboard(
    uid: str,
    title: str,
    question: str,
    rows: Sequence[Row],
    variables: Sequence[model.VariableModel],
) -> model.Dashboard:
    """Put rows of panels together; each row is as high as its highest panel, and 24 wide."""
    made = model.Dashboard()
    made.uid, made.title, made.description, made.tags = uid, title, question, [TAG]
    made.editable, made.timezone, made.refresh = False, "browser", "1m"
    made.graph_tooltip = model.DashboardCursorSync.CROSSHAIR
    made.time = model.DashboardDashboardTime(from_val="now-6h", to="now")
    made.templating = model.DashboardDashboardTemplating(
        list_val=[source_variable(), JOB, INSTANCE, *variables]
    )
    made.annotations = model.AnnotationContainer(list_val=list(ANNOTATIONS))
    made.links = [
        model.DashboardLink(
            title="smtp-probe", type_val=model.DashboardLinkType.DASHBOARDS, icon="external link", tags=[TAG],
            as_dropdown=True, include_vars=True, keep_time=True,
        )
    ]  # fmt: skip
    made.panels = list(_placed(rows))
    return made


def _placed(rows: Sequence[Row]) -> list[model.Panel]:
    found: list[model.Panel] = []
    top = 0
    for row in rows:
        left = 0
        height = 0
        for panel in row:
            assert panel.grid_pos is not None
            panel.grid_pos.x, panel.grid_pos.y = left, top
            left += panel.grid_pos.w
            height = max(height, panel.grid_pos.h)
            panel.id_val = len(found) + 1
            found.append(panel)
        if left != WIDTH or any(panel.grid_pos and panel.grid_pos.h != height for panel in row):
            raise UnevenRowError(row[0].title)
        top += height
    return found

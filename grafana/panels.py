"""Panels: one function for each kind, which takes the question it answers, its queries, unit, thresholds and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    nodegraph,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import prometheus as queries
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .links import Link

SOURCE = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"

Steps = Sequence[tuple[float | None, str]]
PLAIN: Steps = ((None, BLUE),)
"""For a measure that has no bad value of its own: it is read against its past or its neighbour."""
ANY_IS_BAD: Steps = ((None, GREEN), (1e-9, RED))
ANY_IS_ODD: Steps = ((None, GREEN), (1e-9, YELLOW))
UP_OR_NOT: Steps = ((None, RED), (1, GREEN))


@dataclass(frozen=True)
class Query:
    """A query and the legend of its series."""

    expr: str
    legend: str = "__auto"
    exemplar: bool = False


@dataclass(frozen=True)
class Look:
    """What all kinds of panels have in common."""

    title: str
    question: str
    queries: Sequence[Query]
    unit: str
    thresholds: Steps = PLAIN
    links: Sequence[Link] = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Values told in words: the text and the colour."""
    ranges: Sequence[tuple[float, float, str, str]] = ()
    """Ranges of values told in words."""
    nothing: str = "nothing to show"
    """What the panel says when there is no data: in itself an answer, often the good one."""
    least: float | None = None
    most: float | None = None
    width: int = 12
    height: int = 8


class Builder(Protocol):
    """What the builders of the SDK have in common."""

    def build(self) -> model.Panel:
        """Give the panel."""


def _finish(
    builder: Builder, look: Look, form: PromQueryFormat | None = None, *, instant: bool = False
) -> model.Panel:
    panel = builder.build()
    panel.title, panel.description, panel.datasource = look.title, look.question, SOURCE
    panel.grid_pos = model.GridPos(w=look.width, h=look.height)
    panel.targets = []
    for place, query in enumerate(look.queries):
        target = (
            queries.Dataquery().expr(query.expr).ref_id(chr(ord("A") + place)).legend_format(query.legend)
        )
        target = (target.instant() if instant else target.range()).exemplar(query.exemplar)
        built = (target.format(form) if form else target).datasource(SOURCE).build()
        panel.targets.append(built)
    panel.field_config = panel.field_config or model.FieldConfigSource()
    defaults = panel.field_config.defaults
    defaults.unit, defaults.no_value = look.unit, look.nothing
    defaults.min_val, defaults.max_val = look.least, look.most
    steps = [model.Threshold(value=value, color=colour) for value, colour in look.thresholds]
    defaults.thresholds = model.ThresholdsConfig(mode=model.ThresholdsMode.ABSOLUTE, steps=steps)
    defaults.links = [link.build() for link in look.links]
    defaults.mappings = _mappings(look)
    return panel


def _mappings(look: Look) -> list[model.ValueMapping]:
    found: list[model.ValueMapping] = []
    if look.words:
        told = {
            value: model.ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, (text, colour)) in enumerate(look.words.items())
        }
        found.append(model.ValueMap(options=told))
    for place, (first, last, text, colour) in enumerate(look.ranges):
        result = model.ValueMappingResult(text=text, color=colour, index=len(look.words) + place)
        found.append(
            model.RangeMap(options=model.DashboardRangeMapOptions(from_val=first, to=last, result=result))
        )
    return found


def _legend(*figures: str) -> common.VizLegendOptions:
    mode = shapes.LegendDisplayMode.TABLE if figures else shapes.LegendDisplayMode.LIST
    placement = shapes.LegendPlacement.BOTTOM
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(mode)
        .placement(placement)
        .calcs(list(figures))
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)


def graph(
    look: Look, *, stacked: bool = False, bars: bool = False, dashed: str = "", dashed_unit: str = ""
) -> model.Panel:
    """Draw lines over time, or stacked areas, or bars; the series of the query `dashed` as dashed lines over them."""
    panel = timeseries.Panel().legend(_legend("lastNotNull", "max")).tooltip(_tooltip())
    panel = panel.fill_opacity(60 if stacked or bars else 8).line_width(1)
    panel = panel.show_points(shapes.VisibilityMode.AUTO).span_nulls(False)
    if bars:
        panel = panel.draw_style(shapes.GraphDrawStyle.BARS)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if len(look.thresholds) > 1:
        style = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    built = _finish(panel, look)
    if dashed and built.field_config:
        built.field_config.overrides = [_dashed(dashed, dashed_unit or look.unit)]
    return built


def _dashed(query: str, unit: str) -> model.DashboardFieldConfigSourceOverrides:
    properties = {
        "custom.lineStyle": {"fill": "dash", "dash": [8, 6]},
        "custom.fillOpacity": 0,
        "custom.stacking": {"mode": "none", "group": "B"},
        "custom.drawStyle": "line",
        "unit": unit,
    }
    return model.DashboardFieldConfigSourceOverrides(
        matcher=model.MatcherConfig(id_val="byFrameRefID", options=query),
        properties=[model.DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()],
    )


def number(
    look: Look, *, words_only: bool = False, spark: bool = False, units: Mapping[str, str] | None = None
) -> model.Panel:
    """One value for each series, in large, on the colour of its threshold."""
    reduce = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")
    panel = stat.Panel().reduce_options(reduce).color_mode(shapes.BigValueColorMode.BACKGROUND)
    panel = panel.graph_mode(shapes.BigValueGraphMode.AREA if spark else shapes.BigValueGraphMode.NONE)
    panel = panel.text_mode(shapes.BigValueTextMode.NAME if words_only else shapes.BigValueTextMode.AUTO)
    built = _finish(panel, look, instant=not spark)
    if units and built.field_config:
        built.field_config.overrides = [
            model.DashboardFieldConfigSourceOverrides(
                matcher=model.MatcherConfig(id_val="byName", options=name),
                properties=[model.DynamicConfigValue(id_val="unit", value=unit)],
            )
            for name, unit in units.items()
        ]
    return built


def bars(look: Look) -> model.Panel:
    """One bar for each series."""
    reduce = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")
    panel = bargauge.Panel().reduce_options(reduce).orientation(shapes.VizOrientation.HORIZONTAL)
    panel = panel.display_mode(shapes.BarGaugeDisplayMode.BASIC).show_unfilled(True)
    return _finish(panel, look, instant=True)


def timeline(look: Look) -> model.Panel:
    """States over time, one line for each series."""
    panel = statetimeline.Panel().legend(_legend()).tooltip(_tooltip()).show_value(shapes.VisibilityMode.AUTO)
    return _finish(panel.merge_values(True).row_height(0.85).fill_opacity(80), look)


def heat(look: Look) -> model.Panel:
    """How often each bucket of a histogram was met, over time, with the probes behind it."""
    colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    colour = colour.exponent(0.5).fill("dark-orange")
    panel = heatmap.Panel().calculate(False).color(colour).cell_gap(1).show_legend()
    panel = panel.y_axis(heatmap.YAxisConfig().unit(look.unit).axis_placement(shapes.AxisPlacement.LEFT))
    panel = panel.exemplars_color("rgba(31,120,193,0.9)")
    return _finish(panel, look, PromQueryFormat.HEATMAP)


@dataclass(frozen=True)
class Column:
    """A column of a table: the label or the value that it shows, and how."""

    source: str
    title: str
    unit: str = ""
    steps: Steps = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    ranges: Sequence[tuple[float, float, str, str]] = ()
    links: Sequence[Link] = ()
    hidden: bool = False


def rows(look: Look, columns: Sequence[Column], *, sort: str = "", descending: bool = True) -> model.Panel:
    """Show one row for each series of instant queries, joined by their labels; only these columns, in this order."""
    panel = table.Panel().show_header(True).cell_height(shapes.TableCellHeight.SM)
    if sort:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)])
    built = _finish(panel, look, PromQueryFormat.TABLE, instant=True)
    built.transformations = _columns(columns, joined=len(look.queries) > 1)
    assert built.field_config is not None
    built.field_config.overrides = [
        model.DashboardFieldConfigSourceOverrides(
            matcher=model.MatcherConfig(id_val="byName", options=column.title),
            properties=_properties(column, look),
        )
        for column in columns
    ]
    return built


def _columns(columns: Sequence[Column], *, joined: bool) -> list[model.DataTransformerConfig]:
    names = [column.source for column in columns]
    chosen = model.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": names}})
    ordered = model.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {},
            "indexByName": {name: place for place, name in enumerate(names)},
            "renameByName": {column.source: column.title for column in columns},
        },
    )
    merge = [model.DataTransformerConfig(id_val="merge", options={})] if joined else []
    return [*merge, chosen, ordered]


def _properties(column: Column, look: Look) -> list[model.DynamicConfigValue]:
    found = []
    if column.hidden:
        found.append(model.DynamicConfigValue(id_val="custom.hidden", value=True))
    if column.unit:
        found.append(model.DynamicConfigValue(id_val="unit", value=column.unit))
    told = _mappings(replace(look, words=column.words, ranges=column.ranges))
    found.append(model.DynamicConfigValue(id_val="mappings", value=told))
    if column.steps:
        steps = [model.Threshold(value=value, color=colour) for value, colour in column.steps]
        mode = model.ThresholdsConfig(mode=model.ThresholdsMode.ABSOLUTE, steps=steps)
        found.append(model.DynamicConfigValue(id_val="thresholds", value=mode))
    if column.steps or column.words or column.ranges:
        found.append(
            model.DynamicConfigValue(
                id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"}
            )
        )
    links = [link.build() for link in column.links]
    found.append(model.DynamicConfigValue(id_val="links", value=links))
    return found


def matrix(look: Look, *, row: str, column: str) -> model.Panel:
    """Show the values of one query as a matrix of two labels."""
    panel = _finish(
        table.Panel().cell_height(shapes.TableCellHeight.SM), look, PromQueryFormat.TABLE, instant=True
    )
    options = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"}
    panel.transformations = [model.DataTransformerConfig(id_val="groupingToMatrix", options=options)]
    assert panel.field_config is not None
    panel.field_config.overrides = [
        model.DashboardFieldConfigSourceOverrides(
            matcher=model.MatcherConfig(id_val="byType", options="number"),
            properties=[
                model.DynamicConfigValue(
                    id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"}
                )
            ],
        )
    ]
    return panel


def graph_of_nodes(look: Look, transformations: Sequence[model.DataTransformerConfig]) -> model.Panel:
    """Draw the graph of two tables: the nodes (A) and the edges (B)."""
    panel = _finish(nodegraph.Panel(), look, PromQueryFormat.TABLE, instant=True)
    panel.transformations = list(transformations)
    return panel

"""Links from a panel to where its answer goes on; all keep the time range and the choices made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grafana_foundation_sdk.models import dashboard as model

KEPT_OF_ALL = "${__url_time_range}&${datasource:queryparam}&${job:queryparam}"
KEPT = f"{KEPT_OF_ALL}&${{instance:queryparam}}"
"""The time range and the variables that every dashboard has."""


@dataclass(frozen=True)
class Link:
    """A link to one of our dashboards, with a variable filled by a label of the series that was clicked."""

    title: str
    uid: str
    variable: str = ""
    label: str = ""
    kept: str = ""
    """A further variable whose choice goes along."""
    is_whole: bool = False
    """The uid is a text that has a variable filled already."""

    def of_row(self, column: str) -> Link:
        """Give the link for the row of a table."""
        value = from_row(column)
        return replace(self, title=self.title.replace(self.label, value), label=value)

    def build(self) -> model.DashboardLink:
        """Give what Grafana wants."""
        url = f"/d/{self.uid}{'&' if self.is_whole else '?'}{KEPT_OF_ALL if self.is_whole else KEPT}"
        if self.variable:
            url += f"&var-{self.variable}={self.label}"
        if self.kept:
            url += f"&${{{self.kept}:queryparam}}"
        return model.DashboardLink(title=self.title, type_val=model.DashboardLinkType.LINK, url=url)


def from_series(label: str) -> str:
    """The value of a label of the series clicked, in a graph."""
    return f"${{__field.labels.{label}}}"


def from_row(column: str) -> str:
    """The value of a column of the row clicked, in a table."""
    return f'${{__data.fields["{column}"]}}'


ROUTE = Link(
    "Where does the time of ${__field.labels.route} go?", "smtp-probe-route", "route", from_series("route")
)
HOP = Link(
    "Which messages pass ${__field.labels.by}?", "smtp-probe-hops", "hop", from_series("by"), kept="route"
)
PATHS = Link("Which way does ${__field.labels.route} take?", "smtp-probe-hops", "route", from_series("route"))
DOMAIN = Link(
    "What is wrong with ${__field.labels.domain}?", "smtp-probe-dns", "domain", from_series("domain")
)
QUEUE = Link("What is in ${__field.labels.queue}?", "smtp-probe-queue", "queue", from_series("queue"))
PROBER = Link("Can the prober see?", "smtp-probe-prober")
BOUNCES = Link("Bounces and queues", "smtp-probe-queue", kept="route")

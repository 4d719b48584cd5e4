"""The paths of the pages, and what is asked of whom for each.

In: requests. Out: pages. What a request says chooses among what is configured or recorded; it is never an address to
go to. A page that does not exist, or a journal that cannot be read, is said on a page too.
"""

from __future__ import annotations

from aiohttp import web

from smtp_probe.report.archive import ROUTE_PROBES, ArchiveError
from smtp_probe.report.history import State
from smtp_probe.report.web.answers import Workshop, page_answer
from smtp_probe.report.web.application import Application
from smtp_probe.report.web.badge import render_badge
from smtp_probe.report.web.checked import PARTS, view_part
from smtp_probe.report.web.feed import render_feed
from smtp_probe.report.web.live import name_of_now
from smtp_probe.report.web.masked import show_config
from smtp_probe.report.web.overview import Overview, view_overview, view_row
from smtp_probe.report.web.probe_view import view_probe
from smtp_probe.report.web.rendering import ASSETS, render
from smtp_probe.report.web.route_view import take_route_page
from smtp_probe.report.web.snapshot import Filter, Snapshot, find_route, take_snapshot
from smtp_probe.report.web.views import ObserverView, ProbeView
from smtp_probe.report.web.waterfall import submission_waterfall, way_waterfall

_LONGEST_WORDS = 100


class Site:
    """The pages of one application. `base` is their path with a slash at its end, `base_url` what others call it."""

    def __init__(self, application: Application, workshop: Workshop, base: str, base_url: str) -> None:
        self._application = application
        self._workshop = workshop
        self._base = base
        self._base_url = base_url

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take over the paths."""
        for path, handler in (
            ("", self._overview),
            ("routes/{name}", self._route),
            ("probes/{probe_id}", self._probe),
            ("domains/{name}", self._domain),
            (f"{{part:{'|'.join(PARTS)}}}", self._part),
            ("config", self._config),
            ("badge/{name}.svg", self._badge),
            ("feed.atom", self._feed),
            ("assets/{name}", self._asset),
        ):
            router.add_get(self._base + path, handler)
        if self._base != "/":
            for path in ("/", self._base.rstrip("/")):
                router.add_get(path, self._lead_in)

    async def _lead_in(self, _: web.Request) -> web.StreamResponse:
        """Who leaves the prefix out, or the slash at its end, is led to the pages."""
        return web.Response(status=302, headers={"Location": self._base})

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        wanted, label = read_filter(request)
        application, seen = self._application, name_of_now(self._application)
        snapshot = take_snapshot(application.telemetry, application.config, application.checks, wanted)
        html = await self._workshop.render(self._render_overview, snapshot, wanted, label, seen)
        return page_answer(html)

    def _render_overview(self, snapshot: Snapshot, wanted: Filter, label: str, seen: str) -> str:
        overview = view_overview(snapshot)
        headline, mood = say_overall(overview)
        return render(
            "overview.html", base=self._base, seen=seen, overview=overview, wanted=wanted,
            wanted_label=label, headline=headline, mood=mood,
        )  # fmt: skip

    async def _route(self, request: web.Request) -> web.StreamResponse:
        config, seen = self._application.config, name_of_now(self._application)
        found = find_route(self._application.telemetry, config, request.match_info["name"])
        if found is None:
            return await self._nothing("There is no route of this name.")
        row = view_row(found)
        past = await self._application.archive.route_past(row.view.name)
        page = await self._workshop.render(take_route_page, row.view, config, past)
        return await self._page("route.html", seen=seen, page=page, row=row, recent_limit=ROUTE_PROBES)

    async def _probe(self, request: web.Request) -> web.StreamResponse:
        seen = name_of_now(self._application)
        record = await self._application.archive.probe(request.match_info["probe_id"][:100])
        if record is None:
            return await self._nothing("There is no probe of this id, or it is not kept any more.")
        html = await self._workshop.render(
            self._render_probe, view_probe(record, self._application.checks.queued), seen
        )
        return page_answer(html)

    def _render_probe(self, probe: ProbeView, seen: str) -> str:
        drawings = {"way": way_waterfall(probe), "submission": submission_waterfall(probe)}
        return render("probe.html", base=self._base, here="none", seen=seen, probe=probe, **drawings)

    async def _part(self, request: web.Request) -> web.StreamResponse:
        part = view_part(self._application.checks, request.match_info["part"])
        return await self._page("part.html", here=part.part, part=part)

    async def _domain(self, request: web.Request) -> web.StreamResponse:
        part = view_part(self._application.checks, "domains")
        name = request.match_info["name"].lower()
        subject = next((subject for subject in part.subjects if subject.name.lower() == name), None)
        if subject is None:
            return await self._nothing("No domain of this name is looked at.")
        return await self._page("subject.html", here="domains", subject=subject)

    async def _config(self, _: web.Request) -> web.StreamResponse:
        text = await self._workshop.render(show_config, self._application.config)
        return await self._page("config.html", here="config", text=text)

    async def _badge(self, request: web.Request) -> web.StreamResponse:
        application = self._application
        found = find_route(application.telemetry, application.config, request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(reason="no route of this name")
        # A badge is made to be shown on other sites' pages.
        headers = {"Cross-Origin-Resource-Policy": "cross-origin"}
        return web.Response(
            text=render_badge(view_row(found).view), content_type="image/svg+xml", headers=headers
        )

    async def _feed(self, _: web.Request) -> web.StreamResponse:
        telemetry = self._application.telemetry
        changes, started_ns = telemetry.history.changes(), telemetry.observations.started_ns
        feed = await self._workshop.render(render_feed, changes, self._base_url, started_ns)
        return web.Response(body=feed, content_type="application/atom+xml", charset="utf-8")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        content, content_type = ASSETS.get(request.match_info["name"], (None, ""))
        if content is None:
            raise web.HTTPNotFound(reason="no such file")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)

    async def _page(
        self, template: str, *, here: str = "", status: int = 200, **values: object
    ) -> web.Response:
        values.setdefault("seen", name_of_now(self._application))
        html = await self._workshop.render(render, template, base=self._base, here=here, **values)
        return page_answer(html, status)

    async def _nothing(self, text: str) -> web.StreamResponse:
        return await self._page("message.html", here="none", status=404, heading="Not found", text=text)

    async def unreadable(self, error: ArchiveError) -> web.StreamResponse:
        """Say that the journal cannot be read now."""
        return await self._page(
            "message.html", here="none", status=503, heading="The journal cannot be read", text=str(error)
        )


def read_filter(request: web.Request) -> tuple[Filter, str]:
    """Read which routes are asked for. What is not understood asks for nothing."""
    query = request.query
    state = query.get("state", "")
    label = query.get("label", "")[: 2 * _LONGEST_WORDS]
    name, equals, value = label.partition("=")
    wanted = Filter(
        state=state if state in tuple(State) else "",
        text=query.get("q", "")[:_LONGEST_WORDS].strip(),
        labels={name: value} if equals else {},
    )
    return wanted, label


def say_overall(overview: Overview) -> tuple[str, str]:
    """Say in one sentence how everything stands, and in which state that is."""
    counts = overview.view.counts
    total = sum(counts.values())
    blind = counts["unobserved"]

    def some(count: int, one: str, several: str) -> str:
        who = "The route" if total == 1 else f"{count} of {total} routes"
        return f"{who} {one if count == 1 else several}"

    if counts["failed"]:
        more = f", {blind} cannot be observed" if blind else ""
        return some(counts["failed"], "fails", "fail") + more, "failed"
    if blind:
        return some(blind, "cannot be observed", "cannot be observed"), "unobserved"
    if not _is_well(overview.view.observer):
        return "Our own side needs a look; no route is known to fail", "unobserved"
    if counts["waiting"]:
        return some(counts["waiting"], "has no result yet", "have no result yet"), "waiting"
    if not total:
        return "No route is configured", "waiting"
    return f"All {total} routes deliver" if total > 1 else "The route delivers", "good"


def _is_well(observer: ObserverView) -> bool:
    is_sighted = all(mailbox.is_watched for mailbox in observer.mailboxes)
    return observer.is_ready and is_sighted and observer.is_configuration_good

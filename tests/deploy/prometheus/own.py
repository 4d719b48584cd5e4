"""The trials of alerts that are no mere state, count or comparison: several series, or what one alert alone is about."""

from __future__ import annotations

from .cases import JOB, Count, Trial, series

ROUTE = {"route": "r"}
_INTERVAL = {series("interval_seconds", **ROUTE): "60x6000"}
_SINCE_BOOT = {f"process_start_time_seconds{{{JOB}}}": "0x6000"}


def failures(name: str, reason: str, enough: int, window: int = 60, hold: int = 0) -> Count:
    return Count(series(name, **ROUTE, reason=reason), enough, window, hold)


def stamps(name: str, near: int, bad: int, good: int, hold: int, **labels: str) -> list[Trial]:
    """A time stamp in the future, in days: that far ahead all the time, or coming near."""
    what = series(name, **labels)

    def at(days: float) -> str:
        return f"{days * 86_400}+60x{hold + 60}"

    return [
        Trial("fires", {what: at(bad)}, hold + 10, fires=True),
        Trial("does not fire just below", {what: at(near)}, hold + 10, fires=False),
        Trial(
            "one bad sample", {what: f"{at(good)} {at(bad).split('+')[0]} {at(good)}"}, hold + 10, fires=False
        ),
        Trial(
            "a restart", {what: f"{good * 86_400}x10 _x3 {good * 86_400}x{hold + 60}"}, hold + 10, fires=False
        ),
        Trial("nothing is known", {}, hold + 10, fires=False),
        Trial("a cold start", {what: f"_x10 {at(good)}"}, hold + 10, fires=False),
        Trial("recovers", {what: f"{bad * 86_400}x{hold + 20} {good * 86_400}x30"}, hold + 40, fires=False),
    ]


def old(name: str, seconds: int, hold: int, **labels: str) -> list[Trial]:
    """A time stamp in the past: it stands still and so grows old, or keeps moving on."""
    what, limit = series(name, **labels), seconds // 60
    long = limit + hold + 40
    return [
        Trial("fires", {what: f"0x{long}"}, limit + hold + 5, fires=True),
        Trial("does not fire just below", {what: f"0x{long}"}, limit - 1, fires=False),
        Trial("one event", {what: f"0x{limit + 2} {limit * 60}x{hold + 40}"}, limit + hold + 5, fires=False),
        Trial("a restart", {what: f"0+60x10 _x3 {13 * 60}+60x{long}"}, limit + hold + 5, fires=False),
        Trial("nothing is known", {}, limit + hold + 5, fires=False),
        Trial("a cold start", {what: f"_x10 600+60x{long}"}, limit + hold + 5, fires=False),
        Trial(
            "recovers",
            {what: f"0x{limit + hold + 10} {(limit + hold + 11) * 60}+60x40"},
            limit + hold + 40,
            fires=False,
        ),
    ]


def burn(failures: str, samples: int, *, fires: bool, name: str, probes: str, step: int) -> Trial:
    """One route, whose probes come in steadily."""
    kinds = {
        series("probes_total", **ROUTE): probes,
        series("unobserved_total", **ROUTE, reason="other"): f"0x{samples + 300}",
        series("probe_failures_total", **ROUTE, reason="overdue"): failures,
    }
    return Trial(name, kinds, samples * step, fires, step)


def budget(bad: float, near: float, good: int, failing: int, window: int, step: int = 1) -> list[Trial]:
    """A probe a minute, in samples of `step` minutes: `good` of them, then `failing` with such a share of failures.
    The longest `window` of the alert is in minutes.

    An outage fires; a little less, one loss, a restart and what is long past do not.
    """
    at, rest, long = good + failing, failing + 300, (window + 120) // step
    every = f"0+{step}x{at + 300}"
    wrong, little = bad * step, near * step

    def trial(
        name: str, failures: str, *, fires: bool = False, samples: int = at, probes: str = every
    ) -> Trial:
        return burn(failures, samples, fires=fires, name=name, probes=probes, step=step)

    return [
        trial("fires", f"0x{good} 0+{wrong:g}x{rest}", fires=True),
        trial("does not fire just below", f"0x{good} 0+{little:g}x{rest}"),
        trial("one lost message", f"0x{good} 1x{rest}", samples=good + 4),
        trial("a counter that begins anew", f"90x{good} 0x{rest}"),
        Trial("nothing is known", {}, at * step, fires=False, step=step),
        trial("a cold start", f"_x10 40x{at + 300}", probes=f"_x10 40+{step}x{at + 300}"),
        trial(
            "recovers",
            f"0+{wrong:g}x{failing} {wrong * failing:g}x{long}",
            samples=failing + (window + 60) // step,
            probes=f"0+{step}x{failing + long}",
        ),
        trial("no probe was judged", f"0x{at + 300}", probes=f"0x{at + 300}"),
    ]


def route_down() -> list[Trial]:
    success = series("last_success_timestamp_seconds", **ROUTE)
    failed = series("probe_failures_total", **ROUTE, reason="overdue")
    unseen = series("unobserved_total", **ROUTE, reason="mailbox_unwatched")

    def trial(
        name: str, last: str, failures: str, at: int, *, fires: bool, unobserved: str = "0x400"
    ) -> Trial:
        stands = {} if not last else {success: last}
        return Trial(name, {**_INTERVAL, **stands, failed: failures, unseen: unobserved}, at, fires)

    return [
        trial("fires", "0+60x30 1800x60", "0x30 0+1x60", 45, fires=True),
        trial("fires where no probe ever got through", "", "0x5 0+1x60", 30, fires=True),
        trial("does not fire just below", "0+60x30 1800x60", "0x30 0+1x60", 33, fires=False),
        trial("one lost message", "0+60x30 1800 1920+60x60", "0x30 1x60", 45, fires=False),
        trial("a counter that begins anew", "0+60x90", "90x30 0x60", 45, fires=False),
        Trial("nothing is known", {}, 45, fires=False),
        trial("a cold start", "", "_x5 40x60", 30, fires=False),
        trial("recovers", "0+60x30 1800x30 3660+60x60", "0x30 0+1x30 30x60", 75, fires=False),
        trial(
            "our own fault", "0+60x30 1800x60", "0x30 0+1x3 3x60", 45, fires=False, unobserved="0x30 0+1x60"
        ),
    ]


def stalled() -> list[Trial]:
    what = series("last_probe_timestamp_seconds", **ROUTE)
    beside = _INTERVAL | _SINCE_BOOT
    return [
        Trial("fires", {**beside, what: "0+60x20 1200x60"}, 40, fires=True),
        Trial("fires where none was ever sent", beside, 200, fires=True),
        Trial("does not fire just below", {**beside, what: "0+60x20 1200x60"}, 23, fires=False),
        Trial("one slot missed", {**beside, what: "0+60x20 1200 1320+60x60"}, 40, fires=False),
        Trial("a restart", {**beside, what: "0+60x20 _x3 1440+60x60"}, 40, fires=False),
        Trial("nothing is known", {}, 40, fires=False),
        Trial("a cold start", beside, 100, fires=False),
        Trial("recovers", {**beside, what: "0+60x20 1200x30 3060+60x60"}, 80, fires=False),
    ]


def absent() -> list[Trial]:
    up = f"up{{{JOB}}}"
    return [
        Trial("fires", {up: "1x10 0x30"}, 25, fires=True),
        Trial("fires where there never was one", {}, 10, fires=True),
        Trial("does not fire just below", {up: "1x10 0x4 1x30"}, 25, fires=False),
        Trial("one scrape lost", {up: "1x10 0 1x30"}, 25, fires=False),
        Trial("a restart", {up: "1x10 _x2 1x30"}, 25, fires=False),
        Trial("a cold start", {up: "_x3 1x30"}, 25, fires=False),
        Trial(
            "one of two is enough",
            {up: "1x40", 'up{job="smtp-probe",instance="other:10925"}': "0x40"},
            25,
            fires=False,
        ),
        Trial("recovers", {up: "0x20 1x30"}, 40, fires=False),
    ]


def bounced() -> list[Trial]:
    what = series("bounces_total", **ROUTE, status_class="5", category="policy")
    up = series("build_info")
    return [
        Trial("fires", {what: "3x90 4 5x60"}, 95, fires=True),
        Trial("fires for a kind that is new", {what: "_x90 1 2x60", up: "1x160"}, 95, fires=True),
        Trial("does not fire just below", {what: "3x90 4x60"}, 95, fires=False),
        Trial("one message of a new kind", {what: "_x90 1x60", up: "1x160"}, 95, fires=False),
        Trial("a counter that begins anew", {what: "9x90 0x60"}, 95, fires=False),
        Trial("nothing is known", {}, 95, fires=False),
        Trial("a cold start", {what: "_x5 40x90", up: "_x5 1x90"}, 30, fires=False),
        Trial(
            "back after more than an hour", {what: "9x20 _x70 9x60", up: "1x20 _x70 1x60"}, 95, fires=False
        ),
        Trial("recovers", {what: "3x90 4 5x120", up: "1x220"}, 180, fires=False),
    ]


def placement(junk: str, inbox: str, samples: int, *, name: str, fires: bool = False, step: int = 5) -> Trial:
    placed = {"junk": junk, "inbox": inbox}
    kinds = {series("placement_total", **ROUTE, placement=key): text for key, text in placed.items()}
    return Trial(name, kinds, samples * step, fires, step)


def junked() -> list[Trial]:
    return [
        placement("0x12 0+0.5x120", "0+0.5x12 6x120", 100, fires=True, name="fires"),
        placement("0x12 0+0.5x120", "0+0.55x140", 100, name="does not fire just below"),
        placement("0x12 1x120", "0x140", 14, name="one message"),
        placement("90x12 0x120", "0x140", 40, name="a counter that begins anew"),
        Trial("nothing is known", {}, 200, fires=False, step=5),
        placement("_x12 40x120", "_x12 40x120", 40, name="a cold start"),
        placement("0+0.5x20 10x180", "0x20 0+0.5x180", 140, name="recovers"),
    ]


def placement_worse() -> list[Trial]:
    def trial(name: str, junk: str, inbox: str, samples: int, *, fires: bool = False) -> Trial:
        return placement(junk, inbox, samples, name=name, fires=fires, step=30)

    return [
        trial("fires", "0x134 0+3x40", "0+3x134 402+1.5x40", 147, fires=True),
        trial("does not fire just below", "0x134 0+0.15x40", "0+3x174", 147),
        trial("one message", "0x134 1x40", "0+0.03x174", 147),
        trial("a counter that begins anew", "90x134 0x40", "0+3x174", 147),
        Trial("nothing is known", {}, 4000, fires=False, step=30),
        trial("a cold start", "_x10 40x40", "_x10 40x40", 20),
        trial("recovers", "0x67 0+3x4 12x100", "0+3x171", 134),
    ]


def queue_growing() -> list[Trial]:
    held, grows = (
        series("queue_messages", queue="out", state="deferred"),
        series("queue_growth_messages_per_second", queue="out"),
    )

    def trial(name: str, count: str, growth: str, at: int, *, fires: bool) -> Trial:
        return Trial(name, {held: count, grows: growth}, at, fires)

    return [
        trial("fires", "500x100", "0x10 0.5x90", 60, fires=True),
        trial("does not fire just below", "90x100", "0.5x100", 60, fires=False),
        trial("one bad sample", "500x100", "0x10 0.5 0x90", 60, fires=False),
        trial("a restart", "500x10 _x3 500x90", "0x10 _x3 0x90", 60, fires=False),
        Trial("nothing is known", {}, 60, fires=False),
        trial("a cold start", "_x10 500x90", "_x10 0x90", 60, fires=False),
        trial("recovers", "500x100", "0.5x50 0x50", 70, fires=False),
    ]


def vantages(*, everywhere: bool) -> list[Trial]:
    """A route from two places, a probe a minute from each; `failures` are those of the first and the second place."""

    def trial(
        title: str, failures: tuple[str, str], at: int, *, fires: bool, probes: str = "0+1x200"
    ) -> Trial:
        samples: dict[str, str] = {}
        for vantage, failed in zip(("fra", "nyc"), failures, strict=True):
            labels = {**ROUTE, "vantage": vantage}
            samples[series("probes_total", **labels)] = probes
            samples[series("unobserved_total", **labels, reason="other")] = "0x200"
            samples[series("probe_failures_total", **labels, reason="refused")] = failed
        return Trial(title, samples, at, fires)

    all_fail, none_fails, few = "0+1x200", "0x200", "0x60 1x140"
    broken, other = (all_fail, all_fail), (all_fail, none_fails)
    if not everywhere:
        broken, other = other, broken
    recovers = tuple("0+1x60 60x140" if each == all_fail else each for each in broken)
    return [
        trial("fires", broken, 90, fires=True),
        trial("does not fire just below: the other of the two", other, 90, fires=False),
        trial("one lost probe", (few, few if everywhere else none_fails), 70, fires=False),
        trial("a restart", ("90x60 0x140", "90x60 0x140"), 90, fires=False, probes="0+1x60 0+1x140"),
        Trial("nothing is known", {}, 90, fires=False),
        trial("a cold start", (none_fails, none_fails), 40, fires=False, probes="_x30 0+1x170"),
        trial("recovers", (recovers[0], recovers[1]), 150, fires=False),
    ]


def unattended() -> list[Trial]:
    """The controller's clock stands still; minutes are seconds by sixty in the samples."""
    name = series("engine_schedules_timestamp_seconds")

    def trial(title: str, values: str, at: int, *, fires: bool) -> Trial:
        return Trial(title, {name: values}, at, fires)

    return [
        trial("fires", "0+60x10 600x40", 30, fires=True),
        trial("does not fire just below", "0+60x10 600x40", 19, fires=False),
        trial("one late sample", "0+60x10 600x8 1140+60x30", 30, fires=False),
        trial("a restart", "0+60x10 _x3 780+60x30", 30, fires=False),
        Trial("nothing is known", {}, 30, fires=False),
        trial("a cold start", "_x10 600+60x30", 30, fires=False),
        trial("recovers", "0+60x5 300x30 2100+60x20", 50, fires=False),
    ]


def resolver() -> list[Trial]:
    def asked(name: str, bad: str, good: str, at: int, *, fires: bool) -> Trial:
        kinds = {"timeout": bad, "found": good}
        return Trial(
            name,
            {series("dns_queries_total", kind="TXT", status=key): text for key, text in kinds.items()},
            at,
            fires,
        )

    return [
        asked("fires", "0x30 0+5x60", "0+5x30 150x60", 70, fires=True),
        asked("does not fire just below", "0+4x100", "0+5x100", 70, fires=False),
        asked("one question", "0x30 1x60", "0x100", 40, fires=False),
        asked("a counter that begins anew", "90x30 0x60", "90x30 0+5x60", 70, fires=False),
        Trial("nothing is known", {}, 70, fires=False),
        asked("a cold start", "_x10 40x60", "_x10 40+5x60", 60, fires=False),
        asked("recovers", "0+5x60 300x60", "0x60 0+5x60", 100, fires=False),
    ]


def exchangers_down() -> list[Trial]:
    up = [
        series("exchanger_up", domain="example.org", host=host, address=f"192.0.2.{number}")
        for number, host in enumerate(("mx1", "mx2"))
    ]

    def trial(name: str, first: str, second: str, at: int, *, fires: bool) -> Trial:
        return Trial(name, {up[0]: first, up[1]: second}, at, fires)

    return [
        trial("fires", "1x10 0x40", "1x10 0x40", 30, fires=True),
        trial("does not fire just below", "1x10 0x40", "1x50", 30, fires=False),
        trial("one bad sample", "1x10 0 1x40", "1x10 0 1x40", 30, fires=False),
        trial("a restart", "1x10 _x3 1x40", "1x10 _x3 1x40", 30, fires=False),
        Trial("nothing is known", {}, 30, fires=False),
        trial("a cold start", "_x10 1x40", "_x10 1x40", 30, fires=False),
        trial("recovers", "0x30 1x20", "0x30 0x20", 45, fires=False),
    ]

"""What the tests of the terminal share: a probe with a way of its own, texts that mean harm, and a page to print on."""

import io
from dataclasses import replace

from rich.console import Console

from smtp_probe.mail.trace import measure_delays
from smtp_probe.model import (
    Hop,
    OutcomeKind,
    Phase,
    PhaseTiming,
    Reply,
    SlotMissed,
    Stamp,
    TlsFacts,
    Trace,
)
from tests.report.samples import NS, START_NS, make_arrival, make_outcome, make_probe, make_submission

HOSTILE = "[red]a[/red] \x1b[31mb\x1b[0m \u202ec\u2069 :smile: \r\nd\x07 [link=file:///etc]e[/link]"
"""Markup, escape sequences, direction controls, an emoji code, line ends and a bell."""

PHASE_MILLISECONDS = {
    Phase.RESOLVE: 0.04,
    Phase.CONNECT: 1.0,
    Phase.GREETING: 2.0,
    Phase.EHLO: 1.0,
    Phase.STARTTLS: 6.0,
    Phase.AUTH: 1.0,
    Phase.MAIL: 0.5,
    Phase.RCPT: 0.5,
    Phase.DATA: 0.5,
    Phase.ACCEPT: 20.0,
    Phase.QUIT: 0.5,
}
HOSTS = ("submission", "relay", "filter", "store")


def submission(text="Ok: queued as 4jYG3M6jDtzyN4", **facts):
    """A transaction with STARTTLS whose phases follow each other."""
    phases, at_ns = [], START_NS
    for phase, milliseconds in PHASE_MILLISECONDS.items():
        reply = Reply(code=250, enhanced="2.0.0", text=text) if phase is Phase.ACCEPT else None
        seconds = milliseconds / 1000
        phases.append(PhaseTiming(phase=phase, started_ns=at_ns, duration_seconds=seconds, reply=reply))
        at_ns += round(seconds * NS)
    tls = TlsFacts(
        version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", not_after_ns=START_NS + 90 * 86400 * NS
    )
    known = {"phases": tuple(phases), "queue_id": "4jYG3M6jDtzyN4", "tls": tls, **facts}
    return replace(make_submission(), **known)


def trace(stamps=(0, 0, 1, 3), hosts=HOSTS, domain="example.test", resolution=1.0):
    """Hops with these stamps, in seconds after the start."""
    hops = tuple(
        Hop(
            from_name=f"{before}.{domain}",
            by=f"{host}.{domain}",
            with_="ESMTPS",
            id=f"id{stamp}",
            at_ns=None if stamp is None else START_NS + round(stamp * NS),
            resolution_seconds=None if stamp is None else resolution,
        )
        for before, host, stamp in zip(("probe", *hosts), hosts, stamps, strict=False)
    )
    return Trace(hops=hops, delays=tuple(measure_delays(hops)))


def outcome(kind=OutcomeKind.DELIVERED, *, route="inbound", way=None, number=1, sent=None, **facts):
    """A probe that ended so; where it arrived, after 2.64 s over four hosts."""
    sent = sent or submission()
    made = make_outcome(kind, probe=make_probe(number, route), submission=sent, **facts)
    if made.arrival is None:
        return made
    arrival = make_arrival(sent, 2.64, placement=made.arrival.placement)
    seen = {"stamp": Stamp.GUID, "seen_ns": arrival.stored_ns + 4_000_000, "found_in": "header"}
    known = {name: facts.get(name) for name in ("timing", "path")}
    return replace(made, arrival=replace(arrival, trace=way or trace(), **seen), **known)


def missed(count=2):
    return SlotMissed(route="inbound", count=count, reason="late")


def shown(renderables, width=100, **options):
    """What a console prints of it, without a colour unless one is asked for."""
    page = io.StringIO()
    console = Console(file=page, width=width, highlight=False, markup=False, emoji=False, **options)
    for renderable in renderables:
        console.print(renderable)
    return page.getvalue()


def is_plain(text):
    """Whether every character is one that can be seen, or a line end."""
    return all(character.isprintable() or character == "\n" for character in text)


class Page(io.StringIO):
    """A stream in memory that may say that it is a terminal."""

    def __init__(self, *, is_terminal=False, encoding="utf-8"):
        super().__init__()
        self._is_terminal = is_terminal
        self._encoding = encoding

    @property
    def encoding(self):  # type: ignore[override]
        return self._encoding

    def isatty(self):
        return self._is_terminal

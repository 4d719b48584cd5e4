"""Configurations and events for the tests of what is told."""

from smtp_probe.config.settings import Config
from smtp_probe.model import (
    Arrival,
    Authentication,
    Bounce,
    Cause,
    ClockOffset,
    Disposition,
    Failure,
    Finding,
    Hop,
    HopDelay,
    HopRole,
    HopTime,
    Leg,
    LegTime,
    Location,
    Method,
    Origin,
    Outcome,
    OutcomeKind,
    PathFacts,
    PathIdentity,
    Phase,
    PhaseTiming,
    Placement,
    Probe,
    ProbeEnded,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    Reply,
    Severity,
    Source,
    Span,
    Stamp,
    Submission,
    Timing,
    TlsFacts,
    Trace,
    Verdict,
    VerdictResult,
)
from smtp_probe.report.increments import increments
from smtp_probe.report.telemetry import Telemetry

NS = 1_000_000_000
START_NS = 1_790_000_000 * NS
PHASE_SECONDS = {phase: 0.001 * 2**number for number, phase in enumerate(Phase)}


def make_config(*routes, **sections):
    """A configuration with these routes (`example` if none), on one sender with STARTTLS and a login."""
    return Config.model_validate(
        {
            "senders": {
                "relay": {
                    "host": "smtp.example.net",
                    "tls": "starttls",
                    "ehlo_name": "probe.example.net",
                    "envelope_from": "probe@example.net",
                    "auth": {"username": "probe", "password_env": "SECRET"},
                }
            },
            "mailboxes": {"inbox": {"host": "imap.example.org", "tls": "implicit"}},
            "routes": {
                name: {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"}
                for name in routes or ("example",)
            },
            **sections,
        }
    )


def make_telemetry(config=None, now_ns=lambda: START_NS, **options):
    """Telemetry as it stands after a start with an empty journal."""
    telemetry = Telemetry(now_ns, with_process=False, **options)
    telemetry.declare(config or make_config())
    telemetry.totals.restore((), since_ns=START_NS)
    return telemetry


def tell(telemetry, *events):
    """Do with events what the journal and the ledger do."""
    for event in events:
        telemetry.totals.apply(telemetry.totals.admit(increments(event)))
        telemetry.observe(event)


def make_probe(number=1, route="example", created_ns=START_NS, mailbox="inbox"):
    return Probe(
        probe_id=f"probe{number:04d}",
        route=route,
        sequence=number,
        sender="relay",
        mailbox=mailbox,
        bounce_mailbox=None,
        recipient="probe@example.org",
        scheduled_ns=created_ns,
        created_ns=created_ns,
        deadline_seconds=300.0,
        give_up_after_seconds=86400.0,
    )


WITH_STARTTLS = tuple(phase for phase in Phase if phase is not Phase.TLS)
_CODES = {Phase.DATA: 354, Phase.QUIT: 221, Phase.GREETING: 220}
GOOD_REPLIES = {phase: Reply(code=_CODES.get(phase, 250)) for phase in WITH_STARTTLS}


def make_submission(
    disposition=Disposition.ACCEPTED, *, last=Phase.QUIT, reply=None, failure=None, started_ns=START_NS
):
    """A transaction with STARTTLS that went as far as `last`, where it got `reply` (a refusal)."""
    phases = []
    for phase in WITH_STARTTLS:
        said = reply if phase is last and reply is not None else GOOD_REPLIES[phase]
        phases.append(
            PhaseTiming(phase=phase, started_ns=started_ns, duration_seconds=PHASE_SECONDS[phase], reply=said)
        )
        if phase is last:
            break
    if reply is not None and failure is None:
        cause = Cause.REPLY_PERMANENT if reply.is_permanent else Cause.REPLY_TEMPORARY
        failure = Failure(stage=last, cause=cause, reply=reply)
    is_accepted = disposition is Disposition.ACCEPTED
    return Submission(
        disposition=disposition,
        started_ns=started_ns,
        phases=tuple(phases),
        failure=failure,
        final_dot_ns=started_ns + NS if is_accepted else None,
        accepted_ns=started_ns + 2 * NS if is_accepted else None,
        peer_address="192.0.2.1",
        tls=TlsFacts(version="TLSv1.3", not_after_ns=START_NS + 30 * 86400 * NS),
    )


def refused(code, text="blocked by policy", enhanced="5.7.1"):
    """A refusal at RCPT."""
    disposition = Disposition.REFUSED if code >= 500 else Disposition.DEFERRED
    return make_submission(disposition, last=Phase.RCPT, reply=Reply(code=code, enhanced=enhanced, text=text))


def make_arrival(submission, seconds=1.5, delays=(0.2, 3.0), **facts):
    """An arrival so many seconds after the final dot; by default over three hops."""
    stored_ns = submission.final_dot_ns + round(seconds * NS)
    hops = (None, *delays)
    trace = Trace(
        hops=(Hop(),) * len(hops),
        delays=tuple(
            HopDelay(position=position, by=f"mx{position}.example.net", delay_seconds=delay)
            for position, delay in enumerate(hops, 1)
        ),
    )
    placement = facts.pop("placement", Placement.INBOX)
    return Arrival(
        location=Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=7),
        placement=placement,
        seen_ns=stored_ns + NS // 2,
        stored_ns=stored_ns,
        stamp=Stamp.GUID,
        stamp_resolution_seconds=1e-6,
        trace=trace,
        **facts,
    )


def make_timing(arrival):
    """Where the time of an arrival went: its delays as they are, a missing one merged into the next, and the store."""
    hops, first, pending = [], 1, ""
    for delay in arrival.trace.delays:
        if delay.delay_seconds is None and delay.position > 1:
            pending = pending or delay.by
            continue
        by = f"{pending}..{delay.by}" if pending else delay.by
        hops.append(make_hop(first, delay.position, by, delay.delay_seconds or 0.0))
        first, pending = delay.position + 1, ""
    hops.append(make_hop(first, len(arrival.trace.hops) + 1, "store", 0.01, event="stored"))
    total_ns = sum(hop.span.took_ns for hop in hops)
    return Timing(
        delivery=Span(took_ns=total_ns, least_ns=total_ns, most_ns=total_ns),
        hops=tuple(hops),
        offsets=(ClockOffset(by="mx2.example.net", span=make_span(-41.0)),),
    )


def make_hop(first, last, by, seconds, event=None):
    return HopTime(first=first, last=last, by=by, event=event, span=make_span(seconds))


def make_span(seconds, half_seconds=0.25):
    took_ns = round(seconds * NS)
    half_ns = round(half_seconds * NS)
    return Span(took_ns=took_ns, least_ns=took_ns - half_ns, most_ns=took_ns + half_ns)


def make_path(*hosts, change=None, **facts):
    """A way over these hosts, whose second one took the message in plaintext."""
    identity = PathIdentity(fingerprint="0f1e2d3c", hosts=hosts, first_seen_ns=START_NS)
    legs = (Leg.OUTBOUND, Leg.TRANSPORT, Leg.INBOUND)
    return PathFacts(
        identity=identity,
        roles=tuple(
            HopRole(
                position=position,
                by=host,
                leg=legs[min(position, 3) - 1],
                is_trusted=True,
                is_encrypted=position != 2,
            )
            for position, host in enumerate(hosts, 1)
        ),
        legs=tuple(LegTime(leg=leg, span=make_span(0.5)) for leg in legs),
        origin=Origin.CONFIRMED,
        change=change,
        **facts,
    )


def make_authentication(detail="192.0.2.7 is not in the record"):
    """Verdicts of both sides that do not agree on DKIM."""
    own, author = Source.OWN, "example.net"
    return Authentication(
        verdicts=(
            Verdict(
                method=Method.SPF, source=own, result=VerdictResult.SOFTFAIL, domain="bounces.example.net", detail=detail,
                aligned=False,
            ),
            Verdict(
                method=Method.DKIM, source=own, result=VerdictResult.PASS, domain=author, selector="s1", aligned=True
            ),
            Verdict(method=Method.DMARC, source=own, result=VerdictResult.PASS, domain=author),
            Verdict(method=Method.DKIM, source=Source.RECEIVER, result=VerdictResult.FAIL, domain=author),
        ),
        findings=(
            Finding(check="dkim_disagrees", severity=Severity.WARNING, message="DKIM passes here and fails there"),
        ),
        unobserved=("the body was not fetched",),
    )  # fmt: skip


def make_bounce(**facts):
    return Bounce(
        location=Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=8),
        seen_ns=START_NS,
        **facts,
    )


def make_outcome(kind=OutcomeKind.DELIVERED, *, probe=None, was_overdue=False, seconds=1.5, **facts):
    """An end of this kind, with the evidence that goes with it unless it is given."""
    probe = probe or make_probe()
    evidence = {"submission": make_submission(started_ns=probe.created_ns)}
    arrived = kind in (OutcomeKind.DELIVERED, OutcomeKind.JUNKED, OutcomeKind.LATE)
    if arrived:
        placement = Placement.JUNK if kind is OutcomeKind.JUNKED else Placement.INBOX
        evidence["arrival"] = make_arrival(evidence["submission"], seconds, placement=placement)
    elif kind is OutcomeKind.REFUSED:
        evidence["submission"] = refused(550)
    elif kind is OutcomeKind.DEFERRED:
        evidence["submission"] = refused(451, "greylisted", "4.7.1")
    elif kind is OutcomeKind.BOUNCED:
        evidence["bounce"] = make_bounce(action="failed", status="5.1.1", diagnostic="user unknown")
    evidence |= facts
    if evidence.get("arrival") is not None:
        known = {
            "timing": make_timing(evidence["arrival"]),
            "path": make_path("mx1.example.net", "mx2.example.net"),
        }
        evidence = {**known, **evidence}
    if "failure" not in facts:
        evidence["failure"] = _failure_of(kind, evidence["submission"])
    return Outcome(
        probe=probe,
        kind=kind,
        ended_ns=probe.created_ns + 10 * NS,
        was_overdue=was_overdue,
        **evidence,
    )


def _failure_of(kind, submission):
    if kind is OutcomeKind.DELIVERED:
        return None
    if kind is OutcomeKind.UNOBSERVED:
        return Failure(stage="mailbox", cause=Cause.MAILBOX_UNWATCHED)
    if submission is not None and submission.failure is not None:
        return submission.failure
    return Failure(stage="arrival", cause=kind.value)


def life_of(outcome):
    """All events in the life of a probe that ends so."""
    probe = outcome.probe
    yield ProbeStarted(probe=probe)
    if outcome.submission is not None:
        yield ProbeSubmitted(probe=probe, submission=outcome.submission)
    if outcome.was_overdue:
        yield ProbeOverdue(probe=probe, at_ns=probe.created_ns + 300 * NS)
    yield ProbeEnded(outcome=outcome)


def lines_of(page, start=""):
    """The sample lines of a page that begin so, without their values sorted away."""
    return [
        line
        for line in page.body.decode().splitlines()
        if line.startswith(start) and not line.startswith("#")
    ]


def samples_of(page):
    """All samples of a page in the text format: name with labels -> value."""
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines_of(page))}


async def one_by_one(outcomes):
    """As the journal gives them."""
    for outcome in outcomes:
        yield outcome

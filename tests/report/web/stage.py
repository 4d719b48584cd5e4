"""Sites for the tests of the pages: a real server over a real journal, in each state that a reader may meet.

`Stage.build("failing")` and then `async with stage.serve() as address`. `python -m tests.report.web.stage failing` serves
one until it is interrupted, to look at.
"""

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from smtp_probe.errors import MailboxError
from smtp_probe.model import (
    Cause,
    Disposition,
    Failure,
    Finding,
    Hop,
    HopDelay,
    OutcomeKind,
    Phase,
    QueuedProbe,
    QueueState,
    Reply,
    Severity,
    Trace,
)
from smtp_probe.report.archive import Archive
from smtp_probe.report.http import WebServer
from smtp_probe.report.journal import SqliteJournal
from smtp_probe.report.web.checked import CheckedSubject, Checks, SeenInQueue
from tests.report.samples import (
    NS,
    START_NS,
    life_of,
    make_arrival,
    make_bounce,
    make_config,
    make_outcome,
    make_probe,
    make_submission,
    make_telemetry,
    refused,
)

STATES = ("healthy", "failing", "empty", "hostile", "many")
HOSTILE = (
    "</textarea></script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"&amp;"
    "\u202egnp.exe\u200b\x1b[31m\x00 {{7*7}} javascript:alert(1) \ud800"
)
HEADER = b"""\
Received: from mx.example.net (mx.example.net [192.0.2.7])
\tby store.example.org (Postfix) with LMTP id 4hQx5W2mz1z9s
\tfor <probe@example.org>; Mon, 21 Sep 2026 14:13:22 +0000 (UTC)
From: probe@example.net
To: probe@example.org
Subject: smtp-probe [spt1-aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq]
Authentication-Results: store.example.org; spf=pass; dkim=pass
"""


class StageClock:
    def __init__(self, now_ns):
        self.at_ns = now_ns

    def now_ns(self):
        return self.at_ns

    def wall_step_seconds(self):
        return 0.0

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


class StageApplication:
    """Fulfils `Application`. `asked` are the routes on which a probe was asked for."""

    def __init__(self, telemetry, config, archive, checks=None):
        self.telemetry = telemetry
        self.config = config
        self.archive = archive
        self.checks = checks or Checks()
        self.is_lifecycle_enabled = True
        self.reload_error = None
        self.reload_seconds = 0.0
        self.reloads = 0
        self.asked = []
        self.refusal = None

    async def reload(self):
        await asyncio.sleep(self.reload_seconds)
        if self.reload_error is not None:
            raise self.reload_error
        self.reloads += 1

    async def probe_now(self, route):
        if self.refusal is None:
            self.asked.append(route)
        return self.refusal


class Stage:
    """A telemetry and a journal that were told the same events."""

    def __init__(self, folder: Path, config, checks=None):
        self.clock = StageClock(START_NS + 3600 * NS)
        self.config = config
        self.telemetry = make_telemetry(config, self.clock.now_ns)
        self.telemetry.observations.journal_state(up=True)
        for name in config.mailboxes:
            self.telemetry.observations.mailbox_state(name, up=True)
        self.path = folder / "journal.db"
        self.application = StageApplication(self.telemetry, config, Archive(self.path), checks)

    @classmethod
    async def build(cls, state, folder, **scale):
        """Give the stage of a state. `probes` of "many": so many a route, where the whole heartbeat bar is not needed."""
        return await globals()[f"_{state}"](folder, **scale)

    async def open_journal(self):
        journal = SqliteJournal(self.path, self.clock, self.telemetry.totals)
        await journal.open()
        return journal

    async def tell(self, *events):
        journal = await self.open_journal()
        await asyncio.gather(*(journal.record(event) for event in events))
        await journal.close()
        for event in events:
            self.telemetry.observe(event)

    @asynccontextmanager
    async def serve(self, address="127.0.0.1:0", **options):
        server = WebServer(self.application, [address], **options)
        (bound,) = await server.start()
        try:
            yield bound
        finally:
            await server.stop()
            await self.application.archive.close()


def delivery(number, route="example", seconds=1.5, **facts):
    probe = make_probe(number, route, created_ns=START_NS + number * 60 * NS)
    probe = replace(probe, probe_id=f"{route}-{number:05d}")
    submission = make_submission(started_ns=probe.created_ns)
    arrival = make_arrival(submission, seconds, header=HEADER)
    arrival = replace(arrival, trace=path_of(arrival.stored_ns, seconds))
    return make_outcome(probe=probe, submission=submission, arrival=arrival, **facts)


def path_of(stored_ns, seconds, third="store.example.org"):
    names = ("submission.example.net", "mx.example.net", third)
    shares = (None, seconds * 0.3, seconds * 0.6)
    return Trace(
        hops=tuple(
            Hop(
                by=name,
                from_name="probe.example.net" if index == 0 else names[index - 1],
                from_ip=f"192.0.2.{index + 1}",
                with_="ESMTPS",
                id=f"4hQx5W2mz1z9{index}",
                tls_version="TLSv1.3",
                at_ns=stored_ns - (2 - index) * NS,
                resolution_seconds=1.0 if index else 1e-6,
                stamp_source="date" if index else "postfix_id",
                software="postfix",
            )
            for index, name in enumerate(names)
        ),
        delays=tuple(
            HopDelay(position=index + 1, by=name, delay_seconds=share)
            for index, (name, share) in enumerate(zip(names, shares, strict=True))
        ),
    )


def ending(kind, number, route="example", **facts):
    probe = replace(
        make_probe(number, route, created_ns=START_NS + number * 60 * NS), probe_id=f"{route}-{number:05d}"
    )
    return make_outcome(kind, probe=probe, **facts)


def routes_config(names, labels=None):
    return make_config(
        routes={
            name: {
                "sender": "relay",
                "recipient": f"{name}@example.org",
                "mailbox": "inbox",
                "labels": labels(name) if labels else {},
            }
            for name in names
        }
    )


def lives(outcomes):
    return [event for outcome in outcomes for event in life_of(outcome)]


async def _empty(folder):
    """Nothing is known yet: of drills, since none has run, of the rest, since it is not configured."""
    stage = Stage(folder, make_config(), Checks(drills=()))
    await stage.tell()
    return stage


async def _healthy(folder):
    names = ("to-gmail", "to-microsoft365", "internal", "newsletter")

    def good(name, **facts):
        return (CheckedSubject(name=name, checked_ns=START_NS, facts=facts),)

    checks = Checks(
        domains=good("example.org", SPF="v=spf1 -all", DMARC="v=DMARC1; p=reject"),
        exchangers=good("mx1.example.org", greeting="220 mx1.example.org ESMTP", TLS="TLSv1.3"),
        queue=good("postfix", deferred="0", active="2"),
        drills=good("no such user", bounced="after 1.4 s", status="5.1.1"),
    )
    stage = Stage(folder, routes_config(names, lambda name: {"team": "post", "tier": name[:2]}), checks)
    waves = (0.4, 0.5, 0.45, 0.7, 1.9, 0.6, 0.55)
    await stage.tell(
        *lives(
            delivery(number, route, waves[number % 7] * (index + 1))
            for index, route in enumerate(names)
            for number in range(1, 61)
        )
    )
    return stage


async def _failing(folder):
    names = ("to-gmail", "to-microsoft365", "internal", "newsletter", "backup-mx", "quiet")
    config = routes_config(names, lambda name: {"team": "post"})
    findings = (
        Finding(
            check="spf_too_many_lookups",
            severity=Severity.ERROR,
            subject="example.org",
            message="The SPF record needs 12 DNS look-ups; receivers stop at 10 and say permerror.",
            advice="Take out two of the includes, or name their addresses with ip4.",
            source="RFC 7208 section 4.6.4",
        ),
        Finding(
            check="dmarc_policy_none",
            severity=Severity.WARNING,
            subject="_dmarc.example.org",
            message="The policy is none: receivers act on nothing.",
            advice="Go to p=quarantine when the reports are clean.",
            source="RFC 9989",
        ),
    )
    expired = Finding(
        check="exchanger_certificate_expired",
        severity=Severity.ERROR,
        subject="mx1.example.org",
        message="The certificate has expired, on 2026-09-01.",
        advice="Renew it, and have the server read it.",
        source="RFC 8314",
    )
    hasty = Finding(
        check="drill_retry_too_soon",
        severity=Severity.WARNING,
        subject="",
        message="The message was tried again after 20 s already; receivers take haste for abuse.",
        advice="Set the first wait (Postfix: minimal_backoff_time and queue_run_delay; Exim: the first step of the retry rule) to 5 min at least.",
        source="RFC 5321 section 4.5.4.1",
    )
    checks = Checks(
        domains=(
            CheckedSubject(
                name="example.org", checked_ns=START_NS, findings=findings, facts={"SPF": "v=spf1 include:a -all"}
            ),
            CheckedSubject(name="example.net", checked_ns=START_NS, facts={"SPF": "v=spf1 -all"}),
        ),
        exchangers=(
            CheckedSubject(name="mx1.example.org", checked_ns=START_NS, findings=(expired,), facts={"TLS": "TLSv1.3"}),
            CheckedSubject(name="mx2.example.org", checked_ns=START_NS, unobserved=("connect: no answer in 10 s",)),
            CheckedSubject(name="mx3.example.org"),
        ),
        queue=(CheckedSubject(name="postfix", checked_ns=START_NS, unobserved=("The queue cannot be read: permission denied.",)),),
        drills=(
            CheckedSubject(
                name="retries", checked_ns=START_NS, findings=(hasty,), facts={"waits": "20 s, 25 s, 30 s"}, is_unhealthy=True
            ),
            CheckedSubject(name="no such user", checked_ns=START_NS, facts={"bounced after": "1.4 s", "status": "5.1.1"}),
        ),
    )  # fmt: skip
    stage = Stage(folder, config, checks)
    outcomes = [
        delivery(number, route, 0.5 + index)
        for index, route in enumerate(names[:5])
        for number in range(1, 50)
    ]
    outcomes += [ending(OutcomeKind.REFUSED, number, "to-gmail") for number in range(50, 55)]
    outcomes += [ending(OutcomeKind.UNOBSERVED, number, "internal") for number in range(50, 53)]
    bounce = make_bounce(
        action="failed", status="5.1.1", recipient="probe@example.org", reporting_mta="relay.example.net",
        remote_mta="mx1.example.org", diagnostic="550 5.1.1 user unknown",
    )  # fmt: skip
    outcomes += [ending(OutcomeKind.BOUNCED, 50, "newsletter", bounce=bounce)]
    outcomes += [ending(OutcomeKind.LOST, 50, "backup-mx", was_overdue=True)]
    outcomes += [replace(delivery(51, "newsletter", 400.0), kind=OutcomeKind.LATE, was_overdue=True)]
    await stage.tell(*lives(outcomes))
    stage.telemetry.observations.mailbox_state(
        "inbox", up=False, why=str(MailboxError("login", Cause.AUTH_REFUSED, detail="NO invalid password"))
    )
    return stage


async def _hostile(folder):
    config = make_config(
        routes={
            "example": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox", "labels": {"team": "<b>&\"'"}},
            "junk": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"},
        }
    )  # fmt: skip
    finding = Finding(
        check=HOSTILE,
        severity=Severity.ERROR,
        subject=HOSTILE,
        message=HOSTILE,
        advice=HOSTILE,
        source=HOSTILE,
    )
    subject = CheckedSubject(
        name=HOSTILE[:200],
        checked_ns=START_NS,
        findings=(finding,),
        unobserved=(HOSTILE,),
        facts={HOSTILE: HOSTILE},
    )
    queued = QueuedProbe(
        queue_id=HOSTILE, probe_id="example-00002", route=HOSTILE, state=QueueState.HOLD, arrived_seconds=2**40, reason=HOSTILE
    )  # fmt: skip
    checks = Checks(
        domains=(subject,),
        exchangers=(subject,),
        queue=(subject,),
        drills=(subject,),
        queued=(SeenInQueue(queue=HOSTILE, at_ns=START_NS, probe=queued),),
    )
    stage = Stage(folder, config, checks)
    hop = Hop(
        by=HOSTILE, from_name=HOSTILE, from_host=HOSTILE, from_ip=HOSTILE, with_=HOSTILE, id=HOSTILE, tls_version=HOSTILE,
        at_ns=2**62, resolution_seconds=1.0, stamp_source="date", software=HOSTILE,
    )  # fmt: skip
    arrived = delivery(1, "junk", 3.0)
    trace = Trace(
        hops=(hop,) * 3, delays=(HopDelay(position=2, by=HOSTILE, delay_seconds=-1e12),), flags=(HOSTILE,)
    )
    header = HOSTILE.encode("utf-8", "replace") + b"\r\n\xff\xfe\x00" + b"A" * 5000 + b"\n" * 2000
    arrival = replace(arrived.arrival, trace=trace, header=header, corrupted=True)
    refusal = refused(550, HOSTILE.encode("utf-8", "replace").decode())
    bounce = make_bounce(
        action=HOSTILE,
        status=HOSTILE,
        recipient=HOSTILE,
        reporting_mta=HOSTILE,
        remote_mta=HOSTILE,
        diagnostic=HOSTILE,
    )
    outcomes = [
        replace(arrived, arrival=arrival),
        ending(OutcomeKind.REFUSED, 2, submission=replace(refusal, peer_address=HOSTILE, queue_id=HOSTILE)),
        ending(OutcomeKind.BOUNCED, 3, bounce=bounce),
        ending(
            OutcomeKind.UNREACHABLE, 4,
            submission=make_submission(
                Disposition.UNREACHABLE, last=Phase.EHLO, reply=Reply(code=999, enhanced=HOSTILE, text=HOSTILE),
                failure=Failure(stage=HOSTILE, cause=HOSTILE, detail=HOSTILE),
            ),
        ),
    ]  # fmt: skip
    await stage.tell(*lives(map(_storable, outcomes)))
    stage.telemetry.observations.mailbox_state("inbox", up=False, why=HOSTILE)
    return stage


def _storable(outcome):
    """As an adapter gives it: text that UTF-8 can hold."""
    import dataclasses

    def clean(value):
        if isinstance(value, str) and type(value) is str:
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, tuple):
            return tuple(map(clean, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return replace(
                value, **{f.name: clean(getattr(value, f.name)) for f in dataclasses.fields(value)}
            )
        return value

    return clean(outcome)


async def _many(folder, count=500, probes=60):
    names = [f"route-{number:04d}-to-a-provider" for number in range(count)]
    stage = Stage(folder, routes_config(names, lambda name: {"team": f"team{name[9]}", "tier": "gold"}))
    kinds = (OutcomeKind.REFUSED, OutcomeKind.LOST, OutcomeKind.BOUNCED)
    events = []
    for index, route in enumerate(names):
        for number in range(61 - probes, 61):
            bad = (index * 7 + number * 13) % 97 == 0 or (index % 50 == 0 and number > 55)
            outcome = ending(kinds[number % 3], number, route) if bad else make_outcome(
                probe=replace(make_probe(number, route, created_ns=START_NS + number * 60 * NS), probe_id=f"{route}-{number:05d}"),
                seconds=0.3 + (index + number) % 11,
            )  # fmt: skip
            events.append(list(life_of(outcome))[-1])
    for event in events:
        stage.telemetry.observe(event)
    await stage.tell()
    return stage


async def _show(state):
    with TemporaryDirectory() as folder:
        stage = await Stage.build(state, Path(folder))
        async with stage.serve("127.0.0.1:10999"):
            print("http://127.0.0.1:10999/")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_show(sys.argv[1]))

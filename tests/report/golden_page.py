"""A page with something of everything on it, as tests/data/metrics.golden.txt keeps it for reviews to read.

To write the file anew after a wanted change: python -m tests.report.golden_page
"""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from smtp_probe.mail.queue_listing.states import POSTFIX_STATES
from smtp_probe.mail.queue_listing.survey import QueueCount
from smtp_probe.model import (
    Authentication,
    BounceSeen,
    Cause,
    CheckResult,
    Disposition,
    DnsAnswer,
    DnsStatus,
    DomainNoted,
    DomainReport,
    DomainUnderCheck,
    DrillAttempt,
    DrillKind,
    DrillReport,
    DuplicateSeen,
    Failure,
    Finding,
    ForgerySeen,
    Location,
    Method,
    MxRecord,
    OutcomeKind,
    Phase,
    QueuedRecipient,
    QueueEntry,
    QueueFailure,
    QueueLook,
    QueueState,
    RetryLook,
    RetrySchedule,
    Severity,
    SlotMissed,
    Source,
    SpamFilter,
    SpamResult,
    SpamVerdict,
    TlsFacts,
    TokenResult,
    Verdict,
    VerdictResult,
)
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
    tell,
)

GOLDEN = Path(__file__).parents[1] / "data" / "metrics.golden.txt"
VERSIONS = re.compile(r'(version|pythonversion)="[^"]+"')
COPY = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=9)

CONFIG = make_config(
    routes={
        "example": {
            "sender": "relay",
            "recipient": "probe@example.org",
            "mailbox": "inbox",
            "labels": {"team": 'post "office"'},
        },
        "quiet": {"sender": "relay", "recipient": "quiet@example.org", "mailbox": "inbox", "interval": "1h"},
    },
    mailboxes={
        "inbox": {
            "host": "imap.example.org",
            "tls": "implicit",
            "auth": {"username": "probe", "mechanism": "xoauth2", "oauth": "account"},
        }
    },
    credentials={
        "account": {
            "grant": "client_credentials",
            "token_url": "https://login.example.org/token",
            "client_id": "probe",
            "client_secret": {"password_env": "SECRET"},
        }
    },
    domains={"example.org": {}},
    queues={"outbound": {"kind": "postfix", "top_domains": 1, "labels": {"team": "post"}}, "unread": {}},
    drills={
        "retry": {
            name: {
                "sender": "relay",
                "recipient": "drill@drill.example.org",
                "listen": {"address": "192.0.2.25"},
            }
            for name in ("retries", "not-yet")
        },
        "failover": {
            "second-mx": {
                "sender": "relay",
                "recipient": "drill@drill2.example.org",
                "preferred": {"address": "192.0.2.26"},
                "fallback": {"address": "192.0.2.27"},
            },
        },
    },
)
UNREACHABLE = make_submission(
    Disposition.UNREACHABLE,
    last=Phase.CONNECT,
    failure=Failure(stage="connect", cause=Cause.CONNECT_REFUSED),
)
RELAYED = make_submission()
MARKED = SpamResult(filter=SpamFilter.SPAMASSASSIN, score=6.5, threshold=5.0, verdict=SpamVerdict.SPAM)
OUTCOMES = (
    make_outcome(OutcomeKind.REFUSED),
    make_outcome(OutcomeKind.DEFERRED),
    make_outcome(OutcomeKind.UNREACHABLE, submission=UNREACHABLE),
    make_outcome(OutcomeKind.BOUNCED),
    make_outcome(OutcomeKind.JUNKED),
    make_outcome(OutcomeKind.LOST, was_overdue=True),
    make_outcome(OutcomeKind.UNOBSERVED),
    make_outcome(OutcomeKind.LATE, was_overdue=True, seconds=905.0),
    make_outcome(seconds=0.2),
    make_outcome(
        submission=RELAYED,
        arrival=make_arrival(
            RELAYED, delays=(0.04, 1.0, 2.0, None, 7.5, 0.25), corrupted=True, spam=(MARKED,)
        ),
    ),
)
OTHERS = (
    DuplicateSeen(route="example", probe_id="probe0001", location=COPY),
    ForgerySeen(location=COPY),
    BounceSeen(route="example", probe_id="probe0001", bounce=make_bounce(action="delayed")),
    SlotMissed(route="example", count=2, reason="late"),
)


AUTHENTICATION = Authentication(
    verdicts=(
        Verdict(method=Method.SPF, source=Source.OWN, result=VerdictResult.PASS),
        Verdict(method=Method.DKIM, source=Source.OWN, result=VerdictResult.FAIL),
        Verdict(method=Method.DKIM, source=Source.RECEIVER, result=VerdictResult.PASS),
    ),
    findings=(Finding(check="dkim_disagrees", severity=Severity.WARNING, message="..."),),
)
RECORDS = (
    DnsAnswer(
        name="example.org",
        kind="MX",
        status=DnsStatus.FOUND,
        values=(MxRecord(10, "mx.example.org"),),
        original_ttl_seconds=3600,
        duration_seconds=0.03,
    ),
)
CHANGED = (replace(RECORDS[0], values=(MxRecord(10, "mx2.example.org"),)),)
VISIT = {
    "address": "192.0.2.1",
    "up": True,
    "phases": {"connect": 0.01, "greeting": 0.2},
    "certificate_not_after": (START_NS + 60 * 86400 * NS) // NS,
}
REPORT = DomainReport(
    subject=DomainUnderCheck(domain="example.org"),
    results={
        "mx": CheckResult(
            findings=(
                Finding(check="mx_single", severity=Severity.WARNING, subject="example.org", message="One."),
            )
        ),
        "spf": CheckResult(gauges={"spf_lookups_left": 7.0}),
        "dkim": CheckResult(gauges={"dkim_key_bits": 2048.0}),
        "dnsbl": CheckResult(facts={"listings": [{"zone": "bl.example.net", "state": "clean"}]}),
        "mta_sts": CheckResult(gauges={"mta_sts_policy_expiry_timestamp_seconds": START_NS / 1e9 + 604800}),
        "dane": CheckResult(unobserved=("dark",)),
        "exchangers": CheckResult(facts={"visits": {"mx.example.org 192.0.2.1": VISIT}}),
    },
    records=RECORDS,
)


def make_golden_telemetry():
    telemetry = make_telemetry(CONFIG)
    for number, outcome in enumerate(OUTCOMES, 1):
        tell(telemetry, *life_of(replace(outcome, probe=make_probe(number))))
    tell(telemetry, *OTHERS)
    telemetry.verdicts.show("example", AUTHENTICATION)
    observations = telemetry.observations
    observations.journal_state(up=True)
    observations.mailbox_state("inbox", up=True)
    observations.mailbox_quotas("inbox", {"storage": 0.25, "message": 0.5, "annotation": 1.0})
    observations.mailbox_reconnected("inbox")
    observations.in_flight("example", 2, START_NS + 60 * NS)
    observations.scheduler_lag(0.004)
    telemetry.domains.show(REPORT, START_NS)
    tell(telemetry, DomainNoted(domain="example.org", records=("mx",), memos=()))
    telemetry.domains.show(replace(REPORT, records=CHANGED), START_NS + 300 * NS)
    for answer in CHANGED:
        telemetry.domains.observe_answer(answer)
    observations.tls_facts("imap.example.org:993", TlsFacts(not_after_ns=START_NS + 60 * 86400 * NS))
    telemetry.queues.show(make_look("outbound"))
    telemetry.queues.show(RETRIES)
    failed = QueueFailure.DENIED
    telemetry.queues.show(QueueLook(queue="unread", at_ns=START_NS, duration_seconds=0.1, failure=failed))
    telemetry.credentials.show("account", TokenResult.RENEWED, "", START_NS + 3600 * NS)
    telemetry.engine.begin({"checker", "controller", "exporter", "watcher", "worker"}, "fra", "host-1")
    telemetry.engine.up(True)
    telemetry.engine.in_order(3)
    telemetry.engine.groups(1)
    telemetry.engine.behind(0)
    telemetry.engine.checked(True)
    telemetry.drills.show(RETRY_DRILL)
    telemetry.drills.show(FAILOVER_DRILL)
    return telemetry


RETRY_DRILL = DrillReport(
    drill="retries",
    kind=DrillKind.RETRY,
    started_ns=START_NS,
    duration_seconds=180.5,
    findings=(Finding(check="drill_retry_too_soon", severity=Severity.WARNING, message="Too soon."),),
    attempts=tuple(DrillAttempt(at_ns=START_NS + seconds * NS) for seconds in (0, 60, 180)),
)
FAILOVER_DRILL = DrillReport(
    drill="second-mx",
    kind=DrillKind.FAILOVER,
    started_ns=START_NS,
    duration_seconds=31.0,
    failover_seconds=30.5,
)
RETRIES = RetryLook(
    queue="outbound",
    at_ns=START_NS,
    schedule=RetrySchedule(
        first_seconds=30.0,
        longest_seconds=4000.0,
        lifetime_seconds=432000.0,
        bounce_lifetime_seconds=432000.0,
        names=("minimal_backoff_time", "maximal_backoff_time", "maximal_queue_lifetime"),
    ),
    findings=(Finding(check="retry_too_soon", severity=Severity.WARNING, message="Too soon."),),
)


def make_look(queue):
    now_seconds = START_NS // NS
    count = QueueCount(now_seconds, POSTFIX_STATES, top_destinations=1)
    for number, state in enumerate((QueueState.ACTIVE, QueueState.DEFERRED, QueueState.DEFERRED)):
        recipient = QueuedRecipient(f"user@d{number}.example", "Connection refused")
        count.add(
            QueueEntry(
                queue_id=f"ID{number}",
                state=state,
                arrived_seconds=now_seconds - 60 * number,
                size_bytes=2048,
                sender="probe@example.org",
                recipients=(recipient,),
            )
        )
    return QueueLook(
        queue=queue, at_ns=START_NS, duration_seconds=0.25, survey=count.total(), growth_per_second=0.05
    )


async def render_golden_page():
    page = await make_golden_telemetry().exposition.page()
    return VERSIONS.sub(r'\1="?"', page.body.decode())


if __name__ == "__main__":
    GOLDEN.write_text(asyncio.run(render_golden_page()))

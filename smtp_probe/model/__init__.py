"""The facts that all parts share: frozen values, no behaviour beyond reading themselves.

- `failure`: what a server said, and the bounded words for causes.
- `submission`: what one SMTP transaction did.
- `trace`: what the Received headers say.
- `arrival`: what a mailbox shows.
- `path`: where the time went, and which way the message took.
- `probe`: a probe from its identity to its one end.
- `dns`: what the resolver answers.
- `finding`: what is wrong, where, and what to change.
- `exchanger`, `web`: what one visit to an MX host, or one page over HTTPS, came to.
- `queue`: what the queue of a mail server holds.
- `drill`: what a drill of the delivery path came to.
- `check`: what a check of a domain is given, and gives back.
- `credential`: what asking for an access token came to.
- `spam`: what a spam filter on the way says.
- `verdict`: what a receiver, or we ourselves, say of a message's authentication.
- `events`: what the journal records and the sinks are told.

Units: a name ending in `_ns` is an instant on the reference clock, in nanoseconds since the Unix epoch
(`ports.Clock.now_ns`: the monotonic clock anchored once to wall time), or, where the docstring says so, on a
foreign clock. A name ending in `_seconds` is a duration as a float. Unknown is None, never zero.
"""

from smtp_probe.model.account import AccountProtocol, Discovery, FoundServer
from smtp_probe.model.arrival import (
    Alteration,
    Arrival,
    Bounce,
    ClockSighting,
    Echo,
    Location,
    MailboxMessage,
    Placement,
    Stamp,
)
from smtp_probe.model.check import CheckResult, DomainReport, DomainUnderCheck, SeenMail
from smtp_probe.model.credential import TokenResult
from smtp_probe.model.dns import (
    CaaRecord,
    DnsAnswer,
    DnsSecurity,
    DnsStatus,
    DnsValue,
    MxRecord,
    SoaRecord,
    SrvRecord,
    TlsaRecord,
)
from smtp_probe.model.drill import (
    Desk,
    DrillAttempt,
    DrillKind,
    DrillReport,
    DrillResult,
    DrillTrial,
    Manner,
)
from smtp_probe.model.events import (
    BounceSeen,
    DomainNoted,
    DuplicateSeen,
    Event,
    ForgerySeen,
    Memo,
    ProbeEnded,
    ProbeHandedOver,
    ProbeOverdue,
    ProbeStarted,
    ProbeSubmitted,
    SlotMissed,
    StraySeen,
    SubmissionDeferred,
    VerdictsFormed,
)
from smtp_probe.model.exchanger import ExchangerVisit
from smtp_probe.model.failure import Cause, Failure, Reply, TlsFailure
from smtp_probe.model.finding import Finding, Severity
from smtp_probe.model.login import LoginTrial, MailboxSurvey, QuotaUse, SurveyedFolder
from smtp_probe.model.path import (
    ClockOffset,
    ClockStep,
    Egress,
    HopRole,
    HopTime,
    Leg,
    LegTime,
    Origin,
    PathChange,
    PathFacts,
    PathIdentity,
    Span,
    Timing,
)
from smtp_probe.model.probe import Evidence, Outcome, OutcomeKind, Probe, Tag
from smtp_probe.model.queue import (
    DelayReason,
    QueuedProbe,
    QueuedRecipient,
    QueueEntry,
    QueueFailure,
    QueueLook,
    QueueState,
    QueueSurvey,
    RetryLook,
    RetrySchedule,
    StateSurvey,
)
from smtp_probe.model.spam import SpamFilter, SpamResult, SpamVerdict
from smtp_probe.model.submission import Disposition, Phase, PhaseTiming, Submission, TlsFacts
from smtp_probe.model.trace import Fork, Hop, HopDelay, Trace
from smtp_probe.model.verdict import Authentication, Method, Source, Verdict, VerdictResult
from smtp_probe.model.web import WebAnswer, WebFailure

__all__ = [
    "AccountProtocol",
    "Alteration",
    "Arrival",
    "Authentication",
    "Bounce",
    "BounceSeen",
    "CaaRecord",
    "Cause",
    "CheckResult",
    "ClockOffset",
    "ClockSighting",
    "ClockStep",
    "DelayReason",
    "Desk",
    "Discovery",
    "Disposition",
    "DnsAnswer",
    "DnsSecurity",
    "DnsStatus",
    "DnsValue",
    "DomainNoted",
    "DomainReport",
    "DomainUnderCheck",
    "DrillAttempt",
    "DrillKind",
    "DrillReport",
    "DrillResult",
    "DrillTrial",
    "DuplicateSeen",
    "Echo",
    "Egress",
    "Event",
    "Evidence",
    "ExchangerVisit",
    "Failure",
    "Finding",
    "ForgerySeen",
    "Fork",
    "FoundServer",
    "Hop",
    "HopDelay",
    "HopRole",
    "HopTime",
    "Leg",
    "LegTime",
    "Location",
    "LoginTrial",
    "MailboxMessage",
    "MailboxSurvey",
    "Manner",
    "Memo",
    "Method",
    "MxRecord",
    "Origin",
    "Outcome",
    "OutcomeKind",
    "PathChange",
    "PathFacts",
    "PathIdentity",
    "Phase",
    "PhaseTiming",
    "Placement",
    "Probe",
    "ProbeEnded",
    "ProbeHandedOver",
    "ProbeOverdue",
    "ProbeStarted",
    "ProbeSubmitted",
    "QueueEntry",
    "QueueFailure",
    "QueueLook",
    "QueueState",
    "QueueSurvey",
    "QueuedProbe",
    "QueuedRecipient",
    "QuotaUse",
    "Reply",
    "RetryLook",
    "RetrySchedule",
    "SeenMail",
    "Severity",
    "SlotMissed",
    "SoaRecord",
    "Source",
    "SpamFilter",
    "SpamResult",
    "SpamVerdict",
    "Span",
    "SrvRecord",
    "Stamp",
    "StateSurvey",
    "StraySeen",
    "Submission",
    "SubmissionDeferred",
    "SurveyedFolder",
    "Tag",
    "Timing",
    "TlsFacts",
    "TlsFailure",
    "TlsaRecord",
    "TokenResult",
    "Trace",
    "Verdict",
    "VerdictResult",
    "VerdictsFormed",
    "WebAnswer",
    "WebFailure",
]

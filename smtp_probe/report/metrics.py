"""Every metric that this program exposes, declared once.

Out: `METRICS`, from which the samples at zero, the page and the check of `docs/metrics.md` are made. Counts nothing,
renders nothing. What an event adds is told in `increments`; what a gauge shows, in `last_results` and `observations`.

Rules:

1. A label value is bounded: a name from the configuration, a word from a closed list, or one of a capped number with
   `other` for the rest. No address, no probe id, no text from mail.
2. What is known beforehand exists at zero from the start, so that `increase()` sees the first failure. A time stamp
   or duration that is not known yet is absent: zero would be a lie.
3. A route has at most `ROUTE_SERIES` series at the default detail and with the default buckets.
"""

from __future__ import annotations

from smtp_probe.model import Alteration, OutcomeKind, Placement
from smtp_probe.policy.record_changes import RECORDS
from smtp_probe.report.label_words import (
    BOUNCE_BUCKETS,
    DELIVERY_BUCKETS,
    DNS_BUCKETS,
    FAILURE_REASONS,
    HOP_BUCKETS,
    LOG_LEVELS,
    NOTICES,
    PHASE_BUCKETS,
    UNOBSERVED_REASONS,
)
from smtp_probe.report.metric import Kind, Metric, counter, gauge, histogram, info

ROUTE_SERIES = 60
"""The budget of series for one route at the default detail."""


# The program and its configuration.
BUILD_INFO = info("build_info", "Version of smtp-probe and of Python.", "version", "pythonversion")
SHARD_INFO = info(
    "shard_info", "Which shard of how many this daemon is, counted from zero.", "shard", "shards"
)
ROUTE_INFO = info(
    "route_info",
    "What a route consists of, with the labels that the configuration gives it.",
    *("route", "sender", "mailbox"),
)
INTERVAL = gauge("interval_seconds", "Configured time between two probes of a route.", "route")

# Judged probes.
PROBES = counter("probes_total", "Probes judged: at their end, or at the deadline they missed.", "route")
FAILURES = counter(
    "probe_failures_total",
    "Probes that failed, by reason. A probe is counted once.",
    *("route", "reason"),
    known=FAILURE_REASONS,
)
OUTCOMES = counter(
    "outcomes_total",
    "Ends of probes. An overdue probe ends later as late, bounced or lost.",
    *("route", "outcome"),
    known=tuple(kind.value for kind in OutcomeKind if kind is not OutcomeKind.UNOBSERVED),
)
UNOBSERVED = counter(
    "unobserved_total",
    "Probes of which nothing can be said because our own side failed. Never counted as failures.",
    *("route", "reason"),
    known=UNOBSERVED_REASONS,
)
DUPLICATES = counter(
    "duplicate_messages_total", "Further copies of a message that had been found already.", "route"
)
CORRUPTED = counter("corrupted_messages_total", "Messages that arrived damaged: in their body or header.")
ALTERED = counter(
    "altered_messages_total",
    "Messages that arrived otherwise than they were sent, by what was changed: each once for every kind.",
    "kind",
    known=tuple(Alteration),
)
FORGED = counter("forged_messages_total", "Messages with a tag like ours that are not: forged, or sent anew.")
STRAYS = counter(
    "stray_messages_total",
    "Messages with a tag of our key that this daemon did not send: another one uses the mailbox.",
    "mailbox",
)
NOTICES_SEEN = counter(
    "bounce_notices_total", "Notices that ended no probe, by action (RFC 3464).", "action", known=NOTICES
)
DELAYS = counter("delay_notices_total", "Notices that a message is put off. Exists with the first.", "route")
_BOUNCED = "Probes that a bounce ended, each by its own class and category. Exists when there was one."
BOUNCE_REASONS = counter("bounce_reasons_total", _BOUNCED, "status_class", "category")
BOUNCES = counter(
    "bounces_total",
    "Probes that a bounce ended, by the class of its status code and by why it came back. Exists when there was one.",
    *("route", "status_class", "category"),
)
BOUNCE_DURATION = histogram(
    "bounce_duration_seconds",
    "Time from the final dot to our seeing the bounce that ended the probe, by class of its status, over all routes.",
    "status_class",
    buckets=BOUNCE_BUCKETS,
)
SCHEDULE_MISSED = counter("schedule_missed_total", "Scheduled probes that were not sent.", "route")

# How long it took.
DELIVERY_DURATION = histogram(
    "delivery_duration_seconds",
    "Time from the final dot of the submission to the mailbox's store, late arrivals included.",
    "route",
    buckets=DELIVERY_BUCKETS,
)
LAST_DELIVERY = gauge(
    "last_delivery_duration_seconds", "Delivery time of the probe that arrived last.", "route"
)
LAST_PROBE = gauge("last_probe_timestamp_seconds", "When a probe was last submitted.", "route")
LAST_SUCCESS = gauge("last_success_timestamp_seconds", "When a probe last ended well and in time.", "route")
PHASE_DURATION = histogram(
    "submission_phase_duration_seconds",
    "Duration of each phase of the SMTP transactions of a sender.",
    *("sender", "phase"),
    buckets=PHASE_BUCKETS,
)
LAST_PHASE = gauge(
    "submission_phase_last_duration_seconds",
    "Duration of each phase of the last SMTP transaction of a route.",
    *("route", "phase"),
)
SMTP_REPLIES = counter(
    "smtp_replies_total",
    "SMTP replies that decided a submission: each acceptance or refusal, by phase and code.",
    *("route", "phase", "code"),
)
RETRIES = counter(
    "submission_retries_total",
    "SMTP transactions that ended with a 4xx reply, and after which the same message is tried again.",
    "sender",
)
HOP_DURATION = histogram(
    "hop_duration_seconds",
    "Time that each hop took, corrected for the hosts' clocks, by receiving host, over all routes.",
    "by",
    buckets=HOP_BUCKETS,
)
LAST_HOP = gauge(
    "hop_last_duration_seconds",
    "Time that each hop of the last arrival took, corrected for the hosts' clocks. Adds up to the delivery time.",
    *("route", "hop", "by"),
)
HOP_UNCERTAINTY = gauge(
    "hop_uncertainty_seconds",
    "How far at most the true time of a hop of the last arrival is from the one shown.",
    *("route", "hop", "by"),
)
SLOWEST_HOP = gauge(
    "slowest_hop", "Which hop of the last arrival took the longest: always 1.", "route", "hop", "by"
)
LEG_DURATION = gauge(
    "leg_duration_seconds",
    "Time of each leg of the last arrival, divided at the trust boundary. Absent where its border is not known.",
    *("route", "leg"),
)
PATH_INFO = info(
    "path_info", "Fingerprint of the last arrival's sequence of hosts.", "route", "path", "origin"
)
PATH_CHANGES = counter(
    "path_changes_total", "Arrivals that came another way than the one before them.", "route"
)
CLOCK_OFFSET = gauge(
    "hop_clock_offset_seconds", "How far the clock of a host is ahead of ours; below zero is behind.", "by"
)
CLOCK_OFFSET_BOUND = gauge(
    "hop_clock_offset_bound_seconds", "How far at most the true offset is from the one shown.", "by"
)
CLOCK_STEPS = counter("hop_clock_steps_total", "Times that the clock of a host was found to be set.", "by")
HOP_TLS = gauge(
    "hop_tls",
    "Whether a host took the last message over TLS (1) or in plaintext (0). Absent where its line does not say.",
    *("by", "leg"),
)
HOPS = gauge("hops", "Number of Received headers of the last arrival.", "route")
VISIBILITY_DELAY = gauge(
    "visibility_delay_seconds",
    "Time from the mailbox's store to our seeing the last message. No part of the delivery time.",
    "mailbox",
)

# Where messages arrive, and what is said of the last one.
PLACEMENTS = counter(
    "placement_total",
    "Messages that arrived, by the kind of folder that they were found in.",
    *("route", "placement"),
    known=tuple(Placement),
)
SPAM_SCORE = gauge(
    "spam_score", "Score that a spam filter gave the last message, on its own scale.", "route", "filter"
)
SPAM_THRESHOLD = gauge(
    "spam_score_threshold", "Score from which on that filter takes a message for spam.", "route", "filter"
)
VERDICT = gauge(
    "verdict",
    "1 for the result of each method on the last message: our own, and what the receiver says.",
    *("route", "method", "source", "result"),
)
VERDICTS_DISAGREE = gauge(
    "verdict_disagreement",
    "Whether we and the receiver disagree on that a method passed. Absent where one of both has not decided.",
    *("route", "method"),
)

# What is under way, and our own health.
IN_FLIGHT = gauge("messages_in_flight", "Probes that have not ended.", "route")
OLDEST_IN_FLIGHT = gauge(
    "oldest_in_flight_timestamp_seconds",
    "When the oldest probe that has not ended was made. Absent when there is none.",
    "route",
)
MAILBOX_UP = gauge("mailbox_up", "Whether all folders of the mailbox are watched (1) or not (0).", "mailbox")
MAILBOX_QUOTA = gauge("mailbox_quota_used_ratio", "Share of its quota that is used.", "mailbox", "resource")
MAILBOX_RECONNECTS = counter(
    "mailbox_reconnects_total", "Connections to the mailbox that were lost.", "mailbox", durable=False
)
CERTIFICATE_END = gauge(
    "tls_certificate_not_after_timestamp_seconds", "End of the certificate last seen there.", "endpoint"
)
SCHEDULER_LAG = gauge("scheduler_lag_seconds", "How late a scheduled probe began: the worst of a minute.")

# What domains publish, and what asking for it took.
_FINDING = (
    "finding",
    "1 while a check of a domain, or the last message of a route, shows this: docs/checks.md says what to change.",
)
FINDING = gauge(*_FINDING, "domain", "check", "severity")
ROUTE_FINDING = gauge(*_FINDING, "route", "check", "severity")
"""One metric in two forms: a sample speaks of a domain or of a route. They stand side by side in `METRICS`."""
CHECK_UP = gauge(
    "check_up",
    "Whether the last look at a domain could observe all that the check needs (1) or not (0).",
    *("domain", "check"),
)
DOMAIN_CHECKED = gauge("domain_last_check_timestamp_seconds", "When a domain was last looked at.", "domain")
RECORD_CHANGES = counter(
    "dns_record_changes_total",
    "Record sets of a domain that were seen to change, by what they are.",
    *("domain", "record"),
    known=RECORDS,
)
RECORD_TTL = gauge(
    "dns_record_ttl_seconds",
    "The least TTL that the zone gives records of a domain, where that is known.",
    *("domain", "record"),
)
SPF_LOOKUPS_LEFT = gauge(
    "spf_lookups_left",
    "How many of the ten look-ups of SPF are left. Below zero when it is broken.",
    "domain",
)
DKIM_KEY_BITS = gauge("dkim_key_length", "Bits of the shortest RSA key of a domain's selectors.", "domain")
BLOCK_LISTED = gauge(
    "dnsbl_listed",
    "Whether a block list has an address or a name of a domain (1) or none (0). Absent where the list says nothing.",
    *("domain", "zone"),
)
POLICY_EXPIRY = gauge(
    "mta_sts_policy_expiry_timestamp_seconds", "Until when the MTA-STS policy last fetched holds.", "domain"
)
EXCHANGER_UP = gauge(
    "exchanger_up",
    "Whether an address of an MX host greets and answers EHLO (1) or not (0).",
    *("domain", "host", "address"),
)
EXCHANGER_PHASE = gauge(
    "exchanger_phase_duration_seconds",
    "Duration of each phase of the last visit to an address of an MX host.",
    *("domain", "host", "address", "phase"),
)
EXCHANGER_CERTIFICATE = gauge(
    "exchanger_certificate_not_after_timestamp_seconds",
    "End of the certificate that an address of an MX host last presented.",
    *("domain", "host", "address"),
)
DNS_QUERIES = counter(
    "dns_queries_total",
    "Questions to name servers, by kind and how they ended.",
    "kind",
    "status",
    durable=False,
)
DNS_DURATION = Metric(
    name="smtp_probe_dns_query_duration_seconds",
    kind=Kind.HISTOGRAM,
    help="Time from a question to its answer, over all tries. Answers from the cache do not count.",
    buckets=DNS_BUCKETS,
)

# The queues of servers that are watched. What cannot be read is absent.
QUEUE_INFO = info(
    "queue_info", "A watched queue and how it is read, with its labels.", "queue", "kind", "method"
)
QUEUE_UP = gauge("queue_up", "Whether the last look into a queue saw all of it (1) or not (0).", "queue")
QUEUE_FAILURES = counter(
    "queue_read_failures_total", "Looks into a queue that failed.", "queue", "reason", durable=False
)
QUEUE_LAST_READ = gauge("queue_last_read_timestamp_seconds", "When a queue was last read well.", "queue")
QUEUE_DURATION = gauge("queue_read_duration_seconds", "How long the last look into a queue took.", "queue")
QUEUE_MESSAGES = gauge("queue_messages", "Messages in a queue, by state.", "queue", "state")
QUEUE_SIZE = gauge("queue_size_bytes", "Size of the messages in a queue, by state.", "queue", "state")
QUEUE_OLDEST = gauge(
    "queue_oldest_message_timestamp_seconds", "When the oldest message came in.", "queue", "state"
)
QUEUE_AGE = gauge(
    "queue_message_age_seconds", "Age of messages by percentile, to 5 %.", "queue", "state", "percentile"
)
QUEUE_DEFERRED = gauge(
    "queue_deferred_messages", "Deferred messages, by what keeps them back.", "queue", "reason"
)
QUEUE_DESTINATIONS = gauge(
    "queue_deferred_destination_messages", "Deferred messages by recipient domain.", "queue", "destination"
)
QUEUE_GROWTH = gauge(
    "queue_growth_messages_per_second", "Change of a queue's length, over 15 minutes at most.", "queue"
)
QUEUE_PROBES = gauge("queue_probes", "Our own probes in a queue, of those in flight.", "queue")
QUEUE_RETRY_UP = gauge(
    "queue_retry_schedule_up", "Whether the server last told how it retries (1) or not (0).", "queue"
)
QUEUE_RETRY = gauge("queue_retry_schedule_seconds", "How the server says that it retries.", "queue", "wait")
QUEUE_FINDING = gauge(
    "queue_finding", "1 while this is wrong with its retries: docs/checks.md.", "queue", "check", "severity"
)

# Drills: what their last runs came to. What was not observed is absent.
DRILL_INFO = info("drill_info", "A drill of the configuration.", "drill", "kind")
DRILL_HEALTHY = gauge("drill_healthy", "Whether all was as it should be (1) or not (0).", "drill")
DRILL_LAST_RUN = gauge("drill_last_run_timestamp_seconds", "When a drill last ended.", "drill")
DRILL_DURATION = gauge("drill_duration_seconds", "How long its last run took.", "drill")
DRILL_RUNS = counter("drill_runs_total", "Runs of a drill, by result.", "drill", "result", durable=False)
DRILL_FINDING = gauge("drill_finding", "1 while this is wrong: docs/checks.md.", "drill", "check", "severity")
DRILL_RETRY = gauge("drill_retry_interval_seconds", "Wait before a further attempt.", "drill", "attempt")
DRILL_FAILOVER = gauge("drill_failover_seconds", "Time until the next MX host was reached.", "drill")

# OAuth2 credentials: how long their tokens last, and how the requests for new ones ended.
CREDENTIAL_EXPIRY = gauge(
    "credential_expiry_timestamp_seconds",
    "When the access token that is held expires. Absent without one, or where the server does not tell.",
    "credential",
)
CREDENTIAL_REFRESHES = counter(
    "credential_refreshes_total",
    "Requests for an access token by how they ended, and tokens refused by a mail server before their end.",
    *("credential", "result"),
    durable=False,
)

# The engine. They exist only in processes that have a role (`run --role`).
ENGINE_INFO = info(
    "engine_info", "Which part of the work this process does, and from where.", "member", "roles", "vantage"
)
ENGINE_UP = gauge("engine_up", "Whether the engine takes the word of this process (1) or not (0).")
ENGINE_SCHEDULES = gauge(
    "engine_schedules", "Schedules in the engine when they were last brought in order; by the controller."
)
ENGINE_ORDERED = gauge(
    "engine_schedules_timestamp_seconds",
    "When the schedules were last seen to be in order; by the controller.",
)
ENGINE_RUNS = counter(
    "engine_runs_total", "Runs that this worker was given, by what it did.", "answer", durable=False
)
ENGINE_GROUPS = gauge("engine_mailbox_groups", "Groups of mailboxes that this watcher watches now.")
ENGINE_CHECKING = gauge(
    "engine_checking",
    "1 on the checker that looks at domains and queues and runs drills now, 0 on the others.",
)
ENGINE_CHECKED = gauge(
    "engine_checked",
    "Whether a checker is alive, as far as this exporter hears. Absent where nothing is to be checked.",
)
ENGINE_TAKEOVERS = counter(
    "engine_takeovers_total",
    "Probes whose worker fell silent, and which this watcher took over. They are never sent again.",
    durable=False,
)
ENGINE_BEHIND = gauge(
    "engine_events_behind",
    "Events in the engine that this exporter has not counted yet. Absent when not known.",
)

# The process.
CONFIG_OK = gauge("config_last_reload_successful", "Whether the last load of the configuration worked.")
CONFIG_LOADED = gauge(
    "config_last_reload_success_timestamp_seconds", "When a configuration was last loaded well."
)
JOURNAL_UP = gauge("journal_up", "Whether the journal can be written. Nothing is sent while it is 0.")
CLOCK_STEP = gauge("clock_step_seconds", "How far the wall clock has moved away from the reference clock.")
LOG_MESSAGES = counter(
    "log_messages_total", "Lines logged, by level.", "level", known=LOG_LEVELS, durable=False
)
INTERNAL_ERRORS = counter("internal_errors_total", "Exceptions that are bugs of smtp-probe.", durable=False)

METRICS = tuple(each for each in tuple(globals().values()) if isinstance(each, Metric))
"""In the order in which they are declared, which is that of `/metrics`."""

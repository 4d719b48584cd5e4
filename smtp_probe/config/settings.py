"""The settings, as frozen models: names, types, defaults and the rules inside of a section.

Reads nothing. The models of servers stand in `endpoints`; rules that need two sections stand in `references`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smtp_probe.config.credentials import Credential
from smtp_probe.config.domains import Domain
from smtp_probe.config.drills import Drills
from smtp_probe.config.endpoints import (
    Auth,
    Endpoint,
    Mechanism,
    SecretSource,
    Sender,
    SmtpTimeouts,
    TlsMode,
    TlsOptions,
)
from smtp_probe.config.engine import Engine
from smtp_probe.config.mailboxes import ImapTimeouts, Mailbox, Protocol
from smtp_probe.config.queues import Queue, QueueKind, QueueMethod
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import (
    NO_ROOM_FOR_TAG,
    Address,
    AuthservId,
    DomainName,
    Flag,
    Host,
    IpAddress,
    LabelName,
    LabelText,
    Name,
    Number,
    Port,
    Seconds,
    Whole,
    fits_tag,
)

__all__ = [
    "Auth",
    "ClockSettings",
    "Config",
    "Credential",
    "Domain",
    "Drills",
    "Endpoint",
    "Engine",
    "ImapTimeouts",
    "Mailbox",
    "Mechanism",
    "MetricsSettings",
    "Protocol",
    "Queue",
    "QueueKind",
    "QueueMethod",
    "ResolverSettings",
    "Route",
    "Schedule",
    "SecretSource",
    "Sender",
    "SmtpTimeouts",
    "TlsMode",
    "TlsOptions",
]


class Route(Settings):
    """A named path under test."""

    sender: Name = Field(description="One of `senders`.", examples=["relay"])
    recipient: Address = Field(description="Envelope recipient.", examples=["probe@example.org"])
    mailbox: Name = Field(
        description="One of `mailboxes`: where the recipient's mail arrives.", examples=["inbox"]
    )
    bounce_mailbox: Name | None = Field(None, description="One of `mailboxes`: where bounces return.")
    interval: Seconds = Field(300.0, description="Time between two probes.")
    deadline: Seconds = Field(300.0, description="A probe that has not arrived by then is overdue.")
    give_up_after: Seconds = Field(
        86400.0, description="An overdue probe that has not ended by then is lost."
    )
    message_size: Whole = Field(
        2048, ge=1024, le=10_485_760, description="Size of the message in bytes, at least."
    )
    max_in_flight: Whole = Field(
        100, ge=1, le=10_000, description="Most messages of this route on the way at once."
    )
    plus_address: Flag = Field(False, description="Put the tag into the recipient's local part (user+tag@).")
    echo: Flag = Field(
        False,
        description="Whether the recipient answers by itself: what is waited for is its answer, in `mailbox`; see docs/routes.md.",
    )
    echo_from: tuple[AuthservId, ...] = Field(
        (),
        max_length=8,
        description="Addresses or domains from which the answer comes; default: the recipient's domain.",
        examples=[["echo@example.net"]],
    )
    junk_is_failure: Flag = Field(
        True, description="Whether a message in the junk folder, or in quarantine, counts as a failure."
    )
    authentication: Flag = Field(
        True,
        description="Whether SPF, DKIM, DMARC and ARC of delivered messages are verified, and compared with what the receiver says.",
    )
    labels: dict[LabelName, LabelText] = Field(
        default_factory=dict, max_length=8, description="Further labels, on smtp_probe_route_info only."
    )

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        self._require_order("deadline", "give_up_after")
        return self

    @model_validator(mode="after")
    def _authors_of_an_echo(self) -> Self:
        if self.echo_from and not self.echo:
            raise conflict("echo_from needs echo: true", "echo_from", "echo")
        return self

    @property
    def echo_authors(self) -> tuple[str, ...]:
        """From whom an answer may come."""
        return self.echo_from or (self.recipient.rpartition("@")[2],)

    @model_validator(mode="after")
    def _tag_fits_recipient(self) -> Self:
        if self.plus_address and not fits_tag(self.recipient):
            reason = f"plus_address {NO_ROOM_FOR_TAG}"
            raise conflict(reason, "recipient", "plus_address")
        return self

    @model_validator(mode="after")
    def _labels_of_their_own(self) -> Self:
        taken = sorted({"route", *type(self).model_fields} & set(self.labels))
        if taken:
            reason = f"a label cannot be named like a setting of the route: {', '.join(taken)}"
            raise conflict(reason, "labels")
        return self


class Schedule(Settings):
    """Politeness over all routes."""

    minimum_interval: Seconds = Field(10.0, description="No route may probe more often.")
    max_per_minute: Whole = Field(600, ge=1, description="Most messages a minute over all routes.")
    max_submissions: Whole = Field(20, ge=1, description="Most submissions under way at once.")
    backoff_minimum: Seconds = Field(
        30.0,
        description="First wait after a temporary failure of an endpoint, and before a message is tried again.",
    )
    backoff_maximum: Seconds = Field(3600.0, description="Longest wait after repeated temporary failures.")

    @model_validator(mode="after")
    def _backoff_in_order(self) -> Self:
        self._require_order("backoff_minimum", "backoff_maximum")
        return self


def _require_ascending(buckets: tuple[float, ...]) -> tuple[float, ...]:
    if list(buckets) != sorted(set(buckets)):
        raise PydanticCustomError("not_allowed", "the bounds must ascend, each greater than the one before")
    return buckets


class MetricsSettings(Settings):
    """What `/metrics` shows."""

    delivery_buckets: Annotated[tuple[Seconds, ...], AfterValidator(_require_ascending)] = Field(
        (0.25, 1, 5, 30, 300, 3600),
        min_length=1,
        max_length=40,
        description="Upper bounds of the delivery histogram. Each costs one series a route.",
    )
    detail: Literal["minimal", "route", "default", "full"] = Field(
        "default",
        description=(
            "How much of a route is shown: minimal, whether it works (20 series at most); route, also its delivery times, "
            "outcomes and path (45); default, also its hops, legs, phases, replies and verdicts (60); full, more of them told "
            "apart (110)."
        ),
    )
    created_series: Flag = Field(False, description="Whether to add _created series (start times).")


class ResolverSettings(Settings):
    """Which name servers to ask."""

    nameservers: tuple[IpAddress, ...] = Field(
        (), description="Addresses of name servers; default: the system's."
    )
    port: Port = Field(53, description="Their port.")
    trust_ad: Flag = Field(
        False,
        description="Whether the name servers validate DNSSEC, and the way to them is safe: their AD bit is believed.",
    )
    timeout: Seconds = Field(2.0, description="Wait for one answer.")
    lifetime: Seconds = Field(8.0, description="Wait for one question, over all tries.")

    @model_validator(mode="after")
    def _waits_in_order(self) -> Self:
        self._require_order("timeout", "lifetime")
        return self


class ClockSettings(Settings):
    """What is believed of the clocks of foreign hosts."""

    max_drift_ppm: Number = Field(
        500.0,
        gt=0,
        le=10_000,
        description="How fast a clock may gain or lose on ours, in microseconds a second: the bounds hold up to that.",
    )
    shared: dict[Host, Seconds] = Field(
        default_factory=dict,
        max_length=64,
        description="Domains whose hosts count as one clock, and how far they may differ; the large providers are known.",
        examples=[{"mail.example.org": 0.05}],
    )


_EXAMPLE_SENDERS = {
    "relay": {
        "host": "mail.example.org",
        "tls": "starttls",
        "ehlo_name": "probe.example.org",
        "envelope_from": "probe@example.org",
    }
}
_EXAMPLE_MAILBOXES = {"inbox": {"host": "mail.example.org", "tls": "implicit"}}
_EXAMPLE_ROUTES = {"daily": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"}}


class Config(Settings):
    """A whole configuration file."""

    senders: dict[Name, Sender] = Field(
        min_length=1, description="SMTP endpoints and identities, by name.", examples=[_EXAMPLE_SENDERS]
    )
    mailboxes: dict[Name, Mailbox] = Field(
        min_length=1, description="Mailboxes, and how each is read, by name.", examples=[_EXAMPLE_MAILBOXES]
    )
    routes: dict[Name, Route] = Field(
        min_length=1, description="Paths under test, by name.", examples=[_EXAMPLE_ROUTES]
    )
    credentials: dict[Name, Credential] = Field(
        {}, description="OAuth2 credentials whose access tokens senders and mailboxes log in with, by name."
    )
    domains: dict[DomainName, Domain] = Field(
        {},
        description="Domains whose DNS and exchangers are checked, by their names.",
        examples=[{"example.org": {}}],
    )
    queues: dict[Name, Queue] = Field(
        {},
        description="Queues of mail servers on this machine that are watched, by name.",
        examples=[{"outbound": {"kind": "postfix"}}],
    )
    drills: Drills = Field(
        default_factory=Drills,
        description="What of the delivery path is exercised on purpose (docs/drills.md); nothing by default.",
    )
    engine: Engine | None = Field(
        None,
        description="NATS JetStream, for several processes that share the work (docs/engine.md); only for `run --role`.",
        examples=[{"servers": ["tls://nats-1.example.org:4222"]}],
    )
    schedule: Schedule = Field(default_factory=Schedule, description="Politeness over all routes.")
    resolver: ResolverSettings = Field(default_factory=ResolverSettings, description="Name servers to ask.")
    clocks: ClockSettings = Field(
        default_factory=ClockSettings, description="What is believed of the clocks of foreign hosts."
    )
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="What /metrics shows.")
    state_directory: Path = Field(
        Path("/var/lib/smtp-probe"), description="Where the journal and the signing key are kept."
    )
    tag_key_files: tuple[Path, ...] = Field(
        (), description="Signing keys, newest first; default: one is made in the state directory."
    )
    history_days: Number = Field(
        30.0, gt=0, le=3660, description="How long delivered probes are kept in the journal."
    )
    failure_history_days: Number = Field(
        365.0,
        gt=0,
        le=3660,
        description="How long probes that ended otherwise are kept, at most 10,000 a route.",
    )

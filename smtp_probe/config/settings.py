"""The settings, as frozen models: names, types, defaults and the rules between them.

Reads nothing. A secret is described by where it is kept (`SecretSource`), and read when it is used, so that a
changed file is picked up and no model ever holds one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_UNIT_SECONDS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


def parse_duration(value: object) -> object:
    """Turn `1h30m`, `45s` or `250ms` into seconds; numbers and everything else pass through unchanged."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if not match or not value.strip():
        message = "not a duration: write it like 30s, 5m, 1h30m or 250ms"
        raise ValueError(message)
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNIT_SECONDS, strict=True) if part)


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:\[\]-]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[str, Field(max_length=254, pattern=r"^[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+$")]
HeaderText = Annotated[str, Field(min_length=3, max_length=400, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Settings(BaseModel):
    """The common rule of all sections: frozen, and no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TlsMode(StrEnum):
    """How a connection is secured. There is no opportunistic mode: what is asked for happens, or it fails."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


class Mechanism(StrEnum):
    """The one SASL mechanism to use."""

    PLAIN = "plain"
    LOGIN = "login"
    XOAUTH2 = "xoauth2"


class TlsOptions(Settings):
    """How a server's certificate is checked."""

    ca_file: Path | None = Field(
        None, description="PEM file of the authorities to trust instead of the system's."
    )
    server_name: str | None = Field(None, description="Name to ask for and to verify; default: the host.")
    minimum_version: Literal["1.2", "1.3"] = Field("1.2", description="Oldest TLS version to accept.")
    verify: bool = Field(True, description="Whether the certificate must verify. False is for tests only.")


class SecretSource(Settings):
    """Where a password or token is kept; exactly one of the three."""

    password_file: Path | None = Field(
        None, description="File that holds the secret; a final newline is dropped."
    )
    password_env: str | None = Field(None, description="Environment variable that holds the secret.")
    password_credential: str | None = Field(
        None, description="Name of a systemd credential (LoadCredential=)."
    )


class Auth(SecretSource):
    """Who we are, to a server."""

    mechanism: Mechanism = Field(Mechanism.PLAIN, description="The one SASL mechanism that is used.")
    username: str = Field(min_length=1, max_length=254, description="Login name.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in SecretSource.model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            message = "exactly one of password_file, password_env and password_credential is needed"
            raise ValueError(message)
        return self


class Endpoint(Settings):
    """A server, how to reach it, and how to log in."""

    host: Host = Field(description="Host name or address.")
    port: Port | None = Field(None, description="Port; default by protocol and `tls`.")
    tls: TlsMode = Field(description="implicit, starttls or none.")
    tls_options: TlsOptions = Field(default_factory=TlsOptions, description="How the certificate is checked.")
    address_family: Literal["any", "ipv4", "ipv6"] = Field("any", description="Which addresses to use.")
    source_address: str | None = Field(None, description="Local address to connect from.")
    auth: Auth | None = Field(None, description="Credentials; none by default.")
    allow_credentials_without_tls: bool = Field(
        False, description="Say true to send the password over an unencrypted connection."
    )

    @model_validator(mode="after")
    def _no_secret_in_the_clear(self) -> Self:
        if self.auth is not None and self.tls is TlsMode.NONE and not self.allow_credentials_without_tls:
            message = (
                "credentials would be sent unencrypted (tls: none): use tls: starttls or implicit, "
                "or say allow_credentials_without_tls: true"
            )
            raise ValueError(message)
        return self


class SmtpTimeouts(Settings):
    """Deadlines of the phases (RFC 5321 section 4.5.3.2 names the upper ones), and one over all."""

    resolve: Seconds = Field(10.0, description="Looking up the host.")
    connect: Seconds = Field(30.0, description="TCP connection, for all addresses together.")
    tls: Seconds = Field(30.0, description="TLS handshake.")
    greeting: Seconds = Field(300.0, description="Waiting for the 220 greeting.")
    ehlo: Seconds = Field(60.0, description="Answer to EHLO.")
    auth: Seconds = Field(60.0, description="Authentication dialogue.")
    mail: Seconds = Field(300.0, description="Answer to MAIL.")
    rcpt: Seconds = Field(300.0, description="Answer to RCPT.")
    data: Seconds = Field(300.0, description="Answer to DATA, and handing over the message.")
    accept: Seconds = Field(600.0, description="Answer to the final dot.")
    quit: Seconds = Field(5.0, description="Answer to QUIT.")
    total: Seconds = Field(900.0, description="The whole transaction.")


class Sender(Endpoint):
    """An SMTP endpoint and the identity with which mail is handed to it."""

    ehlo_name: Host = Field(description="Name given in EHLO: should be ours in DNS.")
    envelope_from: Address = Field(description="Envelope sender (MAIL FROM): bounces go there.")
    from_: HeaderText | None = Field(
        None, alias="from", description="From header; default: the envelope sender."
    )
    timeouts: SmtpTimeouts = Field(default_factory=SmtpTimeouts, description="Deadlines of the phases.")
    max_per_minute: int = Field(60, ge=1, description="Most messages a minute to this endpoint.")

    @property
    def effective_port(self) -> int:
        """The port, or the protocol's own for the TLS mode (RFC 8314, 6409)."""
        return self.port or {TlsMode.IMPLICIT: 465, TlsMode.STARTTLS: 587, TlsMode.NONE: 25}[self.tls]


class ImapTimeouts(Settings):
    """Deadlines of a mailbox connection."""

    connect: Seconds = Field(30.0, description="Look-up, TCP connection, TLS handshake and greeting.")
    command: Seconds = Field(30.0, description="Answer to one command.")
    idle: Seconds = Field(240.0, description="How long one IDLE lasts before it is renewed.")
    reconnect_minimum: Seconds = Field(1.0, description="First wait before connecting again.")
    reconnect_maximum: Seconds = Field(300.0, description="Longest wait before connecting again.")


class Mailbox(Endpoint):
    """An IMAP account in which probes arrive, or to which bounces return."""

    folders: tuple[str, ...] = Field(
        ("INBOX",), min_length=1, description="Folders in which a probe is delivered."
    )
    junk: str | None = Field(
        "auto", description="Junk folder: auto finds it by SPECIAL-USE or by name, null watches none."
    )
    after_judgement: Literal["delete", "trash", "keep"] = Field(
        "delete", description="What becomes of a probe's message when it has been judged."
    )
    trash: str = Field("auto", description="Trash folder for after_judgement: trash.")
    sweep_after: Seconds = Field(
        86400.0, description="Age at which messages of ours without a probe are removed."
    )
    poll_minimum: Seconds = Field(
        0.005, description="Shortest wait between two looks while a probe is young."
    )
    poll_fraction: float = Field(
        0.05, gt=0, le=1, description="Wait between two looks as a part of the youngest probe's age."
    )
    poll_maximum: Seconds = Field(2.0, description="Longest wait between two looks before IDLE takes over.")
    timeouts: ImapTimeouts = Field(default_factory=ImapTimeouts, description="Deadlines of the connection.")

    @property
    def effective_port(self) -> int:
        """The port, or the protocol's own for the TLS mode (RFC 8314)."""
        return self.port or (993 if self.tls is TlsMode.IMPLICIT else 143)


class Route(Settings):
    """A named path under test."""

    sender: Name = Field(description="One of `senders`.")
    recipient: Address = Field(description="Envelope recipient.")
    mailbox: Name = Field(description="One of `mailboxes`: where the recipient's mail arrives.")
    bounce_mailbox: Name | None = Field(None, description="One of `mailboxes`: where bounces return.")
    interval: Seconds = Field(300.0, description="Time between two probes.")
    deadline: Seconds = Field(300.0, description="A probe that has not arrived by then is overdue.")
    give_up_after: Seconds = Field(
        86400.0, description="An overdue probe that has not ended by then is lost."
    )
    message_size: int = Field(
        2048, ge=1024, le=10_485_760, description="Size of the message in bytes, at least."
    )
    max_in_flight: int = Field(
        100, ge=1, le=10_000, description="Most messages of this route on the way at once."
    )
    plus_address: bool = Field(False, description="Put the tag into the recipient's local part (user+tag@).")
    junk_is_failure: bool = Field(
        True, description="Whether a message in the junk folder counts as a failure."
    )
    labels: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], Annotated[str, Field(max_length=64)]
    ] = Field(
        default_factory=dict, max_length=8, description="Further labels, on smtp_probe_route_info only."
    )

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        if self.give_up_after < self.deadline:
            message = "give_up_after must not be shorter than deadline"
            raise ValueError(message)
        return self


class Schedule(Settings):
    """Politeness over all routes."""

    minimum_interval: Seconds = Field(10.0, description="No route may probe more often.")
    max_per_minute: int = Field(600, ge=1, description="Most messages a minute over all routes.")
    max_submissions: int = Field(20, ge=1, description="Most submissions under way at once.")
    backoff_minimum: Seconds = Field(30.0, description="First wait after a temporary failure of an endpoint.")
    backoff_maximum: Seconds = Field(3600.0, description="Longest wait after repeated temporary failures.")


class MetricsSettings(Settings):
    """What `/metrics` shows."""

    delivery_buckets: tuple[float, ...] = Field(
        (0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 3600),
        min_length=1,
        max_length=40,
        description="Upper bounds of the delivery histogram, in seconds. Each costs one series a route.",
    )
    detail: Literal["default", "full"] = Field(
        "default",
        description="How many hops and SMTP replies of a route are told apart: default keeps it to 60 series.",
    )
    created_series: bool = Field(False, description="Whether to add _created series (start times).")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.delivery_buckets) != sorted(set(self.delivery_buckets)) or self.delivery_buckets[0] <= 0:
            message = "delivery_buckets must be positive and ascending"
            raise ValueError(message)
        return self


class ResolverSettings(Settings):
    """Which name servers to ask."""

    nameservers: tuple[str, ...] = Field((), description="Addresses of name servers; default: the system's.")
    port: Port = Field(53, description="Their port.")
    timeout: Seconds = Field(2.0, description="Wait for one answer.")
    lifetime: Seconds = Field(8.0, description="Wait for one question, over all tries.")


class Config(Settings):
    """A whole configuration file."""

    senders: dict[Name, Sender] = Field(min_length=1, description="SMTP endpoints and identities, by name.")
    mailboxes: dict[Name, Mailbox] = Field(min_length=1, description="IMAP accounts, by name.")
    routes: dict[Name, Route] = Field(min_length=1, description="Paths under test, by name.")
    schedule: Schedule = Field(default_factory=Schedule, description="Politeness over all routes.")
    resolver: ResolverSettings = Field(default_factory=ResolverSettings, description="Name servers to ask.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="What /metrics shows.")
    state_directory: Path = Field(
        Path("/var/lib/smtp-probe"), description="Where the journal and the signing key are kept."
    )
    tag_key_files: tuple[Path, ...] = Field(
        (), description="Signing keys, newest first; default: one is made in the state directory."
    )
    history_days: float = Field(30.0, gt=0, description="How long ended probes are kept in the journal.")


def references(config: Any) -> list[tuple[tuple[str, ...], str]]:
    """Every name in `routes` that points at nothing, with its path: what a model alone cannot see.

    Also what needs two sections to be judged (an interval below the minimum).
    """
    problems: list[tuple[tuple[str, ...], str]] = []
    for name, route in config.routes.items():
        for field, known, section in (
            ("sender", config.senders, "senders"),
            ("mailbox", config.mailboxes, "mailboxes"),
            ("bounce_mailbox", config.mailboxes, "mailboxes"),
        ):
            value = getattr(route, field)
            if value is not None and value not in known:
                choice = ", ".join(sorted(known)[:10])
                problems.append((("routes", name, field), f"{value!r} is not one of {section}: {choice}"))
        if route.interval < config.schedule.minimum_interval:
            problems.append(
                (
                    ("routes", name, "interval"),
                    f"{route.interval:g} s is below schedule.minimum_interval ({config.schedule.minimum_interval:g} s)",
                )
            )
    return problems

"""Servers in the settings: how each is reached, secured and logged in to, and what we are there.

Reads nothing. A secret is described by where it is kept (`SecretSource`), and read when it is used, so that a
changed file is picked up and no model ever holds one. `settings` offers these models to the rest of the program.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from smtp_probe.config.profiles import SENDERS, Profile, with_profile
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import (
    NO_ROOM_FOR_TAG,
    Address,
    Author,
    CredentialName,
    Flag,
    Host,
    IpAddress,
    Name,
    Port,
    Seconds,
    TlsVersion,
    VariableName,
    Whole,
    fits_tag,
)


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
    OAUTHBEARER = "oauthbearer"


class TlsOptions(Settings):
    """How a server's certificate is checked."""

    ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities to trust instead of the system's; revocation lists in it are heeded.",
    )
    server_name: Host | None = Field(None, description="Name to ask for and to verify; default: the host.")
    minimum_version: TlsVersion = Field("1.2", description="Oldest TLS version to accept.")
    verify: Flag = Field(True, description="Whether the certificate must verify. False is for tests only.")


class SecretSource(Settings):
    """Where a password or token is kept; exactly one of the three."""

    password_file: Path | None = Field(
        None, description="File that holds the secret; a final newline is dropped."
    )
    password_env: VariableName | None = Field(None, description="Environment variable that holds the secret.")
    password_credential: CredentialName | None = Field(
        None, description="Name of a systemd credential (LoadCredential=)."
    )


def _require_one(settings: Settings, *keys: str) -> None:
    """Raise a conflict unless exactly one of these is given."""
    given = tuple(key for key in keys if getattr(settings, key) is not None)
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them"
        reason = f"exactly one of {', '.join(keys)} is needed; found {found}"
        raise conflict(reason, *(given or ("", *keys)))


class StoredSecret(SecretSource):
    """Where a secret is kept; exactly one of the three."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        _require_one(self, *SecretSource.model_fields)
        return self


class Auth(SecretSource):
    """Who we are, to a server."""

    oauth: Name | None = Field(
        None,
        description="Name of an entry of `credentials`, whose access token is the secret; needs xoauth2 or oauthbearer.",
    )
    mechanism: Mechanism = Field(Mechanism.PLAIN, description="The one SASL mechanism that is used.")
    username: str = Field(min_length=1, max_length=254, description="Login name.", examples=["probe"])

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        _require_one(self, *SecretSource.model_fields, "oauth")
        return self

    @model_validator(mode="after")
    def _token_for_a_mechanism_of_tokens(self) -> Self:
        if self.oauth is not None and self.mechanism not in (Mechanism.XOAUTH2, Mechanism.OAUTHBEARER):
            raise conflict("oauth needs mechanism: xoauth2 or oauthbearer", "mechanism", "oauth")
        return self


class Endpoint(Settings):
    """A server, how to reach it, and how to log in."""

    host: Host = Field(description="Host name or address.", examples=["mail.example.org"])
    port: Port | None = Field(None, description="Port; default by protocol and `tls`.")
    tls: TlsMode = Field(
        description="How the connection is secured: implicit (TLS from the start), starttls, or none.",
        examples=[TlsMode.STARTTLS],
    )
    tls_options: TlsOptions = Field(default_factory=TlsOptions, description="How the certificate is checked.")
    address_family: Literal["any", "ipv4", "ipv6"] = Field("any", description="Which addresses to use.")
    source_address: IpAddress | None = Field(None, description="Local address to connect from.")
    auth: Auth | None = Field(None, description="Credentials; none by default.")
    allow_credentials_without_tls: Flag = Field(
        False, description="Say true to send the password over an unencrypted connection."
    )

    @model_validator(mode="after")
    def _no_secret_in_the_clear(self) -> Self:
        if self.auth is not None and self.tls is TlsMode.NONE and not self.allow_credentials_without_tls:
            reason = (
                "credentials would be sent unencrypted (tls: none): use tls: starttls or tls: implicit, "
                "or say allow_credentials_without_tls: true"
            )
            raise conflict(reason, "tls", "allow_credentials_without_tls")
        return self

    @model_validator(mode="after")
    def _source_fits_family(self) -> Self:
        if self.source_address is None or self.address_family == "any":
            return self
        version = ip_address(self.source_address).version
        if self.address_family != f"ipv{version}":
            reason = f"source_address is an IPv{version} address, but address_family is {self.address_family}"
            raise conflict(reason, "source_address", "address_family")
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

    ehlo_name: Host = Field(
        description="Name given in EHLO: should be ours in DNS.", examples=["probe.example.org"]
    )
    envelope_from: Address = Field(
        description="Envelope sender (MAIL FROM): bounces go there.", examples=["probe@example.org"]
    )
    verp: Flag = Field(
        False,
        description="Put the tag into the envelope sender's local part (user+tag@): a bounce that quotes nothing is tied to its probe.",
    )
    from_: Author | None = Field(None, alias="from", description="From header; default: the envelope sender.")
    profile: Profile | None = Field(
        None, description="Whose habits are the defaults of this section: see docs/providers.md."
    )
    own_hosts: tuple[Host, ...] = Field(
        (),
        max_length=64,
        description="Hosts and domains of the sending side that are ours, up to the egress; default: by their names.",
        examples=[["example.org"]],
    )
    use_greeting_time: Flag = Field(
        False, description="Whether a time in the server's greeting is used to learn how its clock goes."
    )
    timeouts: SmtpTimeouts = Field(default_factory=SmtpTimeouts, description="Deadlines of the phases.")
    max_per_minute: Whole = Field(60, ge=1, description="Most messages a minute to this endpoint.")

    @model_validator(mode="before")
    @classmethod
    def _habits(cls, data: Any) -> Any:
        return with_profile(data, SENDERS)

    @model_validator(mode="after")
    def _author_is_no_daemon(self) -> Self:
        address = (self.from_ or self.envelope_from).rpartition("<")[2]
        if address.lower().startswith("mailer-daemon@"):
            raise conflict("mail from mailer-daemon would be taken for a bounce", "from", "envelope_from")
        return self

    @model_validator(mode="after")
    def _tag_fits_sender(self) -> Self:
        if self.verp and not fits_tag(self.envelope_from):
            reason = f"verp {NO_ROOM_FOR_TAG}"
            raise conflict(reason, "envelope_from", "verp")
        return self

    @property
    def effective_port(self) -> int:
        """The port, or the protocol's own for the TLS mode (RFC 8314, 6409)."""
        return self.port or {TlsMode.IMPLICIT: 465, TlsMode.STARTTLS: 587, TlsMode.NONE: 25}[self.tls]

"""The settings of the engine: where NATS JetStream is, who we are to it, and how much it may keep.

Reads nothing. The section is needed by `run --role` only; without a role it is not looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from smtp_probe.config.endpoints import SecretSource, TlsOptions
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import Flag, NatsUrl, Seconds, Token, Whole


class EngineTls(TlsOptions):
    """How the certificate of a NATS server is checked, and which one we show."""

    certificate_file: Path | None = Field(None, description="PEM file of our own certificate.")
    key_file: Path | None = Field(None, description="PEM file of its key.")

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise conflict("certificate_file and key_file belong together", "certificate_file", "key_file")
        return self


class EngineAuth(SecretSource):
    """Who we are to the NATS servers: a credentials file, an NKey, or a user with a password."""

    credentials_file: Path | None = Field(None, description="File with a user's JWT and NKey seed (.creds).")
    nkey_file: Path | None = Field(None, description="File with a user's NKey seed.")
    username: str | None = Field(None, min_length=1, max_length=254, description="User of a password.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        secrets = [key for key in SecretSource.model_fields if getattr(self, key) is not None]
        ways = [
            key for key in ("credentials_file", "nkey_file", "username") if getattr(self, key) is not None
        ]
        if len(ways) != 1:
            raise conflict(
                "exactly one of credentials_file, nkey_file and username is needed", *(ways or ("",))
            )
        if len(secrets) != (1 if self.username is not None else 0):
            raise conflict(
                "a username needs exactly one of password_file, password_env, password_credential; "
                "the other ways need none",
                *(secrets or ("username",)),
            )
        return self


class Engine(Settings):
    """NATS JetStream (nats-server 2.14 or newer) as the engine of several processes (docs/engine.md)."""

    servers: tuple[NatsUrl, ...] = Field(
        min_length=1,
        max_length=64,
        description="Servers of one cluster; nats:// or tls://, without a user.",
        examples=[["tls://nats-1.example.org:4222"]],
    )
    vantage: Token = Field("default", description="From where the workers of this process send.")
    vantages: tuple[Token, ...] = Field(
        ("default",),
        min_length=1,
        max_length=64,
        description="All vantages: every route is sent from each of them. The controller needs to know.",
    )
    namespace: Token = Field(
        "smtp-probe", description="First word of all subjects, and of the names of streams and buckets."
    )
    replicas: Literal[1, 3, 5] = Field(3, description="Copies that the cluster keeps of each stream.")
    retention: Seconds = Field(
        259_200.0,
        description="How long events are kept: for processes that were away, and until probes have ended.",
    )
    max_bytes: Whole = Field(
        10_737_418_240, ge=16_777_216, description="Most bytes of results; older ones go first."
    )
    lease: Seconds = Field(
        5.0,
        description="After so long a silence a process is taken for dead: others take its mailboxes over.",
    )
    tls_options: EngineTls = Field(default_factory=EngineTls, description="How certificates are checked.")
    auth: EngineAuth | None = Field(None, description="Who we are; nobody by default.")
    allow_credentials_without_tls: Flag = Field(
        False, description="Say true to log in with a password over nats://."
    )
    creates_streams: Flag = Field(
        True,
        description="Whether the controller makes streams and buckets that do not exist (deploy/nats defines them).",
    )

    @model_validator(mode="after")
    def _own_vantage_is_one_of_them(self) -> Self:
        if self.vantage not in self.vantages:
            reason = f"vantage {self.vantage} is not one of vantages"
            raise conflict(reason, "vantage", "vantages")
        return self

    @model_validator(mode="after")
    def _no_secret_in_the_clear(self) -> Self:
        is_plain = any(url.startswith("nats://") for url in self.servers)
        is_password = self.auth is not None and self.auth.username is not None
        if is_plain and is_password and not self.allow_credentials_without_tls:
            reason = "the password would be sent unencrypted: use tls://, or say allow_credentials_without_tls: true"
            raise conflict(reason, "servers", "allow_credentials_without_tls")
        return self

    @model_validator(mode="after")
    def _lasting(self) -> Self:
        if self.retention < 3600:
            raise conflict("retention must be at least 1h", "retention")
        if not 2 <= self.lease <= 300:
            raise conflict("lease must be between 2s and 5m", "lease")
        return self

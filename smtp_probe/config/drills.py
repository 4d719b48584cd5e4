"""The section `drills`: what of the delivery path is exercised on purpose, where, and how often.

Reads nothing. Nothing is a drill that is not written here. The names of all kinds together are unique, since one command
and one page know a drill by its name alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import (
    Address,
    Flag,
    IpAddress,
    Name,
    Port,
    ReplyCodes,
    Seconds,
    StatusPrefix,
    Whole,
)

KINDS = ("bounce", "retry", "failover", "rejection")
"""The sections, each of one kind."""
SHORTEST_INTERVAL_SECONDS = 300.0
"""Between two runs of a drill outside of a lab."""
_ROOM_FOR_TAG = 15  # of 64 characters before the @ the tag takes 49
_DAY = 86400.0


class FailoverMode(StrEnum):
    """What the preferred receiver does."""

    REFUSE = "refuse"
    UNAVAILABLE = "unavailable"
    DEFER = "defer"
    SILENT = "silent"
    TARPIT = "tarpit"


class RejectionCheck(StrEnum):
    """What must be refused. Bounded: these values are parts of the ids of findings."""

    RELAY = "relay"
    NO_AUTH = "no_auth"
    WRONG_AUTH = "wrong_auth"
    AUTH_BEFORE_TLS = "auth_before_tls"
    FORGED_SENDER = "forged_sender"
    FORGED_FROM = "forged_from"
    OVERSIZED = "oversized"
    GTUBE = "gtube"
    EICAR = "eicar"


class Listener(Settings):
    """Where a receiver of ours listens, during a drill only."""

    address: IpAddress = Field(
        description="Address to listen on: that of the test domain's MX, or where it is forwarded to.",
        examples=["192.0.2.25"],
    )
    port: Port = Field(25, description="Port to listen on.")


class Drill(Settings):
    """What all kinds of drills have."""

    sender: Name = Field(
        description="One of `senders`: the server under test, and who we are to it.", examples=["relay"]
    )
    interval: Seconds = Field(_DAY, description="Time between two runs: 5m at least, unless drills.lab.")

    def deadlines(self) -> tuple[str, ...]:
        """The settings that must not be longer than the interval."""
        return ("deadline",)


class BounceDrill(Drill):
    """Mail to an address that must not exist: the bounce must come back."""

    recipient: Address = Field(
        description="An address that does not exist, at a server behind the one under test.",
        examples=["no-such-user@example.org"],
    )
    mailbox: Name = Field(
        description="One of `mailboxes`: where mail to the sender's envelope_from arrives.",
        examples=["bounces"],
    )
    other_mailbox: Name | None = Field(
        None,
        description="One of `mailboxes`: where a bounce must not arrive, that of the From header for instance.",
    )
    deadline: Seconds = Field(900.0, description="A bounce that has not come by then is missing.")
    expected_status: tuple[StatusPrefix, ...] = Field(
        ("5.1", "5.0", "5.4.1"),
        min_length=1,
        max_length=20,
        description="Status codes that a right bounce has (RFC 3463), or how they begin.",
    )


class _Received(Drill):
    """What the drills with a receiver have."""

    recipient: Address = Field(
        description="An address at the test domain, with 15 characters before the @ at most.",
        examples=["drill@drill.example.org"],
    )

    @model_validator(mode="after")
    def _tag_fits(self) -> Self:
        local = self.recipient.rpartition("@")[0]
        if len(local) > _ROOM_FOR_TAG or '"' in local or "+" in local:
            reason = f"the tag leaves room for {_ROOM_FOR_TAG} characters before the @, and none may be '+' or '\"'"
            raise conflict(reason, "recipient")
        return self


class RetryDrill(_Received):
    """Mail to ourselves, put off with 451: each attempt of the server is timed."""

    listen: Listener = Field(
        description="Where we take the mail.", examples=[{"address": "192.0.2.25", "port": 25}]
    )
    deferrals: Whole = Field(
        3,
        ge=1,
        le=10,
        description="How many attempts are put off; from three on it is judged whether waits grow.",
    )
    deadline: Seconds = Field(10800.0, description="Attempts that have not come by then are missing.")
    minimum_first_retry: Seconds = Field(300.0, description="A second attempt before that is too aggressive.")
    steady_wait: Seconds = Field(
        900.0, description="Waits shorter than that have to grow from one attempt to the next."
    )


class FailoverDrill(_Received):
    """Mail to ourselves, while the preferred MX host fails; whether it comes to the next one in time."""

    preferred: Listener = Field(
        description="Where the MX host of the lower preference value points.",
        examples=[{"address": "192.0.2.25"}],
    )
    fallback: Listener = Field(
        description="Where the next MX host points.", examples=[{"address": "192.0.2.26"}]
    )
    mode: FailoverMode = Field(
        FailoverMode.REFUSE,
        description="How the preferred one fails: no listener, 421 at once, 451 to RCPT, no word, or a greeting without end.",
    )
    hold: Seconds = Field(
        600.0, description="How long a connection is held, silent or as a tarpit, before it is cut."
    )
    deadline: Seconds = Field(
        3600.0, description="Mail that has not come to the next one by then is missing."
    )
    maximum_failover: Seconds = Field(600.0, description="A longer time until the next one is too slow.")

    def deadlines(self) -> tuple[str, ...]:
        """The settings that must not be longer than the interval."""
        return ("deadline",)

    @model_validator(mode="after")
    def _two_places(self) -> Self:
        self._require_order("maximum_failover", "deadline")
        if self.preferred == self.fallback:
            raise conflict("preferred and fallback need different places", "fallback", "preferred")
        return self


class RejectionDrill(Drill):
    """What the server must refuse, tried. Each check is asked for by name."""

    checks: tuple[RejectionCheck, ...] = Field(
        min_length=1,
        max_length=len(RejectionCheck),
        description="What is tried. wrong_auth and auth_before_tls look like an attack: see docs/drills.md.",
        examples=[["relay", "no_auth"]],
    )
    recipient: Address = Field(
        description="A mailbox of your own at the server: where the mail of a failed check would arrive.",
        examples=["probe@example.org"],
    )
    foreign_recipient: Address = Field(
        "relay-test@example.org", description="A stranger for whom the server must not take mail."
    )
    forged_address: Address | None = Field(
        None, description="An address that the sender's login must not use; for the two forged checks."
    )
    oversized_bytes: Whole | None = Field(
        None,
        ge=1024,
        le=52_428_800,
        description="A size that must be refused; sent in full where the server announces no limit. Default: one byte above it.",
    )
    wrong_username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")] = (
        Field("smtp-probe-drill", description="A login that does not exist, for checks with wrong passwords.")
    )
    expected: dict[Name, ReplyCodes] = Field(
        default_factory=dict,
        max_length=len(RejectionCheck),
        description="Reply codes that count as refused, by check: `550 554`, or `5` for all that begin so, the default.",
        examples=[{"gtube": "550 554"}],
    )

    def deadlines(self) -> tuple[str, ...]:
        """None: each command has the deadline of its sender."""
        return ()

    @model_validator(mode="after")
    def _checks_can_be_done(self) -> Self:
        unknown = sorted(set(self.expected) - set(RejectionCheck))
        if unknown:
            words = ", ".join(check.value for check in RejectionCheck)
            reason = f"{unknown[0]!r} is no check: the checks are {words}"
            raise conflict(reason, "expected")
        forged = {RejectionCheck.FORGED_FROM, RejectionCheck.FORGED_SENDER} & set(self.checks)
        if forged and self.forged_address is None:
            reason = f"{min(forged).value} needs a forged_address"
            raise conflict(reason, "forged_address", "checks")
        if len(set(self.checks)) < len(self.checks):
            raise conflict("a check is named twice", "checks")
        return self


class Drills(Settings):
    """What is exercised on purpose. Nothing runs that is not named here."""

    bounce: dict[Name, BounceDrill] = Field({}, description="Bounce drills, by name.")
    retry: dict[Name, RetryDrill] = Field({}, description="Retry drills, by name.")
    failover: dict[Name, FailoverDrill] = Field({}, description="Failover drills, by name.")
    rejection: dict[Name, RejectionDrill] = Field({}, description="Rejection drills, by name.")
    lab: Flag = Field(False, description="Whether intervals may be below 5m: only against servers of a lab.")

    @property
    def by_name(self) -> Mapping[str, AnyDrill]:
        """All of them."""
        return {**self.bounce, **self.retry, **self.failover, **self.rejection}

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        kinds: dict[str, str] = {}
        for kind in KINDS:
            for name in getattr(self, kind):
                if name in kinds:
                    reason = f"two drills have the name {name!r}"
                    raise conflict(reason, kind, kinds[name])
                kinds[name] = kind
        return self


AnyDrill = BounceDrill | RetryDrill | FailoverDrill | RejectionDrill

"""The section `mailboxes`: where a mailbox is, how it is read, and which of its folders mean what.

Reads nothing. What a protocol cannot have is refused by one table (`_ONLY`), and what follows from it by itself is filled in
(`profiles.PROTOCOLS`), so that a section says no more than it has to.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from smtp_probe.config.endpoints import Endpoint, Mechanism, TlsMode, TlsOptions
from smtp_probe.config.profiles import MAILBOXES, PROTOCOLS, Profile, with_profile
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import AuthservId, FolderName, Host, Number, Seconds, Whole

_LONGEST_IDLE_SECONDS = 29 * 60.0  # RFC 2177: a server may log out after 30 minutes


class Protocol(StrEnum):
    """How a mailbox is read."""

    IMAP = "imap"
    POP3 = "pop3"
    MAILDIR = "maildir"
    JMAP = "jmap"
    GRAPH = "graph"


_PORTS = {
    Protocol.IMAP: (993, 143),
    Protocol.POP3: (995, 110),
    Protocol.MAILDIR: (0, 0),
    Protocol.JMAP: (443, 80),
    Protocol.GRAPH: (443, 80),
}
"""With TLS from the start, and without."""
_OVER_HTTP = frozenset({Protocol.JMAP, Protocol.GRAPH})
_TOKENS = frozenset({Mechanism.XOAUTH2, Mechanism.OAUTHBEARER})
_CHOICE = ("protocol", "host", "tls")
"""What a protocol decides: with another one, a host may be required that is not now."""
_Limits = tuple[Mapping[str, Any], str]
_LIMITS: Mapping[Protocol, tuple[_Limits, ...]] = {
    Protocol.POP3: (
        (
            {"folders": ("INBOX",), "junk": None, "quarantine": (), "clock_folder": None},
            "pop3 has one folder, INBOX, and no other",
        ),
    ),
    Protocol.MAILDIR: (
        (
            {
                **PROTOCOLS["maildir"],
                "port": None,
                "tls_options": TlsOptions(),
                "address_family": "any",
                "source_address": None,
                "auth": None,
                "allow_credentials_without_tls": False,
                "max_connections": None,
            },
            "a maildir is read from the disk: it has no server and no login",
        ),
        ({"clock_folder": None}, "the clock of a maildir is this machine's: it has no clock_folder"),
    ),
    Protocol.JMAP: (({"clock_folder": None}, "clock_folder is for imap alone"),),
    Protocol.GRAPH: (({"clock_folder": None}, "clock_folder is for imap alone"),),
}
"""The settings that a protocol leaves no choice of, and why."""


class ImapTimeouts(Settings):
    """Deadlines of a mailbox connection."""

    connect: Seconds = Field(30.0, description="Look-up, TCP connection, TLS handshake and greeting.")
    command: Seconds = Field(30.0, description="Answer to one command.")
    idle: Seconds = Field(
        240.0, le=_LONGEST_IDLE_SECONDS, description="How long one IDLE lasts before it is renewed."
    )
    reconnect_minimum: Seconds = Field(1.0, description="First wait before connecting again.")
    reconnect_maximum: Seconds = Field(300.0, description="Longest wait before connecting again.")

    @model_validator(mode="after")
    def _reconnect_in_order(self) -> Self:
        self._require_order("reconnect_minimum", "reconnect_maximum")
        return self


def _require_distinct(folders: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(folders)) < len(folders):
        raise PydanticCustomError("not_allowed", "a folder is named twice")
    return folders


def _without_requirements(schema: dict[str, Any]) -> None:
    """Let an editor accept what `load` may refuse: what is required depends on the protocol."""
    schema["required"] = []


class Mailbox(Endpoint):
    """An account in which probes arrive, or to which bounces return."""

    model_config = ConfigDict(json_schema_extra=_without_requirements)

    protocol: Protocol = Field(
        Protocol.IMAP,
        description="How it is read: imap, where there is a choice. jmap is as good where a server has it; graph is Exchange Online by Microsoft Graph; pop3 has one folder and announces nothing; maildir is a directory of this machine.",
    )
    host: Host = Field(
        description="Host name or address; needed by every protocol but maildir.",
        examples=["mail.example.org"],
    )
    tls: TlsMode = Field(
        description="How the connection is secured: implicit (TLS from the start), starttls, or none; needed where host is.",
        examples=[TlsMode.IMPLICIT],
    )
    path: Path | None = Field(
        None, description="The directory, for protocol: maildir; it has the folders new and cur in it."
    )

    profile: Profile | None = Field(
        None, description="Whose habits are the defaults of this section: see docs/providers.md."
    )
    max_connections: Whole | None = Field(
        None,
        ge=1,
        le=1000,
        description="Most connections that the server allows a user: each folder that is watched takes one, and clock_folder.",
    )

    folders: Annotated[tuple[FolderName, ...], AfterValidator(_require_distinct)] = Field(
        ("INBOX",), min_length=1, description="Folders in which a probe is delivered."
    )
    junk: FolderName | None = Field(
        "auto", description="Junk folder: auto finds it by SPECIAL-USE or by name, null watches none."
    )
    quarantine: Annotated[tuple[FolderName, ...], AfterValidator(_require_distinct)] = Field(
        (),
        max_length=8,
        description="Folders besides junk in which a probe counts as junked: a quarantine, a sorting by category.",
        examples=[["Quarantine"]],
    )
    after_judgement: Literal["delete", "trash", "keep"] = Field(
        "delete", description="What becomes of a probe's message when it has been judged."
    )
    trash: FolderName = Field(
        "auto",
        description="Trash folder for after_judgement: trash; auto finds it by SPECIAL-USE or by name.",
    )
    sweep_after: Seconds = Field(
        86400.0, description="Age at which messages of ours without a probe are removed."
    )
    authserv_ids: tuple[AuthservId, ...] = Field(
        (),
        max_length=20,
        description="Whose Authentication-Results count (RFC 8601), by authserv-id or domain; default: those of own_hosts, or of the hosts that wrote the topmost Received lines.",
    )
    poll_minimum: Seconds = Field(
        0.005, description="Shortest wait between two looks while a probe is young."
    )
    poll_fraction: Number = Field(
        0.05, gt=0, le=1, description="Wait between two looks as a part of the youngest probe's age."
    )
    poll_maximum: Seconds = Field(2.0, description="Longest wait between two looks before IDLE takes over.")
    own_hosts: tuple[Host, ...] = Field(
        (),
        max_length=64,
        description="Hosts and domains of the receiving side that are ours, from the MX on; default: by their names.",
        examples=[["example.org"]],
    )
    clock_folder: FolderName | None = Field(
        None,
        description="Folder of our own into which a message is put now and then, and removed at once, to learn how the server's clock goes; null does without.",
        examples=["smtp-probe-clock"],
    )
    clock_interval: Seconds = Field(
        900.0, ge=60, description="How often the server's clock is read, with clock_folder."
    )
    timeouts: ImapTimeouts = Field(default_factory=ImapTimeouts, description="Deadlines of the connection.")

    @model_validator(mode="before")
    @classmethod
    def _habits(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("protocol") in list(PROTOCOLS):
            data = {**PROTOCOLS[data["protocol"]], **data}
        return with_profile(data, MAILBOXES)

    @model_validator(mode="after")
    def _no_more_than_the_protocol_has(self) -> Self:
        for limits, reason in _LIMITS.get(self.protocol, ()):
            for key, value in limits.items():
                if getattr(self, key) != value:
                    raise conflict(reason, key, *_CHOICE)
        if self.protocol in _OVER_HTTP and self.tls is TlsMode.STARTTLS:
            reason = f"{self.protocol} runs over https: tls: implicit"
            raise conflict(reason, "tls", "protocol")
        if self.after_judgement == "trash" and self.protocol in (Protocol.POP3, Protocol.MAILDIR):
            reason = f"{self.protocol} has no trash: delete or keep"
            raise conflict(reason, "after_judgement", *_CHOICE)
        return self

    @model_validator(mode="after")
    def _token_for_graph(self) -> Self:
        if self.protocol is Protocol.GRAPH and (self.auth is None or self.auth.mechanism not in _TOKENS):
            reason = "graph takes access tokens only: auth needs mechanism: xoauth2, and oauth"
            raise conflict(reason, "auth", *_CHOICE)
        return self

    @model_validator(mode="after")
    def _path_of_a_maildir(self) -> Self:
        is_maildir = self.protocol is Protocol.MAILDIR
        if is_maildir and self.path is None:
            raise conflict("protocol: maildir needs path", "path", *_CHOICE)
        if self.path is not None and not is_maildir:
            raise conflict("path is for protocol: maildir", "path", *_CHOICE)
        return self

    @model_validator(mode="after")
    def _connections_enough(self) -> Self:
        extra = (self.junk is not None) + (self.clock_folder is not None)
        needed = len(self.folders) + len(self.quarantine) + extra
        if self.max_connections is not None and needed > self.max_connections:
            reason = f"{needed} connections are needed, but max_connections is {self.max_connections}: watch fewer folders"
            raise conflict(reason, "folders", "max_connections")
        return self

    @model_validator(mode="after")
    def _clock_apart(self) -> Self:
        if self.clock_folder is not None and self.clock_folder in {
            *self.folders,
            *self.quarantine,
            self.junk,
        }:
            reason = "the folder for reading the clock cannot be one that is watched"
            raise conflict(reason, "clock_folder", "folders")
        return self

    @model_validator(mode="after")
    def _polls_in_order(self) -> Self:
        self._require_order("poll_minimum", "poll_maximum")
        return self

    @model_validator(mode="after")
    def _junk_apart(self) -> Self:
        if self.junk is not None and self.junk in self.folders:
            raise conflict("the junk folder cannot be one of folders as well", "junk", "folders")
        if set(self.quarantine) & {*self.folders, self.junk}:
            reason = "a folder of quarantine cannot be one of folders, or junk, as well"
            raise conflict(reason, "quarantine", "folders")
        return self

    @property
    def effective_port(self) -> int:
        """The port, or the protocol's own for the TLS mode (RFC 8314); 0 where there is no server."""
        implicit, plain = _PORTS[self.protocol]
        return self.port or (implicit if self.tls is TlsMode.IMPLICIT else plain)

    @property
    def place(self) -> str:
        """Where it is, for people: a server, or a directory."""
        if self.path is not None:
            return str(self.path)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.effective_port}"

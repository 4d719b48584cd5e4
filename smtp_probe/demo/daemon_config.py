"""The configuration with which the ordinary daemon runs against the embedded mail path.

In: the chains of hosts and where they listen, the secrets and the certificate. Out: a YAML file in the form of
`config.settings`, and the secrets in files of their own that only their owner may read. Everything is in one folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from smtp_probe.demo.addresses import DOMAIN, RECIPIENT_LOGIN, SENDER, recipient_of
from smtp_probe.demo.certificates import LOOPBACK, write_private
from smtp_probe.demo.scenarios import HopName, Scenario

EHLO_NAME = f"probe.{DOMAIN}"
SUBMISSION_LOGIN = "prober"
RECIPIENT_MAILBOX = "recipient"
SENDER_MAILBOX = "sender"
"""The names of the two mailboxes in the configuration."""
_MESSAGES_PER_MINUTE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where the daemon hands in the probes of some scenarios."""

    name: str
    host: str
    port: int
    scenarios: Sequence[Scenario]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonFacts:
    """All that the configuration has to say."""

    entrances: Sequence[Entrance]
    imap_host: str
    imap_port: int
    ca_file: Path
    submission_password: str = field(repr=False)
    imap_passwords: Mapping[str, str] = field(repr=False)


def _endpoint(facts: DaemonFacts, host: str, port: int, user: str, secret: Path) -> dict[str, Any]:
    return {
        "host": LOOPBACK,
        "port": port,
        "tls": "starttls",
        "tls_options": {"ca_file": str(facts.ca_file), "server_name": host},
        "auth": {"mechanism": "plain", "username": user, "password_file": str(secret)},
    }


def _sender(facts: DaemonFacts, entrance: Entrance, secret: Path) -> dict[str, Any]:
    return {
        **_endpoint(facts, entrance.host, entrance.port, SUBMISSION_LOGIN, secret),
        "ehlo_name": EHLO_NAME,
        "envelope_from": SENDER,
        "from": f"smtp-probe demo <{SENDER}>",
        "max_per_minute": _MESSAGES_PER_MINUTE,
        "own_hosts": [_beside(entrance.host, hop) for hop in (HopName.SUBMISSION, HopName.RELAY)],
    }


def _beside(host: str, hop: HopName) -> str:
    """The name of another host of the same chain."""
    return f"{hop}.{host.partition('.')[2]}"


def _route(entrance: Entrance, scenario: Scenario) -> dict[str, Any]:
    return {
        "sender": entrance.name,
        "recipient": recipient_of(scenario),
        "mailbox": RECIPIENT_MAILBOX,
        "bounce_mailbox": SENDER_MAILBOX,
        "interval": scenario.interval_seconds,
        "deadline": scenario.deadline_seconds,
        "give_up_after": scenario.give_up_after_seconds,
        "authentication": False,  # it would ask DNS about domains that exist nowhere, and the demo runs offline
        "labels": {"scenario": scenario.name},
    }


def describe_daemon(facts: DaemonFacts, directory: Path) -> dict[str, Any]:
    """The whole configuration as plain data. Writes nothing."""
    submission_secret = directory / "submission.secret"
    mailboxes = {RECIPIENT_MAILBOX: RECIPIENT_LOGIN, SENDER_MAILBOX: SENDER}
    routes = {
        scenario.name: _route(entrance, scenario)
        for entrance in facts.entrances
        for scenario in entrance.scenarios
    }
    receiving = [
        _beside(entrance.host, hop) for entrance in facts.entrances for hop in (HopName.FILTER, HopName.STORE)
    ]
    return {
        "senders": {
            entrance.name: _sender(facts, entrance, submission_secret) for entrance in facts.entrances
        },
        "mailboxes": {
            name: {
                **_endpoint(facts, facts.imap_host, facts.imap_port, login, directory / f"{name}.secret"),
                "own_hosts": receiving,
            }
            for name, login in mailboxes.items()
        },
        "routes": routes,
        "schedule": {
            "minimum_interval": min(1.0, *(route["interval"] for route in routes.values())),
            "max_per_minute": _MESSAGES_PER_MINUTE,
            "backoff_minimum": 1.0,
            "backoff_maximum": 10.0,
        },
        "state_directory": str(directory / "state"),
    }


def write_daemon_config(facts: DaemonFacts, directory: Path) -> Path:
    """Write the secrets, the state folder and the configuration file. Returns the file. Raises OSError."""
    secrets = {
        "submission": facts.submission_password,
        RECIPIENT_MAILBOX: facts.imap_passwords[RECIPIENT_LOGIN],
        SENDER_MAILBOX: facts.imap_passwords[SENDER],
    }
    for name, secret in secrets.items():
        write_private(directory / f"{name}.secret", secret.encode("ascii") + b"\n")
    (directory / "state").mkdir(mode=0o700, exist_ok=True)
    path = directory / "smtp-probe.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(describe_daemon(facts, directory), file)
    return path

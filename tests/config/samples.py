"""A small configuration that is sound, and what is wrong in one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from smtp_probe.config.load import load
from smtp_probe.errors import ConfigError

SOUND = """\
senders:
  relay:
    host: mail.example.org
    tls: starttls
    ehlo_name: probe.example.org
    envelope_from: probe@example.org
    auth:
      username: probe
      password_file: relay.password
mailboxes:
  inbox:
    host: mail.example.org
    tls: implicit
    auth:
      username: probe
      password_env: INBOX_PASSWORD
routes:
  daily:
    sender: relay
    recipient: probe@example.org
    mailbox: inbox
"""
ENVIRONMENT = {"INBOX_PASSWORD": "hunter2-env"}


def write_sound(folder: Path, text: str = SOUND) -> Path:
    """Write a configuration and the password that it names."""
    (folder / "relay.password").write_text("hunter2-file\n")
    path = folder / "probe.yaml"
    path.write_text(text)
    return path


def problems(path: Path, environ: Mapping[str, str] = ENVIRONMENT) -> list[str]:
    """What `load` says, a line for each problem, without the folder of the file."""
    try:
        load(path, environ)
    except ConfigError as error:
        return [str(problem).replace(f"{path.parent}/", "") for problem in error.problems]
    return []


def problems_in(folder: Path, old: str, new: str, **variables: str) -> list[str]:
    """What is wrong when one part of the sound configuration is written differently."""
    assert SOUND.count(old) == 1, old
    return problems(write_sound(folder, SOUND.replace(old, new)), ENVIRONMENT | variables)

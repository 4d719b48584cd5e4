"""The certificate authorities that a configuration names instead of the system's.

In: the settings. Out: what is wrong with each `ca_file`. Opens no connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from smtp_probe.config.files import UnreadableFile, read_bounded
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.settings import Config

_LARGEST_BYTES = 4_194_304


def check_authorities(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Try every `ca_file`. Gives the path of each that cannot be used, and why."""
    tried: dict[Path, str] = {}  # thousands of mailboxes may name the same one
    for place, path in _named(config):
        if path not in tried:
            tried[path] = _try(path)
        if tried[path]:
            yield place, tried[path]


def _try(path: Path) -> str:
    """Say what is wrong with a file; empty for nothing."""
    try:
        content = read_bounded(path, _LARGEST_BYTES)
    except UnreadableFile as error:
        return str(error)
    return "" if _has_certificate(content) else f"{path} holds no certificate in PEM form"


def _named(config: Config) -> Iterator[tuple[KeyPath, Path]]:
    for section, endpoints in (("senders", config.senders), ("mailboxes", config.mailboxes)):
        for name, endpoint in endpoints.items():
            if endpoint.tls_options.ca_file is not None:
                yield (section, name, "tls_options", "ca_file"), endpoint.tls_options.ca_file
    for name, credential in config.credentials.items():
        if credential.ca_file is not None:
            yield ("credentials", name, "ca_file"), credential.ca_file


def _has_certificate(content: bytes) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=content.decode("ascii", "ignore")
        )
    except (ValueError, ssl.SSLError):
        return False
    return True

"""The option `--resolver` of `explain`: which name server to ask.

In: `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. Out: the resolver's settings. Raises typer.BadParameter.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

import typer

from smtp_probe.config.settings import ResolverSettings

_WITH_PORT = re.compile(r"\[?(?P<host>[^\]]*?)\]?:(?P<port>[0-9]{1,5})")


def read_name_server(text: str | None) -> ResolverSettings:
    """Read it; None is the system's own."""
    if text is None:
        return ResolverSettings()
    host, port = text.strip("[]"), 53
    match = _WITH_PORT.fullmatch(text)
    if match is not None and not _is_address(host):
        host, port = match["host"], int(match["port"])
    if not _is_address(host) or not 0 < port < 65536:
        message = f"{text[:80]!r} is no name server: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT"
        raise typer.BadParameter(message, param_hint="--resolver")
    return ResolverSettings(nameservers=(host,), port=port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

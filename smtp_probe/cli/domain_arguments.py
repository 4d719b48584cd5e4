"""The arguments of the command `domain`, read and refused with a sentence.

In: texts of the command line. Out: a `DomainUnderCheck` and the resolver's settings. Raises typer.BadParameter.
"""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address
from pathlib import Path

import idna
import typer

from smtp_probe.config.settings import ResolverSettings
from smtp_probe.model import DomainUnderCheck
from smtp_probe.network.exchanger import VisitTerms
from smtp_probe.policy.dnsbl import BlockLists

_SERVER = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ADDRESS = re.compile(r"[!-;=?A-~]{1,64}@[A-Za-z0-9._:\[\]-]+")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
"""What stands for a dot in names of other scripts (RFC 3490 section 3.1)."""
_WAIT_SECONDS = 2.0
_LIFETIME_SECONDS = 5.0


def read_subject(
    name: str, selectors: list[str], egress: list[str], ehlo: str | None, sender: str | None
) -> DomainUnderCheck:
    """All that is said of the domain, in lower case and as DNS writes it."""
    domain = read_name(name)
    if _is_address(name):
        message = (
            f"{name[:80]} is an address, and no domain name; for an address that sends there is --egress"
        )
        raise typer.BadParameter(message, param_hint="NAME")
    if not domain:
        hint = f": did you mean {name.rpartition('@')[2][:80]}?" if "@" in name else ""
        message = f"{name[:80]!r} is no domain name{hint}"
        raise typer.BadParameter(message, param_hint="NAME")
    for selector in selectors:
        if not read_name(selector):
            message = f"{selector[:80]!r} is no DKIM selector"
            raise typer.BadParameter(message, param_hint="--selector")
    return DomainUnderCheck(
        domain=domain,
        selectors=tuple(dict.fromkeys(read_name(selector) for selector in selectors)),
        egress=tuple(dict.fromkeys(_read_address(address) for address in egress)),
        ehlo_name=None if ehlo is None else (read_name(ehlo) or ehlo.lower()),
        sender=None if sender is None else _read_sender(sender),
    )


def _read_sender(text: str) -> str:
    """A mail address whose domain is as DNS has it."""
    local, _, domain = text.strip("<>").rpartition("@")
    sender = f"{local}@{read_name(domain)}"
    if not (read_name(domain) and _ADDRESS.fullmatch(sender)):
        message = f"{text[:80]!r} is no mail address"
        raise typer.BadParameter(message, param_hint="--sender")
    return sender


def read_block_lists(addresses: list[str], domains: list[str]) -> BlockLists:
    """The zones of block lists, as DNS writes them."""
    for flag, zones in (("--dnsbl", addresses), ("--rhsbl", domains)):
        for zone in zones:
            if not read_name(zone):
                message = f"{zone[:80]!r} is no domain name"
                raise typer.BadParameter(message, param_hint=flag)
    return BlockLists(addresses=tuple(map(read_name, addresses)), domains=tuple(map(read_name, domains)))


def read_name(text: str) -> str:
    """A name as DNS has it: lower case, A-labels, no final dot; empty for what is none."""
    labels = _DOTS.sub(".", text.strip()).lower().removesuffix(".").split(".")
    try:
        name = ".".join(label if label.isascii() else _to_a_label(label) for label in labels)
    except UnicodeError:
        return ""
    fits = 0 < len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))
    return name if fits else ""


def _to_a_label(label: str) -> str:
    """By IDNA 2008 (RFC 5891); what only IDNA 2003 knows, as of signs and pictures, by that."""
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except idna.IDNAError:
        return label.encode("idna").decode("ascii")


def read_terms(subject: DomainUnderCheck, recipient: str | None, *, tests_relay: bool) -> VisitTerms:
    """What may be asked of the exchangers."""
    if recipient is not None and not _ADDRESS.fullmatch(recipient):
        message = f"{recipient[:80]!r} is no mail address"
        raise typer.BadParameter(message, param_hint="--recipient")
    own_name = socket.gethostname()
    return VisitTerms(
        ehlo_name=subject.ehlo_name or (own_name if "." in own_name else f"{own_name}.localdomain"),
        recipient=recipient,
        sender=subject.sender or "",
        tests_relay=tests_relay,
    )


def read_file(path: Path | None) -> Path | None:
    """A file that can be read."""
    if path is not None:
        try:
            path.open("rb").close()
        except OSError as error:
            message = f"{path}: {error.strerror}"
            raise typer.BadParameter(message, param_hint="--ca-file") from None
    return path


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[] ").lower().removeprefix("ipv6:").removesuffix("."))
    except ValueError:
        return False
    return True


def _read_address(text: str) -> str:
    try:
        return str(ip_address(text.strip("[] ")))
    except ValueError:
        message = f"{text[:80]!r} is no IPv4 or IPv6 address"
        raise typer.BadParameter(message, param_hint="--egress") from None


def read_resolver(text: str | None, *, trust_ad: bool) -> ResolverSettings:
    """`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`, `2001:db8::1` or `ns.example.org:53`."""
    nameservers: tuple[str, ...] = ()
    port = 53
    if text is not None:
        host, port = _split_server(text)
        nameservers = (_server_address(host),)
    return ResolverSettings(
        nameservers=nameservers,
        port=port,
        trust_ad=trust_ad,
        timeout=_WAIT_SECONDS,
        lifetime=_LIFETIME_SECONDS,
    )


def _split_server(text: str) -> tuple[str, int]:
    try:
        return str(ip_address(text)), 53
    except ValueError:
        match = _SERVER.fullmatch(text)
    port = int(match["port"] or 53) if match else 0
    if match is None or not match["host"].strip("[]") or not 0 < port < 65536:
        message = f"{text[:80]!r} is no server: expected HOST or HOST:PORT, [ADDRESS]:PORT for IPv6"
        raise typer.BadParameter(message, param_hint="--resolver")
    return match["host"].strip("[]"), port


def _server_address(host: str) -> str:
    """The address of a name server that is given by name, as the system knows it."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        message = f"the name server {host[:80]!r} has no address"
        raise typer.BadParameter(message, param_hint="--resolver") from None
    return str(found[0][4][0])

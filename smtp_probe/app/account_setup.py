"""Setting up an account: its servers found, tried with the password, and the ones that work.

In: a `SetupRequest`. Out: a `Discovery`, and then `Chosen` servers, with a word on each trial. Every trial is one login,
one after the other: a password is never sent to several servers at once, to no server without a verified certificate,
and after two refusals of one protocol to none at all. Writes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smtp_probe.app.login_test import LoginResult, LoginTest
from smtp_probe.config.settings import Config, Mailbox, ResolverSettings, Sender, TlsOptions
from smtp_probe.mail.hostnames import as_host_name
from smtp_probe.model import AccountProtocol, Cause, Discovery, FoundServer
from smtp_probe.network.http import WebReader
from smtp_probe.network.resolver import DnsResolver
from smtp_probe.policy.discovery.find import find_servers
from smtp_probe.policy.discovery.service_records import Person

_MOST_REFUSALS = 2
_MOST_TRIALS = 6

OnTrial = Callable[[FoundServer, str, LoginResult], None]
"""Told of each login that was tried: where, as whom, and how it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRequest:
    """Who, with which password, and what is known already."""

    person: Person
    password_file: Path | None = None
    """None where a person's consent takes the place of a password."""
    username: str | None = None
    given: tuple[FoundServer, ...] = ()
    """Servers that the person has named: their protocols are not searched for."""
    ca_file: Path | None = None
    nameservers: tuple[str, ...] = ()
    nameserver_port: int = 53
    timeout_seconds: float = 60.0
    https_port: int = 443

    @property
    def resolver(self) -> ResolverSettings:
        """The name servers to ask; the system's where none are given."""
        return ResolverSettings(nameservers=self.nameservers, port=self.nameserver_port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A server that took the login."""

    server: FoundServer
    username: str


@dataclass(kw_only=True)
class AccountSetup:
    """The two steps. `accepts` is asked before a password goes to a server that nobody vouches for."""

    request: SetupRequest
    accepts: Callable[[FoundServer], bool]
    on_trial: OnTrial
    refused: dict[AccountProtocol, LoginResult] = field(default_factory=dict)
    """What the last server of a protocol answered, where none took the login."""

    async def find(self) -> Discovery:
        """Ask for the servers of the protocols that nobody has named."""
        request = self.request
        if len({server.protocol for server in request.given}) == len(AccountProtocol):
            return Discovery(servers=request.given)
        resolver = DnsResolver(request.resolver)
        web = WebReader(resolver, TlsOptions(ca_file=request.ca_file), port=request.https_port)
        try:
            found = await find_servers(request.person, resolver.ask, web.fetch)
        finally:
            await resolver.close()
        named = {server.protocol for server in request.given}
        others = tuple(server for server in found.servers if server.protocol not in named)
        return Discovery(servers=(*request.given, *others), notes=found.notes, unobserved=found.unobserved)

    async def choose(self, protocol: AccountProtocol, servers: tuple[FoundServer, ...]) -> Chosen | None:
        """The first server, and name, with which a login works; None where none does."""
        trials = refusals = 0
        for server in servers:
            if not server.is_vouched and not self.accepts(server):
                continue
            names = (self.request.username,) if self.request.username else server.usernames
            for username in names:
                if trials >= _MOST_TRIALS or refusals >= _MOST_REFUSALS:
                    return None
                trials += 1
                result = await self._try(server, username)
                self.on_trial(server, username, result)
                if result.failure is None:
                    return Chosen(server=server, username=username)
                self.refused[protocol] = result
                if not _is_refusal(result):
                    break  # another name makes no server that is not there answer
                refusals += 1
        return None

    async def _try(self, server: FoundServer, username: str) -> LoginResult:
        section = endpoint(server, username, self.request)
        is_smtp = server.protocol is AccountProtocol.SMTP
        config = Config.model_construct(  # half of one: there is no route yet
            senders={"submission": Sender.model_validate(section)} if is_smtp else {},
            mailboxes={} if is_smtp else {"inbox": Mailbox.model_validate(section)},
            routes={},
            resolver=self.request.resolver,
        )
        (result,) = await LoginTest(config, self.request.timeout_seconds).run()
        return result


def endpoint(server: FoundServer, username: str, request: SetupRequest) -> dict[str, Any]:
    """A sender's or a mailbox's settings for a server."""
    section: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "tls": "implicit" if server.is_implicit_tls else "starttls",
        "auth": {"username": username, "password_file": str(request.password_file)},
    }
    if request.ca_file is not None:
        section["tls_options"] = {"ca_file": str(request.ca_file)}
    if server.profile is not None:
        section["profile"] = server.profile
    if server.protocol is AccountProtocol.SMTP:
        section |= {"ehlo_name": ehlo_name(request.person), "envelope_from": request.person.address}
    return section


def ehlo_name(person: Person) -> str:
    """This machine's name where it has a whole one, and the address' domain otherwise."""
    name = as_host_name(socket.getfqdn())
    return name if name is not None and "." in name and not name.endswith(".localdomain") else person.domain


def _is_refusal(result: LoginResult) -> bool:
    """Whether a server has looked at the login and said no."""
    failure = result.failure
    if failure is None:
        return False
    is_of_login = failure.stage == "auth" and failure.cause == Cause.REPLY_PERMANENT.value
    return is_of_login or failure.cause == Cause.AUTH_REFUSED.value

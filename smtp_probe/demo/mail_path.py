"""The embedded mail path as a whole: chains of hosts that end in one store, on free ports of 127.0.0.1.

In: the chosen scenarios and a folder. Out: a path at work inside `async with`, and the configuration with which the
ordinary daemon probes it. Needs the extra `demo`, no root, no account and no network; writes into the folder only.

Scenarios whose clocks agree share one chain of hosts, as they would share one path in life; a scenario with wrong
clocks has hosts of its own, because a clock belongs to a host and not to a message.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from smtp_probe.demo.addresses import DOMAIN, RECIPIENT_LOGIN, SENDER
from smtp_probe.demo.certificates import CertificateFiles, make_certificates
from smtp_probe.demo.daemon_config import DaemonFacts, Entrance, write_daemon_config
from smtp_probe.demo.extra import require_extra
from smtp_probe.demo.path_log import PathEvent, PathLog
from smtp_probe.demo.scenarios import HopName, Scenario
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.ports import Clock

if TYPE_CHECKING:
    from smtp_probe.demo.chain import Chain

_TALKATIVE_LOGS = ("mail.log", "pymap")
"""Where aiosmtpd and pymap tell every line of every session, passwords among them. Only errors may come out."""
_IMAP_HOST = f"imap.{DOMAIN}"
_PASSWORD_BYTES = 24
_TRUE_CLOCKS = ((0.0, 0.0),) * len(HopName)


def group_by_clocks(scenarios: Iterable[Scenario]) -> dict[str, list[Scenario]]:
    """The chains that are needed, by the domain of their hosts.

    It is `example.test` where all clocks are right, and otherwise named after the first scenario with these clocks.
    """
    names = {_TRUE_CLOCKS: DOMAIN}
    chains: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        domain = names.setdefault(scenario.clocks, f"{scenario.name}.{DOMAIN}")
        chains.setdefault(domain, []).append(scenario)
    return chains


class MailPath:
    """`async with MailPath(scenarios, directory) as path:` runs it; leaving takes less than three seconds.

    Entering raises `errors.ConfigError` where the extra is missing, and OSError where the folder cannot be written.
    """

    def __init__(self, scenarios: Sequence[Scenario], directory: Path, *, clock: Clock | None = None) -> None:
        self._chains = group_by_clocks(scenarios)
        self._directory = directory
        self._clock = clock or ReferenceClock()
        self._log = PathLog(self._clock)
        self._stack = AsyncExitStack()
        self._submission_password = secrets.token_urlsafe(_PASSWORD_BYTES)
        self._imap_passwords = {
            user: secrets.token_urlsafe(_PASSWORD_BYTES) for user in (RECIPIENT_LOGIN, SENDER)
        }
        self._entrances: list[Entrance] = []
        self._imap_port = 0
        self._files: CertificateFiles | None = None

    async def __aenter__(self) -> Self:
        require_extra()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with AsyncExitStack() as starting:
            await self._start(starting)
            self._stack = starting.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()

    def events(self) -> tuple[PathEvent, ...]:
        """What the hosts did, the newest five hundred events, oldest of them first."""
        return self._log.events()

    def write_config(self) -> Path:
        """Write the daemon's configuration and its secrets into the folder, and return the YAML file.

        Raises RuntimeError outside `async with`: only there the ports are known. Raises OSError from the disk.
        """
        if self._files is None:
            message = "the mail path has not been started"
            raise RuntimeError(message)
        facts = DaemonFacts(
            entrances=self._entrances,
            imap_host=_IMAP_HOST,
            imap_port=self._imap_port,
            ca_file=self._files.ca_file,
            submission_password=self._submission_password,
            imap_passwords=self._imap_passwords,
        )
        return write_daemon_config(facts, self._directory)

    async def _start(self, stack: AsyncExitStack) -> None:
        """Start everything, and leave on the stack what ends it."""
        from smtp_probe.demo.chain import Chain, Surroundings
        from smtp_probe.demo.imap import MailStore

        self._files = files = self._make_certificates()
        server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_tls.load_cert_chain(files.certificate_file, files.key_file)
        _silence_sessions(stack)
        store = MailStore(self._imap_passwords, server_tls)
        stack.push_async_callback(store.close)
        self._imap_port = await store.start()
        surroundings = Surroundings(
            clock=self._clock,
            log=self._log,
            store=store,
            server_tls=server_tls,
            client_tls=ssl.create_default_context(cafile=files.ca_file),
            submission_password=self._submission_password,
        )
        chains = {domain: Chain(domain, group, surroundings) for domain, group in self._chains.items()}
        stack.push_async_callback(_close_all, chains.values())
        for domain, chain in chains.items():
            self._entrances.append(self._entrance(domain, await chain.start()))

    def _make_certificates(self) -> CertificateFiles:
        names = [f"{hop}.{domain}" for domain in self._chains for hop in HopName]
        now = datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, UTC)
        return make_certificates(self._directory, [*names, _IMAP_HOST, "localhost"], now)

    def _entrance(self, domain: str, port: int) -> Entrance:
        prefix = domain.removesuffix(DOMAIN).rstrip(".")
        return Entrance(
            name=f"submission-{prefix}" if prefix else "submission",
            host=f"{HopName.SUBMISSION}.{domain}",
            port=port,
            scenarios=self._chains[domain],
        )


def _silence_sessions(stack: AsyncExitStack) -> None:
    for name in _TALKATIVE_LOGS:
        log = logging.getLogger(name)
        stack.callback(log.setLevel, log.level)
        log.setLevel(logging.ERROR)


async def _close_all(chains: Iterable[Chain]) -> None:
    await asyncio.gather(*(chain.close() for chain in chains))

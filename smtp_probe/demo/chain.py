"""One chain of hosts: submission (Postfix), relay (Exim), filter (Exchange) and store (Dovecot LMTP).

In: the scenarios whose mail it carries, the clock, the certificates, and the store where it ends. Out: a port that
takes submissions. Starts its hosts from the last to the first, since each has to know the port of the next.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from smtp_probe.demo.addresses import AddressBook
from smtp_probe.demo.carrier import Carrier, Onward
from smtp_probe.demo.daemon_config import SUBMISSION_LOGIN
from smtp_probe.demo.dialects import DOVECOT, EXCHANGE, EXIM, POSTFIX
from smtp_probe.demo.forwarding import Attempt, NextHop, hand_over
from smtp_probe.demo.hop_clock import HopClock
from smtp_probe.demo.host import Host
from smtp_probe.demo.imap import INBOX, JUNK, MailStore
from smtp_probe.demo.letter import Letter
from smtp_probe.demo.path_log import PathLog
from smtp_probe.demo.relay import SPAM_FLAG, Relay
from smtp_probe.demo.scenarios import HopName, Scenario
from smtp_probe.demo.strangers import Strangers
from smtp_probe.model import Reply
from smtp_probe.ports import Clock

_DIALECTS = {
    HopName.SUBMISSION: POSTFIX,
    HopName.RELAY: EXIM,
    HopName.FILTER: EXCHANGE,
    HopName.STORE: DOVECOT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all chains of a path share."""

    clock: Clock
    log: PathLog
    store: MailStore
    server_tls: ssl.SSLContext
    client_tls: ssl.SSLContext
    submission_password: str = field(repr=False)


class Chain:
    """Four hosts of one domain. `scenarios` must agree in their clocks, and there must be one at least."""

    def __init__(self, domain: str, scenarios: Sequence[Scenario], surroundings: Surroundings) -> None:
        self._domain = domain
        self._scenarios = scenarios
        self._shared = surroundings
        self._addresses = AddressBook(scenarios)
        self._relays: list[Relay] = []
        self._strangers: Strangers | None = None

    async def start(self) -> int:
        """Start all hosts. Returns the port of the first one. After an error `close` is still due."""
        store = self._host(HopName.STORE)
        following = await self._open(Carrier(store, self._filer(store)), store)
        for hop in (HopName.FILTER, HopName.RELAY, HopName.SUBMISSION):
            host = self._host(hop)
            on_forge = self._write_after if hop is HopName.FILTER else None
            following = await self._open(
                Carrier(host, self._forwarder(host, following), on_forge=on_forge), host
            )
            if hop is HopName.RELAY:
                self._strangers = Strangers(self._shared.clock, following)
        return following.port

    async def close(self) -> None:
        """End all hosts at the same time."""
        if self._strangers is not None:
            await self._strangers.close()
        await asyncio.gather(*(relay.close() for relay in self._relays))

    def _host(self, hop: HopName) -> Host:
        return Host(
            hop=hop,
            name=f"{hop}.{self._domain}",
            dialect=_DIALECTS[hop],
            clock=HopClock(self._shared.clock, self._scenarios[0].hop(hop)),
            addresses=self._addresses,
            log=self._shared.log,
            tls=None if hop is HopName.STORE else self._shared.server_tls,
            login=(SUBMISSION_LOGIN, self._shared.submission_password) if hop is HopName.SUBMISSION else None,
        )

    async def _open(self, carrier: Carrier, host: Host) -> NextHop:
        relay = Relay(host, carrier)
        self._relays.append(relay)
        is_store = host.hop is HopName.STORE
        return NextHop(
            host=host.name,
            port=await relay.start(),
            speaks_lmtp=is_store,
            tls=None if is_store else self._shared.client_tls,
        )

    def _write_after(self, letter: Letter) -> None:
        if self._strangers is not None:
            self._strangers.write_after(letter)

    @staticmethod
    def _forwarder(host: Host, following: NextHop) -> Onward:
        async def forward(letter: Letter) -> Attempt:
            return await hand_over(letter, host.name, following)

        return forward

    def _filer(self, host: Host) -> Onward:
        async def file(letter: Letter) -> Attempt:
            header = b"\r\n" + letter.content.partition(b"\r\n\r\n")[0] + b"\r\n"
            resident = self._addresses.find(letter.recipient)
            if resident is None:
                return Attempt(host=host.name, reply=Reply(code=550, enhanced="5.1.1"), stage="delivery")
            folder = JUNK if b"\r\n" + SPAM_FLAG in header else INBOX
            await self._shared.store.put(resident.mailbox, folder, letter.content, host.clock.now_ns())
            return Attempt(host=host.name, reply=Reply(code=250, enhanced="2.0.0"), stage="delivery")

        return file

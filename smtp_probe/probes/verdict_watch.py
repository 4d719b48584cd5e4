"""Verdicts on every message of ours that arrives, formed beside the judgement, which never waits for their answers.

In: arrived messages with their bodies, and what was sent. Out: a `VerdictsFormed` for each, to be recorded, and the
author's domain where the verdicts of a route have changed. A few are formed at once; where more come in than can be
formed, the oldest waiting ones of other routes are not put off: the new one is left out, and said so. No probe waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from smtp_probe.errors import JournalError
from smtp_probe.mail.authentication.author import find_author_domain
from smtp_probe.mail.authentication.changes import SentMessage, remember
from smtp_probe.mail.authentication.egress import SeenClient, find_client
from smtp_probe.mail.authentication.signature import read_signature
from smtp_probe.mail.syntax.fields import split_fields
from smtp_probe.model import Authentication, MailboxMessage, Method, SeenMail, Source, VerdictsFormed
from smtp_probe.policy.dkim.verification import MOST_SIGNATURES
from smtp_probe.ports import Ask, Clock
from smtp_probe.probes.authentication import MOST_BYTES, ReceivedMessage, authenticate
from smtp_probe.probes.recurring_trouble import RecurringTrouble

_log = logging.getLogger(__name__)
_MOST_REMEMBERED = 2_000
_MOST_REMEMBERED_BYTES = 65_536
"""Of larger messages nothing is kept: they are compared by their digest alone."""
_MOST_AT_ONCE = 4
_MOST_WAITING = 100
_SIGNED = frozenset({"dkim-signature", "arc-seal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTerms:
    """What is to be done about the messages of one route."""

    sender: str
    """The envelope sender."""
    trusted_ids: tuple[str, ...] = ()
    """authserv-ids that count; empty: those of the receiver's own hosts."""
    own_hosts: tuple[str, ...] = ()
    """The receiver's own hosts and domains; empty: the organisation of the topmost Received lines."""


Summary = tuple[tuple[Method, Source, str], ...]


class VerdictWatch:
    """All routes whose messages' authentication is looked at."""

    def __init__(
        self,
        ask: Ask,
        clock: Clock,
        record: Callable[[VerdictsFormed], Awaitable[object]],
        on_change: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.terms: Mapping[str, VerdictTerms] = {}
        """By route; replaced as a whole when the configuration changes. A route that is not here is left alone."""
        self.on_change = on_change
        """Told the author's domain when the verdicts of a route are others than the last time."""
        self.on_seen: Callable[[str, str, SeenMail], None] = lambda *_: None
        """Told the route, a domain, and what a message of the route shows of that domain's mail."""
        self._ask = ask
        self._clock = clock
        self._record = record
        self._unrecorded = RecurringTrouble(_log, clock, "verdicts on messages are not recorded")
        self._sent: OrderedDict[str, SentMessage] = OrderedDict()
        self._last: dict[str, Summary] = {}
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def remember(self, route: str, probe_id: str, message: bytes) -> None:
        """Keep what a later comparison with the received message needs."""
        if route not in self.terms or len(message) > _MOST_REMEMBERED_BYTES:
            return
        self._sent[probe_id] = remember(message)
        while len(self._sent) > _MOST_REMEMBERED:
            self._sent.popitem(last=False)

    def wanted_bytes(self, route: str, header: bytes) -> int:
        """How much of the body is to be fetched for this message: nothing where there is nothing to verify."""
        if route not in self.terms or not any(name in _SIGNED for name, _ in split_fields(header)):
            return 0
        return MOST_BYTES

    def arrived(self, route: str, probe_id: str, message: MailboxMessage, body: bytes | None) -> None:
        """Form the verdicts on a message soon. `body` is None where it was not fetched as a whole."""
        terms = self.terms.get(route)
        sent = self._sent.pop(probe_id, None)
        if terms is None:
            return
        if len(self._tasks) >= _MOST_WAITING:
            _log.warning("no verdicts on a message: too many are waiting", extra={"route": route})
            return
        client = find_client(message.header, terms.own_hosts)
        if client is not None and (client.hop == 1 or client.is_authenticated):
            client = None  # our own submission: it has not left its organisation, as far as the header shows
        for domain, seen in find_seen_mail(message.header, client, terms.sender).items():
            self.on_seen(route, domain, seen)
        received = ReceivedMessage(
            header=message.header,
            body=body if message.header.endswith((b"\r\n\r\n", b"\n\n")) else None,
            sender=terms.sender,
            egress=None if client is None else client.address,
            ehlo_name=None if client is None else client.ehlo_name,
            trusted_ids=terms.trusted_ids,
            own_hosts=terms.own_hosts,
            sent=sent,
        )
        task = asyncio.create_task(self._form(route, probe_id, received), name=f"verdicts {route}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all verdicts that are under way have been formed."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _form(self, route: str, probe_id: str, message: ReceivedMessage) -> None:
        try:
            async with self._turns:
                found = await authenticate(message, self._ask, self._clock.now_ns() // 10**9)
            self._tell_change(route, message, found)
            await self._record(VerdictsFormed(route=route, probe_id=probe_id, found=found))
            self._unrecorded.not_met()
        except JournalError as error:
            self._unrecorded.met(error)
        except Exception:  # noqa: BLE001 - a bug met by one message must not be an unheard one
            _log.exception("verdicts could not be formed by our own fault", extra={"route": route})

    def _tell_change(self, route: str, message: ReceivedMessage, found: Authentication) -> None:
        summary = summarise(found)
        before = self._last.get(route)
        self._last[route] = summary
        if before is None or before == summary:
            return
        for finding in found.findings:
            _log.warning("finding: %s", finding.message, extra={"route": route, "check": finding.check})
        author = find_author_domain(split_fields(message.header))
        if author is not None:
            self.on_change(author)


def find_seen_mail(header: bytes, client: SeenClient | None, sender: str) -> dict[str, SeenMail]:
    """What a message shows of its author's, its envelope sender's and its signers' domains, by domain."""
    fields = split_fields(header)
    written = [value for name, value in fields if name == "dkim-signature"][:MOST_SIGNATURES]
    signatures = [found for found in map(read_signature, written) if not found.fault]
    author, envelope = find_author_domain(fields), sender.rpartition("@")[2].lower() or None
    found: dict[str, SeenMail] = {}
    for domain in dict.fromkeys((author, envelope, *(signature.domain for signature in signatures))):
        if domain is None:
            continue
        is_sending = domain in (author, envelope)
        found[domain] = SeenMail(
            address=client.address if client is not None and is_sending else None,
            ehlo_name=client.ehlo_name if client is not None and is_sending else None,
            sender=sender if is_sending and sender else None,
            selectors=tuple(
                dict.fromkeys(each.selector.lower() for each in signatures if each.domain == domain)
            ),
        )
    return found


def summarise(found: Authentication) -> Summary:
    """The one result of each method and side."""
    summaries = [(method, source, found.summary(method, source)) for method in Method for source in Source]
    return tuple(
        (method, source, verdict.result.value) for method, source, verdict in summaries if verdict is not None
    )

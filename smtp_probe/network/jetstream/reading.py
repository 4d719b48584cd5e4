"""Reading streams: everything from some point on, in order and without a gap; and runs, each of which one worker gets.

In: an open connection. Out: messages, for as long as it is asked. Both pull: a request stands with the server, which sends
what there is and a sign of life every second; where that stays away the request, or the whole consumer, is made anew. A
follower counts: a message that was lost on the way shows in the consumer's numbers, and is read again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as ClientError
from nats.js import api

from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.ports import StoredMessage

_log = logging.getLogger(__name__)
_NS = 1_000_000_000
_BATCH = 500
_EXPIRES_SECONDS = 20.0
_HEARTBEAT_SECONDS = 1.0
_SILENCE_SECONDS = 2.5
_AGAIN_SECONDS = 0.3
_INACTIVE_SECONDS = 30
_PLAIN_WORDS = 9
_NEXT_HEADER = api.Header.SCHEDULE_NEXT.value


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading begins: at a sequence number, at an instant, or with the last message of every subject."""

    sequence: int = 1
    time_ns: int | None = None
    is_last_per_subject: bool = False


def heed_cancellation() -> None:
    """End where our end was asked for, though the library made something else of it.

    Before Python 3.12 `asyncio.wait_for` forgets a cancellation that comes together with what it waits for, and the library
    makes an error of its own of one that comes when its connection is closed.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class _Request:
    """One inbox with one standing request at a consumer."""

    def __init__(self, stream: JetStream, stream_name: str, consumer: str) -> None:
        self._stream = stream
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream_name}.{consumer}"
        self._inbox = stream.client.new_inbox()
        self._subscription: Subscription | None = None
        self._wanted = 0
        self._came: deque[Msg] = deque()
        self.coming: Counter[str] = Counter()
        """How many messages of each subject have come and were not given yet."""
        self._has_come = asyncio.Event()

    async def open(self) -> None:
        self._subscription = await self._stream.client.subscribe(self._inbox, cb=self._take)

    async def close(self) -> None:
        if self._subscription is not None:
            with suppress(ClientError, OSError):
                await self._subscription.unsubscribe()

    async def next(self, batch: int) -> Msg | None:
        """The next message; None where the request ended, or only a sign of life came. Raises EngineError for silence."""
        if not self._came:
            await self._wait(batch)
        message = self._came.popleft()
        status = _status(message)
        if status is None:
            self._wanted -= 1
            self.coming[message.subject] -= 1
            if not self.coming[message.subject]:
                del self.coming[message.subject]
            return message
        if status != api.StatusCode.CONTROL_MESSAGE.value:
            self._wanted = 0  # the request has ended
            if status not in (api.StatusCode.REQUEST_TIMEOUT.value, api.StatusCode.NO_MESSAGES.value):
                why = (message.headers or {}).get("Description", status)
                raise EngineError("the engine ended a request: " + why)
        return None

    async def _take(self, message: Msg) -> None:
        self._came.append(message)
        if _status(message) is None:
            self.coming[message.subject] += 1
        self._has_come.set()

    async def _wait(self, batch: int) -> None:
        """Wait for one message at least: what comes together costs one waiting."""
        self._has_come.clear()
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                if self._wanted <= 0:
                    await self._ask(batch)
                await self._has_come.wait()
            heed_cancellation()
        except (ClientError, OSError, TimeoutError) as error:
            heed_cancellation()
            self._wanted = 0
            raise EngineError("the engine does not send") from error

    async def _ask(self, batch: int) -> None:
        body = {
            "batch": batch,
            "expires": round(_EXPIRES_SECONDS * _NS),
            "idle_heartbeat": round(_HEARTBEAT_SECONDS * _NS),
        }
        await self._stream.client.publish(self._subject, json.dumps(body).encode(), self._inbox)
        self._wanted = batch


def _status(message: Msg) -> str | None:
    """What the server says of a request; None for a message of the stream."""
    return (message.headers or {}).get("Status") if not message.data else None


class Follower:
    """Reads a stream in order, from a point on, without end. Yields None at least every few seconds, as a sign of life."""

    def __init__(self, stream: JetStream, name: str, subjects: Sequence[str], start: Start) -> None:
        self._stream = stream
        self._name = name
        self._subjects = list(subjects)
        self._start = start
        self._last = 0
        self.pending: int | None = None
        """How many messages are still to be read; None where that is not known."""
        self.is_connected = False
        self._request: _Request | None = None

    def has_later(self, subject: str) -> bool:
        """Whether a later message of a subject has come already: where the last one tells all, only that need be read."""
        return self._request is not None and subject in self._request.coming

    async def messages(self) -> AsyncIterator[StoredMessage | None]:
        """Read. Never ends, and raises nothing for what the other side does."""
        said = ""
        while True:
            try:
                async for message in self._read_once():
                    said = ""
                    yield message
            except EngineError as error:
                if self.is_connected or str(error) != said:
                    said = str(error)
                    _log.info("reading %s again: %s", self._name, error)
            self.is_connected, self.pending = False, None
            yield None
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _read_once(self) -> AsyncIterator[StoredMessage | None]:
        """Read with one consumer, until a message is missing or the other side falls silent. Raises EngineError."""
        consumer = await self._make_consumer()
        request = self._request = _Request(self._stream, self._name, consumer)
        await request.open()
        number = 0
        try:
            self.is_connected = True
            if self.pending == 0:
                yield None
            while True:
                message = await request.next(_BATCH)
                if message is None:
                    yield None
                    continue
                number += 1
                sequence, delivered, self.pending = _places(message)
                if delivered != number:
                    raise EngineError("a message was lost on the way")
                self._last = sequence
                yield StoredMessage(
                    subject=message.subject,
                    sequence=self._last,
                    payload=message.data,
                    headers=dict(message.headers or {}),
                )
        finally:
            self._request = None
            await request.close()

    async def _make_consumer(self) -> str:
        policy: dict[str, Any] = {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(self._start.sequence, 1),
        }
        if self._last:
            policy["opt_start_seq"] = self._last + 1
        elif self._start.time_ns is not None:
            policy = {
                "deliver_policy": "by_start_time",
                "opt_start_time": _write_instant(self._start.time_ns),
            }
        elif self._start.is_last_per_subject:
            policy = {"deliver_policy": "last_per_subject"}
        config = {
            "ack_policy": "none",
            "max_deliver": 1,
            "filter_subjects": self._subjects,
            "inactive_threshold": _INACTIVE_SECONDS * _NS,
            "num_replicas": 1,
            "mem_storage": True,
            **policy,
        }
        answer = await self._stream.request(
            f"CONSUMER.CREATE.{self._name}", {"stream_name": self._name, "config": config}
        )
        self.pending = int(answer.get("num_pending", 0))
        return str(answer["name"])


@dataclass(slots=True)
class Run:
    """One run that was given to us. Where it is not taken in time, another worker gets it."""

    subject: str
    next_ns: int | None
    """When the next one is due, by the schedule; None for one that was asked for out of turn."""
    came_ns: int
    """When the engine put it there, by the engine's clock."""
    headers: Mapping[str, str] = field(default_factory=dict)
    _message: Msg | None = None

    async def take(self) -> None:
        """Say that it needs not be given to anybody else."""
        if self._message is not None:
            with suppress(ClientError, OSError):
                await self._message.ack()

    async def give_back(self, seconds: float) -> None:
        """Have it given to somebody, us perhaps, after a while."""
        if self._message is not None:
            with suppress(ClientError, OSError):
                await self._message.nak(delay=seconds)


class RunReader:
    """Pulls the runs of one vantage, as many as are wanted. Yields None at least every few seconds."""

    def __init__(self, stream: JetStream, vantage: str) -> None:
        self._stream = stream
        self._vantage = vantage

    async def runs(self, wanted: Callable[[], int] = lambda: 1) -> AsyncIterator[Run | None]:
        """Read, asking for so many at once. Never ends, and raises nothing for what the other side does."""
        while True:
            names = self._stream.names
            request: _Request | None = None
            try:
                request = _Request(self._stream, names.runs, names.run_consumer(self._vantage))
                await request.open()
                while True:
                    message = await request.next(wanted())
                    yield None if message is None else _run(message)
            except (EngineError, ClientError, OSError):
                yield None  # whether the engine is there is told by the signs of life
            finally:
                if request is not None:
                    await request.close()
            await asyncio.sleep(_AGAIN_SECONDS)


def _places(message: Msg) -> tuple[int, int, int]:
    """A message's number in its stream and at its consumer, and how many follow (ADR-15).

    The library says so too, and makes an instant of the time for each message, which nobody asks for.
    """
    words = message.reply.split(".")
    if len(words) == _PLAIN_WORDS:
        return int(words[5]), int(words[6]), int(words[8])
    metadata = message.metadata  # from behind a leaf node
    return metadata.sequence.stream, metadata.sequence.consumer, metadata.num_pending


def _run(message: Msg) -> Run:
    headers = dict(message.headers or {})
    came = message.metadata.timestamp
    return Run(
        subject=message.subject,
        next_ns=_instant_ns(headers.get(_NEXT_HEADER)),
        came_ns=round(came.timestamp() * 1e6) * 1000,
        headers=headers,
        _message=message,
    )


def _write_instant(instant_ns: int) -> str:
    """Write an instant as the server reads it, to the microsecond."""
    return datetime.fromtimestamp(instant_ns // 1000 / 1e6, UTC).isoformat().replace("+00:00", "Z")


def _instant_ns(text: str | None) -> int | None:
    """Read the server's time stamps, which have whole seconds: `2026-11-28T01:02:59Z`."""
    if text is None:
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp()) * _NS
    except ValueError:
        return None

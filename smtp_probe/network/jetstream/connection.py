"""The connection to the engine: kept, made again when it is lost, and whether it is there.

In: the section `engine`. Out: appended and read messages, keys of buckets; raises `errors.EngineError` for all that the
other side does, within a deadline. What a caller does not hear an answer to may have happened all the same: an append with
a nonce can be repeated, and `last` tells what became of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import nats
from nats import errors as client_errors
from nats.aio.client import Client
from nats.js import JetStreamContext, api
from nats.js import errors as stream_errors

from smtp_probe.config.engine import Engine, EngineTls
from smtp_probe.errors import ConfigError, EngineConflict, EngineError
from smtp_probe.network.jetstream.credentials import read_credentials
from smtp_probe.network.jetstream.names import Names
from smtp_probe.network.tls import client_context
from smtp_probe.ports import StoredMessage

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
ANSWER_SECONDS = 3.0
APPEND_SECONDS = 1.5
"""A message that is not stored within this time is offered again, perhaps to another server: under the same nonce it is stored once."""
_CONNECT_SECONDS = 4.0
_RETRY_SECONDS = 1.0
_PING_SECONDS = 2
_MOST_SENTENCES = 20
_WRONG_LAST = (10071, 10164)
_HEADER_EXPECTED = api.Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value
_HEADER_NONCE = api.Header.MSG_ID.value
_NOT_OURS = (client_errors.Error, stream_errors.Error, OSError, TimeoutError, asyncio.InvalidStateError)


class JetStream:
    """One connection to one cluster. `secret` gives the password, where one is used."""

    def __init__(self, settings: Engine, secret: Callable[[], str], label: str) -> None:
        self.names = Names(settings.namespace)
        self.settings = settings
        self._events = tuple(subject.removesuffix(">") for subject in self.names.all_events)
        self._secret = secret
        self._label = label
        self.refusal = ""
        """Why the last event was not taken, while the engine answered: a stream that is full, or gone."""
        self._client: Client | None = None
        self._said: set[str] = set()
        self._connecting = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether a server is at the other end now."""
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """The client of the library, for the readers beside this module. Raises EngineError before `connect`."""
        if self._client is None:
            raise EngineError("the engine has never been reached")
        return self._client

    @property
    def context(self) -> JetStreamContext:
        """The library's view of the streams."""
        return self.client.jetstream(timeout=ANSWER_SECONDS)

    async def connect(self) -> None:
        """Make the first connection, as often as it takes; from then on it is made again by itself."""
        async with self._connecting:
            await self._connect()

    async def _connect(self) -> None:
        if self._client is not None:
            return
        while self._client is None:
            try:
                options = await asyncio.to_thread(self._options)
                async with asyncio.timeout(_CONNECT_SECONDS * len(self.settings.servers) + _CONNECT_SECONDS):
                    self._client = await nats.connect(**options)
            except (*_NOT_OURS, ValueError, ConfigError) as error:  # also a file of credentials that is none
                self._say(f"the engine cannot be reached: {_text(error)}")
                await asyncio.sleep(_RETRY_SECONDS)
        _log.info("the engine is reached", extra={"server": _server(self._client)})

    async def move_on(self) -> None:
        """Go to another server: the one at the other end is there, and has no say among the others. Never raises."""
        if self._client is not None and self.is_connected:
            _log.warning("the engine's server does not answer for the others: trying another one")
            with suppress(*_NOT_OURS):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._client.force_reconnect()

    async def close(self) -> None:
        """Say what is left to say, and end. Never raises."""
        if self._client is not None:
            with suppress(*_NOT_OURS):
                async with asyncio.timeout(2.0):
                    await self._client.close()

    # Messages.

    async def append(
        self,
        subject: str,
        payload: bytes,
        *,
        expected: int | None = None,
        nonce: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Store a message; gives its sequence number. `expected`: only where the last one of its subject has this number.

        The same nonce within the stream's window is stored once. Raises EngineConflict, EngineError.
        """
        sent = dict(headers or {})
        if expected is not None:
            sent[_HEADER_EXPECTED] = str(expected)
        if nonce:
            sent[_HEADER_NONCE] = nonce
        self._require_connection()  # what waits in the client would be sent long after everybody has given up on it
        try:
            async with asyncio.timeout(APPEND_SECONDS * 2):
                answer = await self.client.request(
                    subject, payload, timeout=APPEND_SECONDS, headers=sent or None
                )
        except client_errors.NoRespondersError as error:
            self._hear(subject, "there is no stream for them, or nobody leads it")
            raise EngineError("no stream takes " + subject) from error
        except _NOT_OURS as error:
            raise EngineError(_text(error)) from error
        try:
            sequence = _sequence(subject, answer.data)
        except EngineError as error:
            self._hear(subject, str(error))
            raise
        self._hear(subject, "")
        return sequence

    def _hear(self, subject: str, refusal: str) -> None:
        """Note what became of an event; what else is appended says nothing of the events' stream."""
        if subject.startswith(self._events):
            self.refusal = refusal

    async def last(self, stream: str, subject: str) -> StoredMessage | None:
        """The last message of a subject, which may have wildcards. Asks the leader. Raises EngineError."""
        try:
            found = await self.ask(self.context.get_last_msg(stream, subject))
        except EngineError as error:
            if isinstance(error.__cause__, stream_errors.NotFoundError):
                return None
            raise
        return _stored(found)

    async def remove(self, stream: str, subject: str) -> None:
        """Drop all messages of a subject. Raises EngineError."""
        await self.ask(self.context.purge_stream(stream, subject=subject))

    async def request(self, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the API of JetStream. Raises EngineError."""
        answer = await self.ask(
            self.client.request(f"$JS.API.{subject}", json.dumps(body).encode(), timeout=ANSWER_SECONDS)
        )
        data: dict[str, Any] = json.loads(answer.data)
        if "error" in data:
            raise EngineError(str(data["error"].get("description", "refused")))
        return data

    async def ask(self, question: Awaitable[_T]) -> _T:
        """Wait for an answer within a deadline. Raises EngineError, with the library's exception as its cause."""
        try:
            self._require_connection()
            async with asyncio.timeout(ANSWER_SECONDS * 2):
                return await question
        except _NOT_OURS as error:
            raise EngineError(_text(error)) from error
        finally:
            if asyncio.iscoroutine(question):
                question.close()

    def _require_connection(self) -> None:
        if not self.is_connected:
            raise EngineError("no connection to the engine")

    # Connecting.

    def _options(self) -> dict[str, Any]:
        settings, auth = self.settings, self.settings.auth
        options: dict[str, Any] = {
            "servers": list(settings.servers),
            "name": self._label,
            "connect_timeout": _CONNECT_SECONDS,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.25,
            "ping_interval": _PING_SECONDS,
            "max_outstanding_pings": 2,
            "error_cb": self._failed,
            "disconnected_cb": self._disconnected,
            "reconnected_cb": self._reconnected,
        }
        if any(url.startswith("tls://") for url in settings.servers):
            options["tls"] = _tls_context(settings.tls_options)
            if settings.tls_options.server_name is not None:
                options["tls_hostname"] = settings.tls_options.server_name
        if auth is not None and auth.username is not None:
            options |= {"user": auth.username, "password": self._secret()}
        elif auth is not None:
            options |= read_credentials(auth)
        return options

    async def _failed(self, error: Exception) -> None:
        self._say(f"{'the engine' if self.is_connected else 'the engine cannot be reached'}: {_text(error)}")

    async def _disconnected(self) -> None:
        self._say("the connection to the engine is lost")

    async def _reconnected(self) -> None:
        self._said.clear()
        _log.info("the engine is reached again", extra={"server": _server(self.client)})

    def _say(self, sentence: str) -> None:
        """Log what is new since the engine was last reached; the library says the same things with each try."""
        if sentence not in self._said and len(self._said) < _MOST_SENTENCES:
            self._said.add(sentence)
            _log.warning("%s", sentence)


def _sequence(subject: str, answer: bytes) -> int:
    """The number that a message was given. Raises EngineConflict, EngineError."""
    try:
        data = json.loads(answer)
        refusal = data.get("error")
        if refusal is None:
            return int(data["seq"])
    except (ValueError, KeyError, AttributeError) as error:
        raise EngineError("an answer that is none") from error
    if refusal.get("err_code") in _WRONG_LAST:
        raise EngineConflict(subject)
    raise EngineError(str(refusal.get("description", "refused")))


def _server(client: Client) -> str:
    url = client.connected_url
    return "" if url is None else str(url.netloc)


def _tls_context(options: EngineTls) -> ssl.SSLContext:
    context = client_context(options)
    if options.certificate_file is not None and options.key_file is not None:
        context.load_cert_chain(options.certificate_file, options.key_file)
    return context


def _text(error: BaseException) -> str:
    if "authorization violation" in str(error).lower():
        return "it does not know us, or our password or key is wrong: see engine.auth"
    if isinstance(error, stream_errors.APIError) and error.description:
        return str(error.description)
    return str(error).removeprefix("nats: ") or type(error).__name__


def _stored(found: api.RawStreamMsg) -> StoredMessage:
    return StoredMessage(
        subject=found.subject or "",
        sequence=found.seq or 0,
        payload=found.data or b"",
        headers=dict(found.headers or {}),
    )

"""A bucket of keys and values: claimed by one, renewed by him alone, and gone when he falls silent.

In: keys and small values. Out: revisions; a claim that another has makes None. It is NATS' key-value store, so that its own
tools show what is in it. Raises `errors.EngineError` for all that the other side does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from smtp_probe.errors import EngineConflict
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.reading import Follower, Start

_OPERATION = "KV-Operation"
_DELETED = ("DEL", "PURGE")


IsOurs = Callable[[bytes], bool]


def _is_nobodys(_: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a key stands for; without a value it has been given up."""

    key: str
    value: bytes | None
    revision: int


class Bucket:
    """One bucket."""

    def __init__(self, stream: JetStream, name: str) -> None:
        self._stream = stream
        self._prefix = f"$KV.{name}."
        self._name = f"KV_{name}"

    async def get(self, key: str) -> Entry | None:
        """Read a key; None where it never was, or has passed away."""
        found = await self._stream.last(self._name, self._prefix + key)
        if found is None:
            return None
        is_gone = found.headers.get(_OPERATION) in _DELETED
        return Entry(key, None if is_gone else found.payload, found.sequence)

    async def put(self, key: str, value: bytes) -> int:
        """Write a key, whoever wrote it last."""
        return await self._stream.append(self._prefix + key, value)

    async def claim(self, key: str, value: bytes, is_ours: IsOurs = _is_nobodys) -> int | None:
        """Write a key that nobody has. None where somebody has it; `is_ours`: who that is, by the value."""
        try:
            return await self._stream.append(self._prefix + key, value, expected=0)
        except EngineConflict:
            found = await self.get(key)
        if found is None or (found.value is not None and not is_ours(found.value)):
            return None
        return await self._replace(key, value, found.revision)

    async def renew(self, key: str, value: bytes, revision: int, is_ours: IsOurs = _is_nobodys) -> int | None:
        """Write a key that only we have written since. None where it is ours no more.

        What stands there may be our own word, to which we heard no answer: `is_ours` knows it by the value.
        """
        renewed = await self._replace(key, value, revision)
        if renewed is not None:
            return renewed
        found = await self.get(key)
        if found is None or found.value is None or not is_ours(found.value):
            return None
        return await self._replace(key, value, found.revision)

    async def _replace(self, key: str, value: bytes, revision: int) -> int | None:
        try:
            return await self._stream.append(self._prefix + key, value, expected=revision)
        except EngineConflict:
            return None

    async def give_up(self, key: str, revision: int | None = None) -> None:
        """Let others have a key at once."""
        try:
            await self._stream.append(
                self._prefix + key, b"", expected=revision, headers={_OPERATION: _DELETED[0]}
            )
        except EngineConflict:
            return  # it is another's already

    async def entries(self, prefix: str = "") -> AsyncIterator[Entry | None]:
        """Every key as it is now, and then every change; None as a sign of life. A key that passes away is not told.

        `prefix`: only keys below these words, with a dot at the end.
        """
        subjects = [f"{self._prefix}{prefix}>"]
        follower = Follower(self._stream, self._name, subjects, Start(is_last_per_subject=True))
        async for message in follower.messages():
            if message is None:
                yield None
                continue
            is_gone = message.headers.get(_OPERATION) in _DELETED
            key = message.subject.removeprefix(self._prefix)
            yield Entry(key, None if is_gone else message.payload, message.sequence)

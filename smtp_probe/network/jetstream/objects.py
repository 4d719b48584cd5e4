"""Things that are too large for one message: kept by name in the engine, each replaced as a whole.

In: names and bytes. Out: the bytes that stand there, or nothing. It is NATS' object store, which writes the pieces first and
the name last, so that a reader sees the old thing or the new one. Raises `errors.EngineError`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nats.errors import Error as ClientError
from nats.js.errors import Error as StreamError
from nats.js.errors import NotFoundError, ObjectDeletedError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.connection import JetStream

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Objects:
    """One store of objects."""

    stream: JetStream
    name: str

    async def get(self, name: str) -> bytes | None:
        """Read an object; None where there is none."""
        try:
            async with asyncio.timeout(_SECONDS):
                found = await self._store.get(name)
        except (ObjectNotFoundError, ObjectDeletedError, NotFoundError):
            return None
        except (ClientError, StreamError, OSError, TimeoutError) as error:
            message = f"{name} cannot be read: {type(error).__name__}"
            raise EngineError(message) from error
        return found.data or b""

    async def put(self, name: str, data: bytes) -> None:
        """Write an object in the place of what stood there."""
        try:
            async with asyncio.timeout(_SECONDS):
                await self._store.put(name, data)
        except (ClientError, StreamError, OSError, TimeoutError) as error:
            message = f"{name} cannot be written: {type(error).__name__}"
            raise EngineError(message) from error

    @property
    def _store(self) -> ObjectStore:
        return ObjectStore(name=self.name, stream=f"OBJ_{self.name}", js=self.stream.context)

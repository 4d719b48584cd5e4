"""Who may come in, by name and password (RFC 7617), against bcrypt hashes.

In: users with their hashes, and the Authorization header of a request. Out: whether it is one of them. A name that does not
exist costs what a wrong password costs, so nobody learns which names there are. What bcrypt said is remembered, bounded,
under a keyed hash: no password stays in memory. bcrypt runs in threads, two at a time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Mapping

from pydantic import SecretStr

_REMEMBERED = 1000
_LONGEST_HEADER = 1500
_LONGEST_PASSWORD = 72
"""bcrypt looks at no more."""
_MOST_WAITING = 100


class Busy(Exception):  # noqa: N818 - it says what is the case
    """Too many passwords wait to be looked at."""


class Users:
    """The users of one configuration."""

    def __init__(self, hashes: Mapping[str, SecretStr]) -> None:
        self._hashes = {name: secret.get_secret_value().encode() for name, secret in hashes.items()}
        self._nobody = _nobody(list(self._hashes.values())) if hashes else b""
        self._known: OrderedDict[bytes, bool] = OrderedDict()
        self._key = os.urandom(32)
        self._places = asyncio.Semaphore(2)
        self._waiting = 0

    def __bool__(self) -> bool:
        """Whether anybody has to say who they are."""
        return bool(self._hashes)

    async def admit(self, header: str) -> bool:
        """Say whether a header shows one of the users. Raises Busy."""
        name, password = _read(header)
        if name is None:
            return False
        expected = self._hashes.get(name)
        hashed = expected if expected is not None else self._nobody
        key = hmac.digest(self._key, b"\0".join((name.encode(), hashed, password)), hashlib.sha256)
        is_right = self._known.get(key)
        if is_right is None:
            is_right = await self._compare(password, hashed)
            self._remember(key, is_right=is_right)
        return is_right and expected is not None

    async def _compare(self, password: bytes, hashed: bytes) -> bool:
        if self._waiting >= _MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(_compare, password, hashed)
        finally:
            self._waiting -= 1

    def _remember(self, key: bytes, *, is_right: bool) -> None:
        self._known[key] = is_right
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _compare(password: bytes, hashed: bytes) -> bool:
    import bcrypt  # where there are users

    is_right = bcrypt.checkpw(password[:_LONGEST_PASSWORD], hashed)
    return is_right and len(password) <= _LONGEST_PASSWORD


def _nobody(hashes: list[bytes]) -> bytes:
    """Make a hash that no password has been given for, as dear as the dearest of these."""
    import bcrypt

    cost = max((int(each[4:6]) for each in hashes), default=10)
    return b"$2b$%02d$" % cost + bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt(4))[7:]


def _read(header: str) -> tuple[str | None, bytes]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > _LONGEST_HEADER:
        return None, b""
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
        name, colon, password = raw.partition(b":")
        return (name.decode() if colon else None), password
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None, b""

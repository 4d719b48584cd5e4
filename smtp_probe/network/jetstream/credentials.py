"""Who we are to the servers: a file of credentials or of a seed, read so that whatever else is in it is told and not tried.

In: the section `engine.auth`. Out: options of the library's client. A file of credentials is read with each connection, since
its token may be a short-lived one that somebody renews. The library's own reader looks for a token without end in a file that
has none.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nkeys
from nats.errors import Error as ClientError

from smtp_probe.config.engine import EngineAuth

_TOKEN = re.compile(rb"-+BEGIN NATS USER JWT-+\s+([\w.=-]+)\s")
_SEED = re.compile(rb"-+BEGIN USER NKEY SEED-+\s+(\w+)\s")


class CredentialsFileError(ClientError):
    """A file is not what it should be; the text names it."""


def read_credentials(auth: EngineAuth) -> dict[str, Any]:
    """Give the options for a file, where `auth` names one. Raises OSError, CredentialsFileError."""
    if auth.credentials_file is not None:
        path = auth.credentials_file
        _token(path)
        _sign(path, "")
        return {"user_jwt_cb": lambda: _token(path), "signature_cb": lambda nonce: _sign(path, nonce)}
    if auth.nkey_file is not None:
        seed = auth.nkey_file.read_bytes().strip()
        _pair(auth.nkey_file, seed).wipe()
        return {"nkeys_seed_str": seed.decode()}
    return {}


def _token(path: Path) -> bytes:
    return _find(_TOKEN, path, "token of a user (BEGIN NATS USER JWT)")


def _sign(path: Path, nonce: str) -> bytes:
    pair = _pair(path, _find(_SEED, path, "seed (BEGIN USER NKEY SEED)"))
    signed = base64.b64encode(pair.sign(nonce.encode()))
    pair.wipe()
    return signed


def _find(pattern: re.Pattern[bytes], path: Path, what: str) -> bytes:
    found = pattern.search(path.read_bytes())
    if found is None:
        message = f"{path} has no {what} in it: see engine.auth"
        raise CredentialsFileError(message)
    return found[1]


def _pair(path: Path, seed: bytes) -> Any:
    try:
        return nkeys.from_seed(bytearray(seed))
    except (nkeys.NkeysError, ValueError, IndexError) as error:
        message = f"{path} has no seed of an NKey in it: see engine.auth"
        raise CredentialsFileError(message) from error

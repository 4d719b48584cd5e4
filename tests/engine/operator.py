"""NATS' decentral accounts, made for a test: an operator, an account with JetStream, and users with credentials files.

What `nsc` makes: each token is JSON, signed with the Ed25519 key of whoever vouches for it.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nkeys

_UNLIMITED = {
    **dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1),
    "wildcards": True,
}
_STORAGE = {"mem_storage": 64_000_000, "disk_storage": 1_500_000_000, "streams": 8, "consumer": 1000}


class Key:
    """A pair of keys of one kind (`nkeys.PREFIX_BYTE_...`)."""

    def __init__(self, prefix: int) -> None:
        self.seed = bytes(nkeys.encode_seed(os.urandom(32), prefix))
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public: str = self._pair.public_key.decode()

    def vouch(self, subject: str, name: str, claims: Mapping[str, Any], **others: Any) -> str:
        """Sign what may be said of a key."""
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        body = {
            "jti": os.urandom(16).hex(),
            "iat": time.time_ns() // 1_000_000_000,
            "iss": self.public,
            "sub": subject,
            "name": name,
            "nats": {"version": 2, **claims},
            **others,
        }
        text = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(body).encode())}"
        return f"{text}.{_encode(self._pair.sign(text.encode()))}"


class Operator:
    """An operator with one account for smtp-probe; `config` is what the server needs to know of them."""

    def __init__(self) -> None:
        operator, system = Key(nkeys.PREFIX_BYTE_OPERATOR), Key(nkeys.PREFIX_BYTE_ACCOUNT)
        self.account = Key(nkeys.PREFIX_BYTE_ACCOUNT)
        token = operator.vouch(operator.public, "lab", {"type": "operator", "system_account": system.public})
        accounts = {
            system.public: operator.vouch(system.public, "SYS", {"type": "account", "limits": _UNLIMITED}),
            self.account.public: operator.vouch(
                self.account.public, "SMTP_PROBE", {"type": "account", "limits": _UNLIMITED | _STORAGE}
            ),
        }
        preload = "\n".join(f"  {key}: {each}" for key, each in accounts.items())
        self.config = f"operator: {token}\nresolver: MEMORY\nresolver_preload: {{\n{preload}\n}}\n"

    def write_credentials(
        self, path: Path, issuer: Key | None = None, permissions: Mapping[str, Any] | None = None
    ) -> Path:
        """Write the file of a user, for whom the account vouches or another `issuer` does."""
        user = Key(nkeys.PREFIX_BYTE_USER)
        claims = {
            "type": "user",
            **dict.fromkeys(("subs", "data", "payload"), -1),
            **(permissions or {}),
        }
        token = (issuer or self.account).vouch(user.public, path.stem, claims)
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
        )
        path.chmod(0o600)
        return path


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

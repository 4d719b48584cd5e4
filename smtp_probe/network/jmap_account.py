"""The words of JMAP (RFC 8620) for one account: the session resource, method calls, and the stream of events.

In: a `WebApi`. Out: what methods answer, checked for its shape, or `errors.MailboxError`. Knows nothing of mail.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import quote, urljoin

from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.web_api import WebApi

CORE, MAIL = "urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"
_WELL_KNOWN = "/.well-known/jmap"
_REDIRECTS = 3
_PLACE = re.compile(r"\{(\w{1,40})\}")
_PASSING = frozenset({"serverUnavailable", "serverFail", "serverPartialFail", "rateLimit"})
_UNKNOWN_STATE = frozenset({"cannotCalculateChanges", "invalidArguments"})
_PING_SECONDS = 30

Call = tuple[str, dict[str, Any]]


class UnknownState(Exception):  # noqa: N818 - it says what is the case
    """The server does not remember what has changed since then: what is there has to be listed anew."""


class JmapAccount:
    """One account, after its session resource has been read."""

    def __init__(self, api: WebApi, session: Mapping[str, Any], base: str) -> None:
        self._api = api
        self._url = _join(api, base, _text(session, "apiUrl"))
        self._download = _join(api, base, _text(session, "downloadUrl"))
        events = session.get("eventSourceUrl")
        self._events = _join(api, base, events) if isinstance(events, str) and events else None
        primary, accounts = session.get("primaryAccounts"), session.get("accounts")
        account = primary.get(MAIL) if isinstance(primary, dict) else None
        if not isinstance(account, str) or not isinstance(accounts, dict) or account not in accounts:
            raise MailboxError("session", Cause.PROTOCOL_ERROR, detail="the login has no account for mail")
        self.account_id = account

    @classmethod
    async def open(cls, api: WebApi) -> Self:
        """Find the session resource (RFC 8620 section 2.2), following redirects that are safe for a login."""
        url = api.base + _WELL_KNOWN
        for _ in range(_REDIRECTS + 1):
            reply = await api.ask("session", "GET", url, headers={"Accept": "application/json"})
            target = reply.headers.get("Location", "") if 300 <= reply.status < 400 else ""
            if not target:
                break
            url = _join(api, url, target)
        if reply.status != 200:
            raise api.refusal("session", reply)
        return cls(api, reply.json("session"), url)

    async def call(self, stage: str, *calls: Call) -> list[dict[str, Any]]:
        """Have methods done, one after the other, and give what each answers.

        Raises `errors.MailboxError`; `UnknownState` where one of them cannot tell what has changed.
        """
        named = [
            [name, {"accountId": self.account_id, **arguments}, str(number)]
            for number, (name, arguments) in enumerate(calls)
        ]
        reply = await self._api.demand(
            stage, "POST", self._url, json_body={"using": [CORE, MAIL], "methodCalls": named}
        )
        responses = reply.json(stage).get("methodResponses")
        found: list[dict[str, Any]] = []
        for response in responses if isinstance(responses, list) else []:
            number = len(found)
            if not isinstance(response, list) or len(response) != 3 or not isinstance(response[1], dict):
                break
            if response[0] == "error" and response[2] == str(number):
                raise self._refusal(stage, calls[number][0], response[1])
            if number >= len(calls) or response[0] != calls[number][0] or response[2] != str(number):
                break
            found.append(response[1])
        if len(found) != len(calls):
            detail = f"the answers do not fit the calls of {', '.join(name for name, _ in calls)}"
            raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail=detail)
        return found

    def _refusal(self, stage: str, method: str, error: Mapping[str, Any]) -> Exception:
        kind, told = error.get("type"), error.get("description")
        word = self._api.mask(kind) if isinstance(kind, str) else "unknown"
        if method.endswith("/changes") and word in _UNKNOWN_STATE:
            return UnknownState()
        cause = Cause.REPLY_TEMPORARY if word in _PASSING else Cause.REPLY_PERMANENT
        words = f": {self._api.mask(told)}" if isinstance(told, str) else ""
        return MailboxError(stage, cause, detail=f"{method} was refused: {word}{words}")

    async def download(self, stage: str, blob_id: str, limit_bytes: int) -> bytes:
        """The start of a blob; empty where it is gone."""
        places = {
            "accountId": self.account_id, "blobId": blob_id, "name": "message.eml", "type": "message/rfc822",
        }  # fmt: skip
        reply = await self._api.ask(
            stage, "GET", _expand(self._download, places), limit_bytes=limit_bytes, cuts=True
        )
        if reply.status == 404:
            return b""
        if reply.status != 200:
            raise self._api.refusal(stage, reply)
        return reply.body

    @asynccontextmanager
    async def events(self, stage: str) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """The stream of changes of mail (section 7.3), line by line; None where the server has none."""
        if self._events is None:
            yield None
            return
        url = _expand(self._events, {"types": "Email", "closeafter": "no", "ping": str(_PING_SECONDS)})
        async with self._api.stream(stage, url) as lines:
            yield lines


def _join(api: WebApi, base: str, target: str) -> str:
    """What a server sends us to, as a whole address."""
    try:
        return urljoin(base, target)
    except ValueError:
        detail = f"the server sends us to {api.mask(target)!r}, which is no address"
        raise MailboxError("session", Cause.PROTOCOL_ERROR, detail=detail) from None


def _expand(template: str, places: Mapping[str, str]) -> str:
    """Fill in a template of URLs (RFC 6570, level 1)."""
    return _PLACE.sub(lambda match: quote(places.get(match[1], ""), safe=""), template)


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise MailboxError("session", Cause.PROTOCOL_ERROR, detail=f"the session resource has no {key}")
    return value


def names_in(data: Mapping[str, Any], key: str, stage: str) -> Sequence[str]:
    """A list of ids. Raises `errors.MailboxError` for what is none."""
    value = data.get(key)
    if not isinstance(value, list) or not all(
        isinstance(each, str) and 0 < len(each) < 256 for each in value
    ):
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail=f"{key} is no list of ids")
    return value


def objects_in(data: Mapping[str, Any], stage: str) -> Sequence[dict[str, Any]]:
    """The objects that a get has found. Raises `errors.MailboxError` for what are none."""
    value = data.get("list")
    if not isinstance(value, list) or not all(
        isinstance(each, dict) and isinstance(each.get("id"), str) for each in value
    ):
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="list holds no objects with ids")
    return value


def state_in(data: Mapping[str, Any], key: str, stage: str) -> str:
    """A state. Raises `errors.MailboxError` for what is none."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail=f"{key} is no state")
    return value

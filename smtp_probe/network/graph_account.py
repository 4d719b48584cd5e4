"""The words of Microsoft Graph for one mailbox: its folders, its messages, and what has changed in a folder (delta queries).

In: a `WebApi`. Out: what Graph answers, checked for its shape, or `errors.MailboxError`. Ids are immutable ones: a message keeps its
id when it is moved. Links that Graph gives are followed on its own host only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from smtp_probe.errors import MailboxError
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import Cause
from smtp_probe.network.web_api import WebApi

PAGE = 50
_LONGEST_ID = 1000
_HEADERS = {"Prefer": f'IdType="ImmutableId", odata.maxpagesize={PAGE}', "Accept": "application/json"}
_MOST_PAGES = 400
_FORGOTTEN = 410
_SIZE = "Integer 0x0E08"
"""PidTagMessageSize: Graph has no property of its own for it."""


class StateForgotten(Exception):  # noqa: N818 - it says what is the case
    """Graph does not remember the state any more: the folder has to be listed anew."""


class GraphAccount:
    """One user's mailbox."""

    def __init__(self, api: WebApi, user: str) -> None:
        self._api = api
        self._base = f"{api.base}/v1.0/users/{quote(user, safe='')}"

    async def folder(self, stage: str, known_name: str) -> dict[str, Any]:
        """A folder by its well-known name (`inbox`, `junkemail`, `deleteditems`), or by its id."""
        fields = "$select=id,displayName,totalItemCount"
        url = f"{self._base}/mailFolders/{quote(known_name, safe='')}?{fields}"
        reply = await self._api.ask(stage, "GET", url, headers=_HEADERS)
        if reply.status == 404:
            raise MailboxError(
                stage, Cause.FOLDER_MISSING, detail=f"there is no folder {sanitise(known_name, 60)}"
            )
        if reply.status != 200:
            raise self._api.refusal(stage, reply)
        return _object(reply.json(stage), stage)

    async def find_folder(self, stage: str, path: Sequence[str]) -> dict[str, Any]:
        """A folder by the names that lead to it."""
        url = f"{self._base}/mailFolders"
        found: dict[str, Any] | None = None
        for name in path:
            wanted = quote("displayName eq '" + name.replace("'", "''") + "'")
            fields = "$select=id,displayName,totalItemCount"
            answer = (
                await self._api.demand(stage, "GET", f"{url}?$filter={wanted}&{fields}", headers=_HEADERS)
            ).json(stage)
            values = _list(answer, stage)
            if not values:
                detail = f"there is no folder {sanitise('/'.join(path), 100)}"
                raise MailboxError(stage, Cause.FOLDER_MISSING, detail=detail)
            found = _object(values[0], stage)
            url = f"{self._base}/mailFolders/{quote(found['id'], safe='')}/childFolders"
        assert found is not None
        return found

    def first_look(self, folder_id: str, since: str) -> str:
        """The address at which a folder's messages since an instant are listed, and its changes begin."""
        fields = "$select=id,receivedDateTime,internetMessageHeaders"
        when = quote(f"receivedDateTime ge {since}")
        folder = quote(folder_id, safe="")
        return f"{self._base}/mailFolders/{folder}/messages/delta?{fields}&$filter={when}"

    async def changes(self, stage: str, url: str) -> AsyncIterator[tuple[list[dict[str, Any]], str | None]]:
        """Read one round, page by page: rows, and with the last page where the next round begins.

        Raises `errors.MailboxError`, and `StateForgotten`.
        """
        for _ in range(_MOST_PAGES):
            reply = await self._api.ask(stage, "GET", url, headers=_HEADERS)
            if reply.status == _FORGOTTEN:
                raise StateForgotten
            if reply.status != 200:
                raise self._api.refusal(stage, reply)
            answer = reply.json(stage)
            rows = [_object(row, stage) for row in _list(answer, stage)]
            following, last = answer.get("@odata.nextLink"), answer.get("@odata.deltaLink")
            if last is not None:
                yield rows, self._own(stage, last)
                return
            url = self._own(stage, following)
            yield rows, None
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="a round of changes without end")

    async def message(self, stage: str, message_id: str) -> dict[str, Any] | None:
        """A message with its header and its size; None where it is gone."""
        size = quote(f"singleValueExtendedProperties($filter=id eq '{_SIZE}')")
        url = f"{self._message(message_id)}?$select=id,receivedDateTime,internetMessageHeaders&$expand={size}"
        reply = await self._api.ask(stage, "GET", url, headers=_HEADERS)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise self._api.refusal(stage, reply)
        return _object(reply.json(stage), stage)

    async def content(self, stage: str, message_id: str, limit_bytes: int) -> bytes:
        """The start of a message as it came (MIME); empty where it is gone."""
        url = f"{self._message(message_id)}/$value"
        headers = {**_HEADERS, "Accept": "*/*"}
        reply = await self._api.ask(stage, "GET", url, headers=headers, limit_bytes=limit_bytes, cuts=True)
        if reply.status == 404:
            return b""
        if reply.status != 200:
            raise self._api.refusal(stage, reply)
        return reply.body

    async def delete(self, stage: str, message_id: str) -> None:
        """Delete one message for good. One that is gone is no error. Raises `errors.MailboxError`."""
        await self._change(stage, f"{self._message(message_id)}/permanentDelete", None)

    async def move(self, stage: str, message_id: str, folder_id: str) -> None:
        """Move one message. One that is gone is no error. Raises `errors.MailboxError`."""
        await self._change(stage, f"{self._message(message_id)}/move", {"destinationId": folder_id})

    async def _change(self, stage: str, url: str, body: object) -> None:
        reply = await self._api.ask(stage, "POST", url, json_body=body, headers=_HEADERS)
        if reply.status != 404 and not 200 <= reply.status < 300:
            raise self._api.refusal(stage, reply)

    def _message(self, message_id: str) -> str:
        return f"{self._base}/messages/{quote(message_id, safe='')}"

    def _own(self, stage: str, link: object) -> str:
        """A link, if it leads to where we are."""
        own = urlsplit(self._base)
        try:
            there = urlsplit(link) if isinstance(link, str) else None
        except ValueError:
            there = None
        if (
            there is None
            or not isinstance(link, str)
            or (there.scheme, there.netloc) != (own.scheme, own.netloc)
        ):
            raise MailboxError(
                stage, Cause.PROTOCOL_ERROR, detail="a link to the next page that leads elsewhere"
            )
        return link


def read_size(message: dict[str, Any]) -> int | None:
    """The size of a message; None where it is not told."""
    for each in message.get("singleValueExtendedProperties") or ():
        value = each.get("value") if isinstance(each, dict) else None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
            return int(value)
    return None


def _list(answer: dict[str, Any], stage: str) -> list[Any]:
    values = answer.get("value")
    if not isinstance(values, list):
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="the answer holds no list of values")
    return values


def _object(value: object, stage: str) -> dict[str, Any]:
    name = value.get("id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        raise MailboxError(stage, Cause.PROTOCOL_ERROR, detail="the answer holds an object without an id")
    return value

"""A small JMAP server that holds requests to RFC 8620 and 8621, and does what no real server does on demand."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from aiohttp import web

SECRET = "hunter2secret"
ACCOUNT, INBOX, JUNK, TRASH, DEEP = "A1", "M1", "M2", "M3", "M4"
FOLDERS = [
    {"id": INBOX, "name": "Posteingang", "role": "inbox", "parentId": None},
    {"id": JUNK, "name": "Werbung", "role": "junk", "parentId": None},
    {"id": TRASH, "name": "Müll", "role": "trash", "parentId": None},
    {"id": DEEP, "name": "2026", "role": None, "parentId": JUNK},
]
RIGHTS = {"mayReadItems": True, "mayRemoveItems": True}
USING = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]


class JmapServer:
    """Emails by id. `broken` maps the name of a method, or a path, to what is answered instead."""

    def __init__(self) -> None:
        self.emails: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[int, str, str]] = []
        self.state = 1
        self.forgotten = 0
        """States up to this one are not remembered."""
        self.broken: dict[str, Any] = {}
        self.pushes = True
        self.changed = asyncio.Event()
        self.listeners = 0
        self.calls: list[str] = []
        self.authorizations: set[str] = set()
        self.redirect = "/jmap/session"
        self.url = ""

    def put(
        self,
        name: str,
        subject: str = "one",
        *,
        mailbox: str = INBOX,
        marked: bool = True,
        body: str = "body",
    ) -> None:
        fields = [("X-SMTP-Probe", " v=1;\r\n t=abc")] if marked else []
        headers = [{"name": key, "value": value} for key, value in [*fields, ("Subject", f" {subject}")]]
        text = "".join(f"{each['name']}:{each['value']}\r\n" for each in headers) + f"\r\n{body}\r\n"
        self.emails[name] = {
            "id": name, "blobId": f"B{name}", "mailboxIds": {mailbox: True}, "size": len(text), "headers": headers,
            "receivedAt": f"2026-11-28T00:00:{len(self.emails):02d}Z", "text": text,
        }  # fmt: skip
        self.note(name, "created")

    def move(self, name: str, mailbox: str) -> None:
        self.emails[name]["mailboxIds"] = {mailbox: True}
        self.note(name, "updated")

    def lose(self, name: str) -> None:
        del self.emails[name]
        self.note(name, "destroyed")

    def note(self, name: str, what: str) -> None:
        self.state += 1
        self.log.append((self.state, name, what))
        self.changed.set()

    # HTTP.

    def application(self) -> web.Application:
        made = web.Application(middlewares=[self._guard])
        made.add_routes(
            [
                web.get("/.well-known/jmap", self._well_known),
                web.get("/jmap/session", self._session),
                web.post("/jmap/api", self._api),
                web.get("/jmap/download/{account}/{blob}/{name}", self._download),
                web.get("/jmap/events", self._events),
            ]
        )
        return made

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.authorizations.add(request.headers.get("Authorization", ""))
        if request.path in self.broken:
            return self.broken[request.path]()
        basic = base64.b64encode(f"probe:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") not in (f"Basic {basic}", f"Bearer {SECRET}"):
            problem = {"type": "about:blank", "detail": f"who is {request.headers.get('Authorization')}?"}
            return web.json_response(problem, status=401)
        return await handler(request)

    async def _well_known(self, _: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": self.redirect})

    async def _session(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "apiUrl": "/jmap/api",
                "downloadUrl": "/jmap/download/{accountId}/{blobId}/{name}?type={type}",
                "eventSourceUrl": "/jmap/events?types={types}&closeafter={closeafter}&ping={ping}",
                "primaryAccounts": {USING[1]: ACCOUNT},
                "accounts": {ACCOUNT: {"name": "probe"}},
            }
        )

    async def _download(self, request: web.Request) -> web.Response:
        assert request.match_info["account"] == ACCOUNT
        assert request.query["type"] == "message/rfc822"
        found = self.emails.get(request.match_info["blob"].removeprefix("B"))
        return web.Response(status=404) if found is None else web.Response(body=found["text"].encode())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if not self.pushes:
            return web.Response(status=204)
        assert request.query["types"] == "Email"
        assert request.query["closeafter"] == "no"
        assert int(request.query["ping"]) > 0
        assert request.headers["Accept"] == "text/event-stream"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b': hello\r\n\r\nevent: ping\r\ndata: {"interval": 30}\r\n\r\n')
        self.changed.clear()
        self.listeners += 1
        await self.changed.wait()
        told = {"@type": "StateChange", "changed": {ACCOUNT: {"Email": str(self.state)}}}
        await response.write(f"event: state\ndata: {json.dumps(told)}\n\n".encode())
        return response

    async def _api(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        asked = await request.json()
        assert asked.keys() == {"using", "methodCalls"}
        assert asked["using"] == USING
        responses: list[list[Any]] = []
        for name, arguments, call in asked["methodCalls"]:
            self.calls.append(name)
            assert arguments.pop("accountId") == ACCOUNT
            if name in self.broken:
                broken = self.broken[name]
                responses.append(broken(call) if callable(broken) else ["error", broken, call])
                continue
            if not self._fill_in(arguments, responses):
                responses.append(["error", {"type": "invalidResultReference"}, call])
                continue
            method = getattr(self, "_" + name.replace("/", "_").lower())
            answer = method(**arguments)
            responses.append(["error" if "type" in answer else name, answer, call])
        return web.json_response({"methodResponses": responses, "sessionState": "1"})

    @staticmethod
    def _fill_in(arguments: dict[str, Any], responses: list[list[Any]]) -> bool:
        for key in [key for key in arguments if key.startswith("#")]:
            reference = arguments.pop(key)
            wanted = reference["name"], reference["resultOf"]
            found = [each[1] for each in responses if (each[0], each[2]) == wanted]
            if not found:
                return False
            arguments[key[1:]] = found[0][reference["path"].removeprefix("/")]
        return True

    # Methods.

    def _mailbox_get(self, ids: None) -> dict[str, Any]:
        shown = [
            {**each, "myRights": RIGHTS, "totalEmails": len(self._in(str(each["id"])))} for each in FOLDERS
        ]
        return {"list": shown, "state": "1", "notFound": []}

    def _in(self, mailbox: str) -> list[str]:
        return [name for name, each in self.emails.items() if mailbox in each["mailboxIds"]]

    def _email_get(self, ids: list[str], properties: list[str] | None = None) -> dict[str, Any]:
        wanted = {"id", *(properties or [])}
        assert wanted <= {"id", "blobId", "mailboxIds", "receivedAt", "size", "headers"}
        found = [{key: self.emails[name][key] for key in wanted} for name in ids if name in self.emails]
        missing = [name for name in ids if name not in self.emails]
        return {"list": found, "notFound": missing, "state": str(self.state)}

    def _email_query(
        self,
        filter: dict[str, Any],  # noqa: A002 - the name that the RFC gives it
        sort: list[dict[str, Any]],
        limit: int,
        calculateTotal: bool = False,
    ) -> dict[str, Any]:
        assert sort == [{"property": "receivedAt", "isAscending": False}]
        conditions = filter.get("conditions", [filter])
        assert "operator" not in filter or filter["operator"] == "AND"
        found = list(self.emails.values())
        for condition in conditions:
            ((key, value),) = condition.items()
            if key == "inMailbox":
                found = [each for each in found if value in each["mailboxIds"]]
            else:
                assert key == "header"
                found = [each for each in found if self._has(each, *value)]
        names = [each["id"] for each in reversed(found)]
        return {"ids": names[:limit], "queryState": "1", "canCalculateChanges": False, "position": 0} | (
            {"total": len(names)} if calculateTotal else {}
        )

    def _has(self, email: dict[str, Any], name: str, value: str = "") -> bool:
        return any(
            each["name"].lower() == name.lower() and value.lower() in each["value"].lower()
            for each in email["headers"]
        )

    def _email_changes(self, sinceState: str, maxChanges: int) -> dict[str, Any]:
        since = int(sinceState)
        if since < self.forgotten:
            return {"type": "cannotCalculateChanges"}
        news = [each for each in self.log if each[0] > since][:maxChanges]
        latest = news[-1][0] if news else self.state
        last = {name: what for _, name, what in news}
        parts = {
            what: [name for name, each in last.items() if each == what]
            for what in ("created", "updated", "destroyed")
        }
        return {
            "oldState": sinceState,
            "newState": str(latest),
            "hasMoreChanges": latest < self.state,
            **parts,
        }

    def _email_set(
        self, destroy: list[str] | None = None, update: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        refused = {}
        for name in destroy or []:
            if name in self.emails:
                self.lose(name)
            else:
                refused[name] = {"type": "notFound"}
        for name, change in (update or {}).items():
            ((mailbox, is_there),) = change["mailboxIds"].items()
            assert is_there is True
            self.move(name, mailbox)
        return {"notDestroyed": refused or None, "notUpdated": None}

"""A small Microsoft Graph for one mailbox, which holds requests to the documentation, and does what the real one does on a bad day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

SECRET = "hunter2token"
USER = "probe@example.org"
FOLDERS = {
    "F1": ("inbox", "Posteingang", None),
    "F2": ("junkemail", "Junk-E-Mail", None),
    "F3": ("deleteditems", "Gelöschte Elemente", None),
    "F4": ("", "Archiv", None),
    "F5": ("", "O'Neill", "F4"),
}
"""By id: well-known name, name, id of the parent."""


class GraphServer:
    """Messages by id. `broken` maps the end of a path to what is answered instead."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[str, str, str]] = []
        """Folder, message and what became of it: `came`, `changed` or `went`."""
        self.broken: dict[str, Any] = {}
        self.forgotten = -1
        self.lists_headers = True
        self.page = 3
        self.asked: list[str] = []
        self.deleted: list[str] = []
        self.url = ""
        self.allows: Callable[[str], bool] = lambda token: token == SECRET

    def put(
        self, name: str, subject: str = "one", *, folder: str = "F1", marked: bool = True, body: str = "body"
    ) -> None:
        fields = [{"name": "X-SMTP-Probe", "value": "v=1; t=abc"}] if marked else []
        headers = [*fields, {"name": "Subject", "value": subject}]
        text = "".join(f"{each['name']}: {each['value']}\r\n" for each in headers) + f"\r\n{body}\r\n"
        self.messages[name] = {
            "id": name, "folder": folder, "internetMessageHeaders": headers, "text": text,
            "receivedDateTime": f"2026-11-28T00:00:{len(self.messages) % 60:02d}Z",
        }  # fmt: skip
        self.log.append((folder, name, "came"))

    def touch(self, name: str) -> None:
        self.log.append((self.messages[name]["folder"], name, "changed"))

    def lose(self, name: str) -> None:
        self.log.append((self.messages.pop(name)["folder"], name, "went"))

    def shift(self, name: str, folder: str) -> None:
        self.log.append((self.messages[name]["folder"], name, "went"))
        self.messages[name]["folder"] = folder
        self.log.append((folder, name, "came"))

    # HTTP.

    def application(self) -> web.Application:
        made = web.Application(middlewares=[self._guard])
        user = "/v1.0/users/{user}"
        made.add_routes(
            [
                web.get(user + "/mailFolders", self._find),
                web.get(user + "/mailFolders/{folder}", self._folder),
                web.get(user + "/mailFolders/{folder}/childFolders", self._find),
                web.get(user + "/mailFolders/{folder}/messages/delta", self._delta),
                web.get(user + "/messages/{message}", self._message),
                web.get(user + "/messages/{message}/$value", self._content),
                web.post(user + "/messages/{message}/permanentDelete", self._delete),
                web.post(user + "/messages/{message}/move", self._move),
            ]
        )
        return made

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        for end, answer in self.broken.items():
            if request.path.endswith(end):
                return answer(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.allows(token):
            return problem(
                401,
                "InvalidAuthenticationToken",
                f"Access token {request.headers.get('Authorization')} is wrong",
            )
        assert request.match_info["user"] == USER
        assert 'IdType="ImmutableId"' in request.headers["Prefer"]
        return await handler(request)

    def _shown(self, folder: str) -> dict[str, Any]:
        count = sum(each["folder"] == folder for each in self.messages.values())
        return {"id": folder, "displayName": FOLDERS[folder][1], "totalItemCount": count}

    async def _folder(self, request: web.Request) -> web.Response:
        wanted = request.match_info["folder"]
        found = [key for key, (known, _, _) in FOLDERS.items() if wanted in (key, known)]
        return (
            web.json_response(self._shown(found[0]))
            if found
            else problem(404, "ErrorItemNotFound", "no folder")
        )

    async def _find(self, request: web.Request) -> web.Response:
        parent = request.match_info.get("folder")
        assert request.query["$filter"].startswith("displayName eq '")
        name = request.query["$filter"].removeprefix("displayName eq '").removesuffix("'").replace("''", "'")
        found = [key for key, (_, shown, above) in FOLDERS.items() if (shown, above) == (name, parent)]
        return web.json_response({"value": [self._shown(key) for key in found]})

    async def _delta(self, request: web.Request) -> web.Response:
        folder, query = request.match_info["folder"], parse_qs(request.query_string)
        assert folder in FOLDERS
        base = self.url.rstrip("/") + request.path
        if "$deltatoken" in query:
            start, is_first = int(query["$deltatoken"][0]), False
            if start <= self.forgotten:
                return problem(410, "syncStateNotFound", "The sync state generation is not found")
            rows = self._changed(folder, start)
            end = len(self.log)
            return web.json_response({"value": rows, "@odata.deltaLink": f"{base}?$deltatoken={end}"})
        is_first = "$skiptoken" not in query
        if is_first:
            assert query["$select"] == ["id,receivedDateTime,internetMessageHeaders"]
            (when,) = query["$filter"]
            assert when.startswith("receivedDateTime ge 20")
            assert when.endswith("Z")
        skip, end = (0, len(self.log)) if is_first else map(int, query["$skiptoken"][0].split("-"))
        here = [name for name, each in self.messages.items() if each["folder"] == folder]
        rows = [self._row(name) for name in here[skip : skip + self.page]]
        if skip + self.page < len(here):
            return web.json_response(
                {"value": rows, "@odata.nextLink": f"{base}?$skiptoken={skip + self.page}-{end}"}
            )
        return web.json_response({"value": rows, "@odata.deltaLink": f"{base}?$deltatoken={end}"})

    def _changed(self, folder: str, start: int) -> list[dict[str, Any]]:
        rows = []
        for _, name, what in [each for each in self.log[start:] if each[0] == folder]:
            if what == "went" or name not in self.messages:
                rows.append({"id": name, "@removed": {"reason": "deleted"}})
            elif self.messages[name]["folder"] == folder:
                rows.append(self._row(name))
        return rows

    def _row(self, name: str) -> dict[str, Any]:
        keys = ("id", "receivedDateTime", *(("internetMessageHeaders",) if self.lists_headers else ()))
        return {key: self.messages[name][key] for key in keys}

    async def _message(self, request: web.Request) -> web.Response:
        found = self.messages.get(request.match_info["message"])
        assert request.query["$select"] == "id,receivedDateTime,internetMessageHeaders"
        assert request.query["$expand"] == "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
        if found is None:
            return problem(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        size = {"id": "Integer 0xe08", "value": str(len(found["text"]))}
        keys = ("id", "receivedDateTime", "internetMessageHeaders")
        return web.json_response(
            {key: found[key] for key in keys} | {"singleValueExtendedProperties": [size]}
        )

    async def _content(self, request: web.Request) -> web.Response:
        found = self.messages.get(request.match_info["message"])
        return (
            web.Response(body=found["text"].encode()) if found else problem(404, "ErrorItemNotFound", "gone")
        )

    async def _delete(self, request: web.Request) -> web.Response:
        assert await request.read() == b""
        name = request.match_info["message"]
        if name not in self.messages:
            return problem(404, "ErrorItemNotFound", "gone")
        self.deleted.append(name)
        self.lose(name)
        return web.Response(status=204)

    async def _move(self, request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked.keys() == {"destinationId"}
        if request.match_info["message"] not in self.messages:
            return problem(404, "ErrorItemNotFound", "gone")
        self.shift(request.match_info["message"], asked["destinationId"])
        return web.json_response({"id": request.match_info["message"]}, status=201)


def problem(status: int, code: str, message: str, **headers: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)

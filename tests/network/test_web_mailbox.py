"""What JMAP and Graph share: batches in the order of our numbers, places, and nothing left open after a failure."""

from typing import Any

import pytest

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause, MailboxMessage, Placement
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.web_api import WebApi
from smtp_probe.network.web_mailbox import WebConnector, WebSession
from smtp_probe.ports import WatchedFolder


class Api:
    tls = None
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


class Session(WebSession):
    batch = 2

    async def catch_up(self) -> None:
        self._numbers.add([name for name in "abcde" if self._numbers.number(name) is None])

    async def fetch(self, uids):
        return [
            MailboxMessage(location=self.locate(uid), placement=Placement.INBOX, seen_ns=0, header=b"")
            for uid in uids
        ]


def connector() -> WebConnector:
    settings = Mailbox.model_validate({"protocol": "jmap", "host": "mail.example.test", "tls": "implicit"})
    return WebConnector("inbox", settings, None, ReferenceClock())  # type: ignore[arg-type]


@pytest.fixture
def session():
    api: Any = Api()
    session = Session(connector(), api)
    session._watched = WatchedFolder(name="INBOX", placement=Placement.INBOX)
    return session


async def test_a_folder_is_read_onwards_in_batches(session):
    first, read = 1, []
    for is_at_end in (False, False, True):
        batch = [each.location.uid for each in await session.fetch_since(first)]
        assert session.is_at_end is is_at_end
        assert session.has_unfetched is not is_at_end
        read += batch
        first = read[-1] + 1
    assert read == [1, 2, 3, 4, 5]
    assert {each.location.folder for each in await session.fetch_since(1)} == {"INBOX"}


async def test_a_log_in_that_fails_leaves_nothing_open(monkeypatch):
    closed: list[WebApi] = []

    async def close(api: WebApi) -> None:
        closed.append(api)

    async def log_in(api: WebApi) -> None:
        opened.append(api)
        raise MailboxError("open", Cause.AUTH_REFUSED)

    opened: list[WebApi] = []
    monkeypatch.setattr(WebApi, "close", close)
    with pytest.raises(MailboxError):
        await connector().connect(log_in)
    assert closed == opened
    assert len(closed) == 1

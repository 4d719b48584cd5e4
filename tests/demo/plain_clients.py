"""Mail clients made of the standard library alone, to look at the demo from outside.

In: the configuration that the demo wrote, as plain data. Out: what an SMTP or IMAP server answered. Blocking calls
run in threads. Nothing of the prober's own network code is used, so that the two are judged apart.
"""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.path_log import Happening, PathEvent

DEADLINE_SECONDS = 15.0
TOKEN = "spt1-" + "abcdefghijklmnop" * 3


def read_config(path: MailPath) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.write_config())


def secret_of(endpoint: Mapping[str, Any]) -> str:
    return Path(endpoint["auth"]["password_file"]).read_text(encoding="ascii").rstrip("\n")


def trust_of(endpoint: Mapping[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=endpoint["tls_options"]["ca_file"])


class NamedSmtp(smtplib.SMTP):
    """Connects to an address and verifies a name, as `tls_options.server_name` wants it."""

    def __init__(self, sender: Mapping[str, Any]) -> None:
        super().__init__(sender["host"], sender["port"], local_hostname=sender["ehlo_name"], timeout=10)
        self._host = sender["tls_options"]["server_name"]


class NamedImap(imaplib.IMAP4):
    def __init__(self, mailbox: Mapping[str, Any]) -> None:
        super().__init__(mailbox["host"], mailbox["port"], timeout=10)
        self.host = mailbox["tls_options"]["server_name"]


@dataclass(frozen=True)
class Submitted:
    code: int
    reply: str


def submit_blocking(
    config: Mapping[str, Any],
    route: str,
    *,
    mail_options: Sequence[str] = (),
    rcpt_options: Sequence[str] = (),
    token: str = TOKEN,
) -> Submitted:
    """Log in over STARTTLS and hand in one message for a route's recipient. Returns the reply to the final dot."""
    recipient = config["routes"][route]["recipient"]
    sender = config["senders"][config["routes"][route]["sender"]]
    message = (
        f"From: {sender['from']}\r\nTo: {recipient}\r\nSubject: {token}\r\n"
        f"Message-ID: <{token}@example.test>\r\n\r\nfirst line\r\n.a line with a dot\r\n"
    )
    with NamedSmtp(sender) as client:
        client.starttls(context=trust_of(sender))
        client.login(sender["auth"]["username"], secret_of(sender))
        for code, text in (
            client.mail(sender["envelope_from"], list(mail_options)),
            client.rcpt(recipient, list(rcpt_options)),
        ):
            if code >= 300:
                return Submitted(code, text.decode())
        code, text = client.data(message.encode())
        return Submitted(code, text.decode())


async def submit(config: Mapping[str, Any], route: str, **options: Any) -> Submitted:
    return await asyncio.to_thread(submit_blocking, config, route, **options)


def read_folder_blocking(config: Mapping[str, Any], mailbox: str, folder: str) -> list[bytes]:
    settings = config["mailboxes"][mailbox]
    with NamedImap(settings) as client:
        client.starttls(trust_of(settings))
        client.login(settings["auth"]["username"], secret_of(settings))
        assert client.select(folder, readonly=True)[0] == "OK"
        _, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        return [item[1] for item in data if isinstance(item, tuple)]


async def read_folder(config: Mapping[str, Any], mailbox: str, folder: str) -> list[bytes]:
    return await asyncio.to_thread(read_folder_blocking, config, mailbox, folder)


async def wait_until(is_true: Callable[[], bool]) -> None:
    """Look every few milliseconds until it is true; fail after the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_true():
            await asyncio.sleep(0.005)


def happened(path: MailPath, happening: Happening, recipient: str) -> list[PathEvent]:
    return [
        event
        for event in path.events()
        if event.happening is happening and event.recipient.startswith(f"{recipient}@")
    ]


async def wait_for(path: MailPath, happening: Happening, recipient: str, times: int = 1) -> list[PathEvent]:
    await wait_until(lambda: len(happened(path, happening, recipient)) >= times)
    return happened(path, happening, recipient)


class RawImap:
    """An IMAP client that waits for lines, which imaplib cannot do before Python 3.14."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def line(self) -> str:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return (await self.reader.readuntil(b"\r\n")).decode().rstrip("\r\n")

    async def say(self, command: str, until: str) -> list[str]:
        """Send one line and read until one begins with `until`."""
        self.writer.write(command.encode() + b"\r\n")
        lines = [await self.line()]
        while not lines[-1].startswith(until):
            lines.append(await self.line())
        return lines


@asynccontextmanager
async def open_imap(port: int, user: str, password: str) -> AsyncIterator[RawImap]:
    """Log in over the loopback interface without TLS, which the store allows there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = RawImap(reader, writer)
    try:
        await client.line()
        assert (await client.say(f'a LOGIN {user} "{password}"', "a "))[-1].startswith("a OK")
        yield client
    finally:
        writer.transport.abort()


@asynccontextmanager
async def open_raw_imap(config: Mapping[str, Any], mailbox: str) -> AsyncIterator[RawImap]:
    """Log in to one of the configured mailboxes and select INBOX."""
    settings = config["mailboxes"][mailbox]
    async with open_imap(settings["port"], settings["auth"]["username"], secret_of(settings)) as client:
        await client.say("s SELECT INBOX", "s OK")
        yield client

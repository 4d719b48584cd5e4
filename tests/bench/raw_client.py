"""A minimal prober on raw sockets: what the dialogue itself costs in Python. A program of its own, and a baseline.

In: a file with a plan (JSON, see `Plan`). Out: one line of JSON for each probe, as it is done. It speaks the dialogue
of the daemon (STARTTLS, AUTH PLAIN, DSN and SIZE parameters, QUIT; NOOP until there is news, header with X-GUID, body,
removal by UID; a second connection looks into the junk folder), and nothing else: no journal, no metrics, no
signature, no deadline but the socket's, no judgement. It trusts every answer but its first character.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path

DEADLINE_SECONDS = 20.0
POLL_MINIMUM_SECONDS = 0.005
POLL_FRACTION = 0.05
JUNK_MINIMUM_SECONDS = 0.05
ITEMS = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.65536> X-GUID)"
_GUID_SECONDS = re.compile(rb"X-GUID (\d+)\.M(\d+)")


@dataclass(frozen=True)
class Plan:
    """What to do. `is_tight`: look again without any pause, instead of at the daemon's own pace."""

    smtp_host: str
    smtp_port: int
    imap_host: str
    imap_port: int
    server_name: str
    """One certificate is valid for both servers."""
    ca_file: str
    user: str
    password: str
    recipient: str
    interval_seconds: float
    size_bytes: int = 2048
    is_tight: bool = False
    most_probes: int = 1_000_000

    @property
    def login(self) -> str:
        """The argument of AUTH PLAIN, in SMTP as in IMAP (RFC 4616)."""
        return base64.b64encode(f"\0{self.user}\0{self.password}".encode()).decode()


class Line:
    """A connected socket without the two well-known delays of small packets."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), DEADLINE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Put TLS on it."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def read(self) -> bytes:
        """Wait for bytes, and have them acknowledged at once."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server has hung up")
        return data


class Smtp(Line):
    """One submission after the other, each on a connection of its own."""

    def ask(self, command: bytes, digit: bytes) -> bytes:
        """Send a command and read its reply to the end of its last line."""
        if command:
            self.socket.sendall(command)
        data = b""
        while not data.endswith(b"\n") or data[data.rfind(b"\n", 0, -1) + 4 :][:1] == b"-":
            data += self.read()
        if data[:1] != digit:
            raise ConnectionError(data.decode(errors="replace"))
        return data

    def submit(self, plan: Plan, context: ssl.SSLContext, message: bytes) -> int:
        """Hand over one message; give when its final dot had been sent (epoch nanoseconds)."""
        self.ask(b"", b"2")
        self.ask(b"EHLO prober.example.test\r\n", b"2")
        self.ask(b"STARTTLS\r\n", b"2")
        self.secure(context, plan.server_name)
        self.ask(b"EHLO prober.example.test\r\n", b"2")
        self.ask(f"AUTH PLAIN {plan.login}\r\n".encode(), b"2")
        sender = f"<{plan.user}@example.test> SIZE={len(message)} RET=HDRS ENVID=raw-{time.time_ns()}"
        self.ask(f"MAIL FROM:{sender}\r\n".encode(), b"2")
        notify = f"NOTIFY=FAILURE,DELAY ORCPT=rfc822;{plan.recipient}"
        self.ask(f"RCPT TO:<{plan.recipient}> {notify}\r\n".encode(), b"2")
        self.ask(b"DATA\r\n", b"3")
        self.socket.sendall(message + b".\r\n")
        dot_ns = time.time_ns()
        self.ask(b"", b"2")
        self.ask(b"QUIT\r\n", b"2")
        self.socket.close()
        return dot_ns


class Imap(Line):
    """One folder, watched by NOOP."""

    def __init__(self, plan: Plan, context: ssl.SSLContext, folder: str) -> None:
        super().__init__(plan.imap_host, plan.imap_port)
        self.secure(context, plan.server_name)
        self.number = 0
        self.read()
        self.ask(f"AUTHENTICATE PLAIN {plan.login}")
        found = re.search(rb"UIDNEXT (\d+)", self.ask(f"SELECT {folder}"))
        assert found is not None
        self.next_uid = int(found.group(1))

    def ask(self, command: str) -> bytes:
        """Send a command and give all that comes up to the end of its tagged answer."""
        self.number += 1
        tag = b"a%d " % self.number
        self.socket.sendall(tag + command.encode() + b"\r\n")
        data = self.read()
        while not (data.endswith(b"\r\n") and data[data.rfind(b"\r\n", 0, -2) + 2 :].startswith(tag)):
            if data.startswith(tag) and data.endswith(b"\r\n"):
                break
            data += self.read()
        return data

    def has_news(self) -> bool:
        """Look once."""
        return b" EXISTS\r\n" in self.ask("NOOP")

    def take(self) -> tuple[int, int]:
        """Fetch the one new message and remove it; give when it was stored and when its header was here."""
        header = self.ask(f"UID FETCH {self.next_uid}:* {ITEMS}")
        seen_ns = time.time_ns()
        uid, guid = re.search(rb"UID (\d+)", header), _GUID_SECONDS.search(header)
        assert uid is not None
        assert guid is not None
        name = int(uid.group(1))
        self.next_uid = name + 1
        self.ask(f"UID FETCH {name} (UID BODY.PEEK[TEXT]<0.65536>)")
        self.ask(rf"UID STORE {name} +FLAGS.SILENT (\Deleted)")
        self.ask(f"UID EXPUNGE {name}")
        return int(guid.group(1)) * 1_000_000_000 + int(guid.group(2)) * 1000, seen_ns


def write_message(plan: Plan) -> bytes:
    """Make a message of the daemon's size."""
    head = (
        f"From: {plan.user}@example.test\r\nTo: {plan.recipient}\r\nSubject: raw\r\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n"
        f"Message-ID: <{time.time_ns()}@prober.example.test>\r\n\r\n"
    )
    lines = (plan.size_bytes - len(head)) // 72 + 1
    return (head + ("x" * 70 + "\r\n") * lines).encode()


def wait_for_news(plan: Plan, inbox: Imap, junk: Imap, dot_ns: int) -> None:
    """Look until the message is there: without a pause, or at the pace of the daemon."""
    ends_ns, junk_at = dot_ns + DEADLINE_SECONDS * 1e9, 0.0
    while not inbox.has_news():
        age_seconds = (time.time_ns() - dot_ns) / 1e9
        if time.time_ns() > ends_ns:
            raise TimeoutError("the message did not arrive")
        if plan.is_tight:
            continue
        if time.monotonic() >= junk_at:
            junk.has_news()
            junk_at = time.monotonic() + JUNK_MINIMUM_SECONDS
        time.sleep(max(POLL_MINIMUM_SECONDS, age_seconds * POLL_FRACTION))


def main(plan: Plan) -> None:
    """Probe at the plan's interval."""
    context = ssl.create_default_context(cafile=plan.ca_file)
    inbox, junk = Imap(plan, context, "INBOX"), Imap(plan, context, "Junk")
    due = time.monotonic()
    for _ in range(plan.most_probes):
        due += plan.interval_seconds
        dot_ns = Smtp(plan.smtp_host, plan.smtp_port).submit(plan, context, write_message(plan))
        wait_for_news(plan, inbox, junk, dot_ns)
        stored_ns, seen_ns = inbox.take()
        print(json.dumps({"dot_ns": dot_ns, "stored_ns": stored_ns, "seen_ns": seen_ns}), flush=True)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(Plan(**json.loads(Path(sys.argv[1]).read_text())))

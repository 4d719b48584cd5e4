"""The embedded receiver: an SMTP server that writes down every message before it answers, and the mailbox it goes into.

Run as a process: `python -m tests.engine.receiver DIRECTORY USERS`. It writes `facts.json` when it listens, and a line into
`mail.log` for each message that it took. While the file `hold` exists, it answers no final dot; while `relayed` exists, messages
are stored as if another server had relayed them.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from smtp_probe.demo.certificates import make_certificates
from smtp_probe.demo.imap import INBOX, MailStore
from smtp_probe.mail.recognition import find_candidates
from smtp_probe.mail.tag import peek

PASSWORD = "of the lab"
_CAPACITY = 1_000_000
"""Messages of a folder: no probe may be lost because of this end of the way, however far behind the watchers are."""
_RELAYED = (
    "Received: from relay.example.net (relay.example.net [198.51.100.25]) by mx.example.test with ESMTP; {stamp}\r\n"
    "Received: from prober.example.test (prober.example.test [127.0.0.1]) by relay.example.net with ESMTP; {stamp}\r\n"
)


class Reception:
    def __init__(self, directory: Path, store: MailStore) -> None:
        self._directory = directory
        self._store = store
        self._log = (directory / "mail.log").open("a")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        header = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        claims = [peek(each.token) for each in find_candidates(header)]
        line = {
            "at": time.time_ns() / 1e9,
            "to": envelope.rcpt_tos[0],
            "probe_id": claims[0].probe_id if claims and claims[0] else "",
        }
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        stamp = _now().strftime("%a, %d %b %Y %H:%M:%S +0000")
        received = f"Received: from lab by mx.example.test with ESMTP; {stamp}\r\n".encode()
        if (self._directory / "relayed").exists():
            received = _RELAYED.format(stamp=stamp).encode()
        user = envelope.rcpt_tos[0].partition("@")[0]
        await self._store.put(user, INBOX, received + content, time.time_ns())
        while (self._directory / "hold").exists():
            await asyncio.sleep(0.02)
        return "250 2.0.0 taken"


def _now() -> datetime:
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)


async def serve(directory: Path, users: list[str]) -> None:
    files = make_certificates(directory, ["imap.example.test", "localhost"], _now())
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.certificate_file, files.key_file)
    store = MailStore(dict.fromkeys(users, PASSWORD), tls, _CAPACITY, connections=3 * len(users) + 50)
    imap_port = await store.start()
    reception = Reception(directory, store)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(reception, hostname="mx.example.test", enable_SMTPUTF8=False), "127.0.0.1", 0
    )
    facts = {
        "smtp_port": server.sockets[0].getsockname()[1],
        "imap_port": imap_port,
        "ca_file": str(files.ca_file),
    }
    partial = directory / "facts.partial"
    partial.write_text(json.dumps(facts))
    partial.rename(directory / "facts.json")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2].split(",")))

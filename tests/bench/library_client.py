"""A minimal prober on the two libraries that the daemon stands on: what aiosmtplib and aioimaplib cost by themselves.

In and out as `raw_client`, with the same dialogue, and as little around it: no journal, no metrics, no deadline, no
judgement. What the daemon takes above this is its own; what this takes above raw sockets is the price of the libraries.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import time
from pathlib import Path

import aioimaplib
import aiosmtplib

from tests.bench.raw_client import (
    DEADLINE_SECONDS,
    ITEMS,
    JUNK_MINIMUM_SECONDS,
    POLL_FRACTION,
    POLL_MINIMUM_SECONDS,
    Plan,
    write_message,
)

_GUID_SECONDS = re.compile(rb"X-GUID (\d+)\.M(\d+)")


async def submit(plan: Plan, context: ssl.SSLContext, message: bytes) -> int:
    """Hand over one message; give when its final dot was about to be sent (epoch nanoseconds)."""
    client = aiosmtplib.SMTP(
        hostname=plan.smtp_host,
        port=plan.smtp_port,
        local_hostname="prober.example.test",
        start_tls=False,
        use_tls=False,
    )
    await client.connect()
    await client.ehlo()
    await client.starttls(server_hostname=plan.server_name, tls_context=context)
    await client.ehlo()
    await client.auth_plain(plan.user, plan.password)
    envelope = [f"SIZE={len(message)}", "RET=HDRS", f"ENVID=raw-{time.time_ns()}"]
    await client.mail(f"{plan.user}@example.test", options=envelope)
    await client.rcpt(plan.recipient, options=["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{plan.recipient}"])
    dot_ns = time.time_ns()
    await client.data(message)
    await client.quit()
    return dot_ns


async def open_folder(plan: Plan, context: ssl.SSLContext, folder: str) -> tuple[aioimaplib.IMAP4_SSL, int]:
    """Log in and select; give the connection and the next UID."""
    client = aioimaplib.IMAP4_SSL(
        plan.imap_host, plan.imap_port, timeout=DEADLINE_SECONDS, ssl_context=context
    )
    await client.wait_hello_from_server()
    await client.login(plan.user, plan.password)
    answer = await client.select(folder)
    [next_uid] = (found for line in answer.lines if (found := re.search(rb"UIDNEXT (\d+)", line)))
    return client, int(next_uid.group(1))


async def has_news(client: aioimaplib.IMAP4_SSL) -> bool:
    """Look once."""
    answer = await client.noop()
    return any(line.endswith(b"EXISTS") for line in answer.lines)


async def take(client: aioimaplib.IMAP4_SSL, next_uid: int) -> tuple[int, int, int]:
    """Fetch the one new message and remove it; give its UID, when it was stored, and when its header was here."""
    header = await client.uid("fetch", f"{next_uid}:*", ITEMS)
    seen_ns = time.time_ns()
    text = b"".join(bytes(line) for line in header.lines)
    uid, guid = re.search(rb"UID (\d+)", text), _GUID_SECONDS.search(text)
    assert uid is not None
    assert guid is not None
    name = int(uid.group(1))
    await client.uid("fetch", str(name), "(UID BODY.PEEK[TEXT]<0.65536>)")
    await client.uid("store", str(name), r"+FLAGS.SILENT (\Deleted)")
    await client.uid("expunge", str(name))
    return name, int(guid.group(1)) * 1_000_000_000 + int(guid.group(2)) * 1000, seen_ns


async def wait_for_news(inbox: aioimaplib.IMAP4_SSL, junk: aioimaplib.IMAP4_SSL, dot_ns: int) -> None:
    """Look until the message is there, at the pace of the daemon."""
    ends_ns, junk_at = dot_ns + DEADLINE_SECONDS * 1e9, 0.0
    while not await has_news(inbox):
        if time.time_ns() > ends_ns:
            raise TimeoutError("the message did not arrive")
        if time.monotonic() >= junk_at:
            await has_news(junk)
            junk_at = time.monotonic() + JUNK_MINIMUM_SECONDS
        await asyncio.sleep(max(POLL_MINIMUM_SECONDS, (time.time_ns() - dot_ns) / 1e9 * POLL_FRACTION))


async def main(plan: Plan) -> None:
    """Probe at the plan's interval."""
    context = ssl.create_default_context(cafile=plan.ca_file)
    inbox, next_uid = await open_folder(plan, context, "INBOX")
    junk, _ = await open_folder(plan, context, "Junk")
    due = time.monotonic()
    for _ in range(plan.most_probes):
        due += plan.interval_seconds
        dot_ns = await submit(plan, context, write_message(plan))
        await wait_for_news(inbox, junk, dot_ns)
        name, stored_ns, seen_ns = await take(inbox, next_uid)
        next_uid = name + 1
        print(json.dumps({"dot_ns": dot_ns, "stored_ns": stored_ns, "seen_ns": seen_ns}), flush=True)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(main(Plan(**json.loads(Path(sys.argv[1]).read_text()))))

"""A queue of any length, as each kind of server tells it; and a process that reads it and says what memory that took.

Run as a program: `python -m tests.network.queue_flood METHOD FOLDER NUMBER` reads a queue of a thousand entries, then one of
so many, each added up as the daemon adds it up, and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from smtp_probe.config.queues import Queue
from smtp_probe.mail.queue_listing.survey import QueueCount
from smtp_probe.network.queue import LocalQueue

FEW = 1_000
SPOOL_FOLDERS = 10
HEADER = "022P Received: from nowhere\n" * 40
"""Of a message, which stands in the same file as its envelope."""
NOW = 1_795_806_400
REASON = "connect to mx.example.test[192.0.2.1]:25: Connection refused"


def postqueue(number):
    """One line of `postqueue -j`."""
    entry = {
        "queue_name": "deferred",
        "queue_id": f"{number:011X}",
        "arrival_time": NOW - number,
        "message_size": 1600,
        "forced_expire": False,
        "sender": f"s{number}@example.test",
        "recipients": [{"address": f"r@d{number}.example.test", "delay_reason": REASON}],
    }
    return json.dumps(entry).encode() + b"\n"


def showq(number):
    """One entry of the showq socket."""
    fields = (
        *("queue_name", "deferred", "queue_id", f"{number:011X}", "time", str(NOW - number), "size", "1600"),
        *("forced_expire", "0", "sender", f"s{number}@example.test"),
        *("recipient", f"r@d{number}.example.test", "reason", REASON),
    )
    return b"".join(field.encode() + b"\0" for field in fields) + b"\0"


def exim(number):
    """One message of `exim -bp`."""
    return (
        f" 25m  2.9K 1vMb1e-{number:06d}-2f <s{number}@example.test>\n          r@d{number}.example.test\n\n"
    ).encode()


WRITERS = {"postqueue": postqueue, "showq": showq, "exim": exim}


def write_spool(spool, number):
    """A spool of Exim, split as it is where it is long. Messages of one folder share the file of their body, and their log."""
    for letter in range(min(number, SPOOL_FOLDERS)):
        body, log = (spool / place / str(letter) for place in ("input", "msglog"))
        for folder in (body, log):
            folder.mkdir(parents=True, exist_ok=True)
        (spool / f"body{letter}").write_bytes(b"x" * 1600)
        (spool / f"log{letter}").write_text(
            f"2026-11-27 19:00:01 r@d.test R=mx T=smtp defer (111): {REASON}\n"
        )
        for each in range(letter, number, SPOOL_FOLDERS):
            message_id = f"1vMb1e-{each:06d}-2f"
            (body / f"{message_id}-H").write_text(
                f"{message_id}-H\nDebian-exim 101 103\n<s{each}@example.test>\n{NOW} 0\n-helo_name a.example.test\n"
                f"XX\n1\nr@d{each}.example.test\n\n{HEADER}"
            )
            (body / f"{message_id}-D").hardlink_to(spool / f"body{letter}")
            (log / message_id).hardlink_to(spool / f"log{letter}")


def write(method, number, out):
    """The whole listing, piece by piece."""
    out.write(b"protocol\0mail_queue_list_protocol\0\0" if method == "showq" else b"")
    for each in range(number):
        out.write(WRITERS[method](each))
    out.write(b"\0" if method == "showq" else b"")


async def read(method, file, number):
    """Read it as the daemon does. Gives how many messages were counted."""
    count = QueueCount(NOW, (), top_destinations=10)
    kind = "exim" if method in {"exim", "spool"} else "postfix"
    settings = {"kind": kind, "method": method, "deadline": "60s", "interval": "60s"}
    if method == "spool":
        await LocalQueue(Queue.model_validate({**settings, "path": str(file)})).read(count.add)
        return count.total().messages
    if method != "showq":
        await LocalQueue(Queue.model_validate({**settings, "command": ["cat", str(file)]})).read(count.add)
        return count.total().messages

    async def serve(_, writer):
        with file.open("rb") as content:
            while piece := content.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    path = file.with_suffix(f".{number}")
    async with await asyncio.start_unix_server(serve, path):
        await LocalQueue(Queue.model_validate({**settings, "path": str(path)})).read(count.add)
    return count.total().messages


def main():
    method, folder, many = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    told = {}
    for number in (FEW, many):
        file = folder / f"queue{number}"
        if method == "spool":
            write_spool(file, number)
        else:
            with file.open("wb") as out:
                write(method, number, out)
        began = time.process_time()
        counted = asyncio.run(read(method, file, number))
        told[number] = {
            "counted": counted,
            "seconds": time.process_time() - began,
            "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

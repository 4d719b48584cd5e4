"""A queue of any length, as each kind of server tells it; and a process that reads it and says what memory that took.

Run as a program: `python -m tests.network.queue_flood METHOD FOLDER` reads a queue of a thousand entries, then one of a
hundred thousand, each added up as the daemon adds it up, and prints JSON.
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

FEW, MANY = 1_000, 100_000
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


def write(method, number, out):
    """The whole listing, piece by piece."""
    out.write(b"protocol\0mail_queue_list_protocol\0\0" if method == "showq" else b"")
    for each in range(number):
        out.write(WRITERS[method](each))
    out.write(b"\0" if method == "showq" else b"")


async def read(method, file, number):
    """Read it as the daemon does. Gives how many messages were counted."""
    count = QueueCount(NOW, (), top_destinations=10)
    kind = "exim" if method == "exim" else "postfix"
    settings = {"kind": kind, "method": method, "deadline": "60s", "interval": "60s"}
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
    method, folder = sys.argv[1], Path(sys.argv[2])
    told = {}
    for number in (FEW, MANY):
        file = folder / f"queue{number}"
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

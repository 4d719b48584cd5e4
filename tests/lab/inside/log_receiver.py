"""Receives what the servers say by syslog and writes it with the instant at which they said it.

The kernel stamps each datagram when it is sent (SO_TIMESTAMPNS), so the stamp is the instant of
the server's own call of syslog(3), however late this process gets to run: microseconds where an
ordinary mail log has seconds.

Arguments: the socket to make, the file to append to. A line is
`2026-01-31T12:00:00.123456Z postfix-mx/smtpd[12]: text`.
"""

import os
import re
import socket
import struct
import sys
import time
from pathlib import Path

SO_TIMESTAMPNS = 35
PREFIX = re.compile(rb"<\d+>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?")
TIMESPEC = struct.Struct("@qq")


def sent_at_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's stamp, or this instant where the kernel gives none."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(data[: TIMESPEC.size])
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def format_line(stamp_ns: int, datagram: bytes) -> bytes:
    """Write one record as a line of its own."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    text = PREFIX.sub(b"", datagram, count=1).rstrip(b"\0\n").replace(b"\n", b" ")
    return f"{date}.{nanoseconds // 1000:06d}Z ".encode() + text + b"\n"


def main() -> None:
    """Receive until killed."""
    path, log = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    receiver.bind(str(path))
    path.chmod(0o666)
    while True:
        datagram, ancillary, _, _ = receiver.recvmsg(65536, 256)
        os.write(log, format_line(sent_at_ns(ancillary), datagram))


if __name__ == "__main__":
    main()

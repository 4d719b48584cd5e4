"""NSD on a loopback port, for the length of a `with` block. Needs Debian's `nsd`, and nothing of root."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import dns.exception
import dns.message
import dns.query

ADDRESS = "127.0.0.1"
_CONFIGURATION = """server:
    server-count: 1
    ip-address: {address}@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: ""
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    hide-version: yes
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""


@contextlib.contextmanager
def serve(
    zones: Mapping[str, str], folder: Path, address: str = ADDRESS, port: int | None = None
) -> Iterator[int]:
    """Serve zones, given by their names as text of master files. Gives the port."""
    program = shutil.which("nsd", path="/usr/sbin:/usr/bin:/bin")
    assert program is not None, "Debian's nsd is missing: sh tests/lab/install.sh"
    port = port or free_port(address)
    configuration = _CONFIGURATION.format(address=address, port=port, folder=folder)
    for number, (name, text) in enumerate(zones.items()):
        (folder / f"{number}.zone").write_text(text)
        configuration += f'zone:\n    name: "{name}"\n    zonefile: "{number}.zone"\n'
    (folder / "nsd.conf").write_text(configuration)
    with (folder / "nsd.log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", folder / "nsd.conf"], stdout=log, stderr=log)
        try:
            _wait_until_it_serves(process, address, port, next(iter(zones)), folder)
            (folder / "nsd.pid").write_text(str(process.pid))
            yield port
        finally:
            process.terminate()
            process.wait(10)


def serve_anew(folder: Path, number: int, text: str) -> None:
    """Change a zone, counted from 0 in the order given to `serve`, under a server that is running."""
    zone = folder / f"{number}.zone"
    modified = zone.stat().st_mtime + 2  # nsd reads again what is newer, by whole seconds
    zone.write_text(text)
    os.utime(zone, (modified, modified))
    os.kill(int((folder / "nsd.pid").read_text()), signal.SIGHUP)


def free_port(address: str = ADDRESS) -> int:
    """A port that is free for both UDP and TCP."""
    for _ in range(50):
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind((address, port))
                return port
    raise AssertionError("no free port")


def _wait_until_it_serves(
    process: subprocess.Popen[bytes], address: str, port: int, zone: str, folder: Path
) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, (folder / "nsd.log").read_text()
        with contextlib.suppress(OSError, dns.exception.DNSException):
            answer = dns.query.udp(dns.message.make_query(zone, "SOA"), address, 0.2, port)
            if answer.answer:
                return
        time.sleep(0.02)
    raise AssertionError((folder / "nsd.log").read_text())

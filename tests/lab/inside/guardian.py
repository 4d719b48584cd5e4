"""The first process of a lab: it makes the lab's private view of the machine and ends the lab.

It runs as process 1 of a process name space, with a mount name space of its own. Every part of
the lab is a process of that space, so when this process ends, by whatever cause, the kernel ends
all of them: nothing can outlive a lab. It ends when its standard input is closed (an orderly
stop) or when the process that owns the lab is gone (a crash or SIGKILL), and removes the lab's
directory last. It watches from before there is anything in the directory.

Arguments: the lab's directory, and the number of an inherited file descriptor: a pidfd of the
owner. A line of input says that the directory holds what the view is made of; the answer is its
process id as the machine sees it.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


def mount(*arguments: str | Path) -> None:
    """Run mount(8)."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def give_own_resolver(root: Path) -> None:
    """Put the lab's resolver settings where the C library looks for them."""
    for name in ("resolv.conf", "hosts", "nsswitch.conf"):
        mount("--bind", root / "etc" / name, Path("/etc", name))


def give_own_dev(root: Path) -> None:
    """Replace /dev by one whose `log` socket is the lab's own, without touching the machine's."""
    dev = root / "dev"
    dev.mkdir()
    mount("-t", "tmpfs", "-o", "mode=0755,size=64k", "lab-dev", dev)
    for name in DEVICES:
        (dev / name).touch()
        mount("--bind", Path("/dev", name), dev / name)
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)
    (dev / "shm").symlink_to("/tmp")
    (dev / "log").symlink_to(root / "run" / "log.sock")
    mount("--move", dev, "/dev")


def is_told(owner: int) -> bool:
    """Wait; return whether a line has come, or False when the owner has closed the input or died."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(owner, select.POLLIN)
    ready = [descriptor for descriptor, _ in poll.poll()]
    return owner not in ready and os.read(0, 1) == b"\n"


def end_all(root: Path, patience_seconds: float = 5.0) -> None:
    """Kill every other process of this process name space, and remove the directory."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            shutil.rmtree(root, ignore_errors=True)
            if not root.exists():  # else one came in from outside at the last moment, and wrote
                return
        time.sleep(0.005)


def main() -> None:
    """Guard one lab."""
    root, owner = Path(sys.argv[1]), int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        if is_told(owner):
            give_own_resolver(root)
            give_own_dev(root)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans are ours: let the kernel reap them
            print(Path("/proc/self").readlink(), flush=True)
            is_told(owner)
    finally:
        end_all(root)


if __name__ == "__main__":
    main()

"""As much of a container engine as it takes to run compose.yaml without one, by bubblewrap and Debian's programs.

A service gets what its entry gives: its command, user, capabilities, a read-only root and exactly the mounts, volumes,
secrets and temporary folders that are written there. Programs come from this machine in the place of images, which
cannot be had here; all services share one network with no way out, in which each name is an address of its own.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import psutil

from . import composition

ROOT = composition.ROOT
PROGRAMS = {
    "prom/prometheus": ["prometheus"],
    "prom/alertmanager": ["prometheus-alertmanager"],
    "smtp-probe": ["smtp-probe"],  # tests/deploy/test_docker.py: the image's ENTRYPOINT
    "smtp-probe-mail": [],
}
"""Image -> what its ENTRYPOINT is here."""

NOT_HERE = frozenset({"grafana"})
"""Debian has no Grafana: what it mounts is checked by tests/grafana."""

PAIR = "pair:x:65532:65532::/srv/mail:/usr/sbin/nologin\n"
"""What the mail image's useradd writes."""

OWNERS: dict[str, int | str] = {
    "credentials": 65532,
    "state": 65532,
    "mailboxes": 65532,
    "samples": 65534,
    "alerts": 65534,
    "submission-data": "postfix",
    "mx-data": "postfix",
}
"""Volume -> whose the folder is that the image has at its place; an engine gives it on to a new volume."""


GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"


class Engine:
    """Runs services. Leaving it ends them all."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in a folder, which must be empty."""
        self.folder = folder
        self.file = composition.load()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Make the network and the volumes."""
        self.folder.chmod(0o755)
        self.network = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE,
        )
        assert self.network.stdout is not None
        assert self.network.stdout.readline() == b"up\n"
        for name in self.file["volumes"]:
            volume = self.folder / "volumes" / name
            volume.mkdir(parents=True)
            volume.chmod(0o755 if name.endswith("-queue") else 0o700)
            shutil.chown(volume, OWNERS.get(name, 0))
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs; a first process that is killed takes its whole name space along.

        It is killed by name, too: one that has changed its rights may not be told that its parent is gone.
        """
        for process in [*self.processes.values(), self.network]:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            process.kill()
            process.wait()
        assert self.network.stdout is not None
        self.network.stdout.close()

    def output(self, name: str) -> str:
        """What a service has written."""
        return (self.folder / f"{name}.out").read_text(errors="replace")

    def start(self, name: str) -> None:
        """Start a service."""
        with (self.folder / f"{name}.out").open("wb") as output:
            self.processes[name] = subprocess.Popen(
                self._sandbox(name, self._command(name)),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a service's place, to its end; without one, the service's own."""
        argv = self._sandbox(name, list(command) or self._command(name))
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    def get(self, url: str) -> str:
        """Read a page from inside of the network; empty where nobody answers yet."""
        argv = ["nsenter", f"--net=/proc/{self.network.pid}/ns/net", sys.executable, "-S", "-c", GET, url]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False).stdout

    def wait_for(self, url: str, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Read a page until something stands in it."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, text := self.get(url))) is None:
            assert time.monotonic() < deadline, f"{pattern} is not in {url}: {text[:2000]}"
            time.sleep(0.3)
        return found

    def _command(self, name: str) -> list[str]:
        service = self.file["services"][name]
        image = service["image"].partition(":")[0]
        return [*service.get("entrypoint", PROGRAMS[image]), *service["command"]]

    def _sandbox(self, name: str, command: list[str]) -> list[str]:
        service = self.file["services"][name]
        user, _, group = service.get("user", "0:0").partition(":")
        root, binds = self._root(name, service)
        assert service["cap_drop"] == ["ALL"]
        rights = [f"CAP_{each}" for each in service.get("cap_add", ())]
        become = []
        if user != "0":
            assert not rights
            rights = ["CAP_SETUID", "CAP_SETGID"]  # gone with the change of user
            become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]
        return [
            *("nsenter", f"--net=/proc/{self.network.pid}/ns/net"),
            *("bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--as-pid-1", "--new-session"),
            *("--unshare-uts", "--hostname", name, "--clearenv", "--setenv", "PATH"),
            f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin",
            *("--cap-drop", "ALL"),
            *(word for right in rights for word in ("--cap-add", right)),
            *("--ro-bind" if service["read_only"] else "--bind", str(root), "/"),
            *binds,
            *("--dev", "/dev", "--proc", "/proc", "--chdir", "/", "--"),
            *become,
            *command,
        ]

    def _root(self, name: str, service: dict[str, Any]) -> tuple[Path, list[str]]:
        """Lay down an image's root folder; give it with what is mounted over it."""
        root = self.folder / "roots" / name
        is_new = not root.exists()
        if is_new:
            self._lay_root(root)
        shown = {str(place): (str(place), False) for place in ("/usr", ROOT, Path(sys.base_prefix))}
        for path, options in composition.temporary(service).items():
            folder = self.folder / "temporary" / name / path.strip("/")
            if is_new:
                folder.mkdir(parents=True)
                os.chown(folder, int(options.get("uid", 0)), int(options.get("gid", 0)))
                folder.chmod(int(options.get("mode", "1777"), 8))
            shown[path] = (str(folder), True)
        for mount in composition.mounts(service):
            place = self.folder / "volumes" / mount.source if mount.is_volume else mount.path
            shown[mount.target] = (str(place), mount.is_writable)
        for secret in service.get("secrets", ()):
            file = composition.FOLDER / self.file["secrets"][secret]["file"]
            shown[f"/run/secrets/{secret}"] = (str(file), False)
        # The outer one first: this copy of the project may itself lie in a folder that a service has of its own, as /tmp.
        binds: list[str] = []
        for target, (source, is_writable) in sorted(shown.items(), key=lambda each: each[0].count("/")):
            _make_mount_point(root, target, Path(source))
            binds += ["--bind" if is_writable else "--ro-bind", source, target]
        return root, binds

    def _lay_root(self, root: Path) -> None:
        for each in ("dev", "proc", "run", "tmp", "var/lib", "var/spool"):
            (root / each).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).symlink_to(f"usr/{link}")
        shutil.copytree("/etc", root / "etc", symlinks=True)
        with (root / "etc/passwd").open("a") as users, (root / "etc/group").open("a") as groups:
            users.write(PAIR)
            groups.write("pair:x:65532:\n")
        hosts = "".join(
            f"127.1.0.{number} {service}\n" for number, service in enumerate(self.file["services"], 1)
        )
        (root / "etc/hosts").unlink()
        (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
        (root / "etc/resolv.conf").unlink(missing_ok=True)
        (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


def _make_mount_point(root: Path, target: str, source: Path) -> None:
    point = root / target.strip("/")
    if point.exists() and not point.is_symlink():
        return
    point.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        point.mkdir()
    else:
        point.touch()

"""Debian's Exim as a part of a lab: a host that takes any mail and hands it to the lab's MX.

It runs from its program alone, as no package of it can be installed beside Postfix. It has an /etc of its own, where
it finds its configuration and its user, so that the machine needs neither. Its log has milliseconds.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .errors import LabError
from .lab import MailLab
from .layout import HOSTS, Layout
from .part import Part, Recipe
from .readiness import greets
from .wrong_clock import write_exim_clock

PROGRAM = Path("/opt/mail-lab/exim4")
PORT = 25
HOST_NUMBER = HOSTS["exim"]
"""Last number of Exim's address."""
USER_NUMBER = 39_999
"""Of the user that Debian's Exim insists on, in its own /etc only."""
FROM_MACHINE = ("ld.so.cache", "nsswitch.conf", "protocols", "services")

CONFIGURATION = """\
exim_path = {program}
primary_hostname = exim.example.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
log_selector = +millisec +receive_time
local_interfaces = {address}
daemon_smtp_ports = {port}
rfc1413_query_timeout = 0s
deliver_drop_privilege = true
keep_environment =
{doors}
begin routers
drill:
  driver = dnslookup
  domains = *.drill.test
  self = send
  transport = smtp
  no_more
mx:
  driver = manualroute
  route_list = * {mx}
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  connect_timeout = 2s
  command_timeout = 2s
begin retry
{retry}
"""

OPEN = """\
tls_advertise_hosts =
acl_smtp_rcpt = accept"""
"""Takes any mail of anybody."""

STRICT = """\
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
message_size_limit = 1M
message_body_visible = 5000
acl_smtp_rcpt = recipient
acl_smtp_data = content
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = ${{if def:tls_in_cipher}}
  server_prompts = :
  server_set_id = $auth2
  server_condition = ${{if and{{ {{eq{{$auth2}}{{probe1}}}} {{eq{{$auth3}}{{${{readfile{{{password}}}{{}}}}}}}} }}}}
begin acl
recipient:
  deny !authenticated = *
       message = 5.7.1 Authentication required
  deny condition = ${{if !eqi{{$sender_address}}{{$authenticated_id@example.test}}}}
       message = 5.7.1 That sender is not yours
  accept
content:
  deny condition = ${{if !eqi{{${{address:$h_from:}}}}{{$authenticated_id@example.test}}}}
       message = 5.7.1 That author is not you
  deny condition = ${{if match{{$message_body}}{{GTUBE-STANDARD|EICAR-STANDARD|RUlDQVItU1RBTkRBUkQ|VJQ0FSLVNUQU5EQVJE}}}}
       message = 5.7.1 Spam or a virus
  accept"""
"""Takes mail after a login over TLS only, under the own address only, no large one, and no test virus."""

_RECEIVED = re.compile(
    r"(?m)^(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (?P<id>[\w-]{16,23}) <= .* RT=(?P<seconds>\d+\.\d{3})s"
)


@dataclass(frozen=True)
class Reception:
    """What Exim logged of taking one message in, to a millisecond."""

    ended_at_ns: int
    duration_seconds: float
    """Of the data, from the first byte that Exim waited for to the last."""

    @property
    def began_at_ns(self) -> int:
        """When Exim began to wait for the data."""
        return self.ended_at_ns - round(self.duration_seconds * 1e9)


@dataclass(frozen=True)
class Exim:
    """A running Exim."""

    address: str
    port: int
    part: Part
    log_file: Path

    def receptions(self) -> dict[str, Reception]:
        """Return what the log has now, by message id."""
        text = self.log_file.read_text() if self.log_file.exists() else ""
        return {
            match["id"]: Reception(_stamp_ns(match["stamp"]), float(match["seconds"]))
            for match in _RECEIVED.finditer(text)
        }


def start_exim(
    lab: MailLab, clock_seconds: float = 0.0, retry: str = "", queue_run: str = "", *, is_strict: bool = False
) -> Exim:
    """Start an Exim in a lab; it ends with the lab. Its clock may be so many seconds ahead.

    Without a retry rule, what fails for now is returned at once; without `queue_run` nothing is tried again. A strict one
    refuses what must be refused; the others take anything.
    """
    if not PROGRAM.exists():
        raise LabError("Exim is missing; `sh tests/lab/install.sh` brings it")
    address = f"{lab.layout.block}.{HOST_NUMBER}"
    folder = lab.layout.path("exim")
    doors = OPEN
    if is_strict:
        private = folder / "etc"
        doors = STRICT.format(certificate=private / "good.pem", password=private / "password")
    _furnish(lab.layout, folder, address, retry, doors)
    if is_strict:
        _lend(lab.layout.path("tls", "good.pem"), private / "good.pem")
        _lend(lab.password_file("probe1"), private / "password")
    if clock_seconds:
        write_exim_clock(folder / "etc", clock_seconds)
    runs = f" -q{queue_run}" if queue_run else ""
    argv = ["/bin/sh", "-c", f"mount --bind {folder}/etc /etc && exec {PROGRAM} -bdf{runs}"]
    recipe = Recipe("exim", ["unshare", "--mount", "--", *argv], [greets(address, PORT, b"220 ")])
    part = lab.parts["exim"] = Part(recipe, lab._enclosure, lab.layout.root)
    part.start()
    return Exim(address, PORT, part, folder / "log" / "mainlog")


def _furnish(layout: Layout, folder: Path, address: str, retry: str, doors: str) -> None:
    etc = folder / "etc"
    (etc / "exim4").mkdir(parents=True)
    for name in FROM_MACHINE:
        shutil.copy(Path("/etc") / name, etc / name)
    user = f"Debian-exim:x:{USER_NUMBER}:{USER_NUMBER}::/nonexistent:/usr/sbin/nologin\n"
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n" + user)
    (etc / "group").write_text(f"root:x:0:\nDebian-exim:x:{USER_NUMBER}:\n")
    shutil.copy(layout.path("etc", "resolv.conf"), etc / "resolv.conf")
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    configuration = CONFIGURATION.format(
        program=PROGRAM,
        folder=folder,
        address=address,
        port=PORT,
        mx=layout.address("mx1"),
        retry=retry,
        doors=doors,
    )
    (etc / "exim4" / "exim4.conf").write_text(configuration)
    for name in ("spool", "log"):
        (folder / name).mkdir()
        shutil.chown(folder / name, USER_NUMBER, USER_NUMBER)


def _lend(source: Path, copy: Path) -> None:
    """Copy a file that only Exim is to read."""
    shutil.copy(source, copy)
    copy.chmod(0o600)
    shutil.chown(copy, USER_NUMBER, USER_NUMBER)


def _stamp_ns(stamp: str) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (datetime.fromisoformat(f"{stamp}+00:00") - epoch) // timedelta(microseconds=1) * 1000

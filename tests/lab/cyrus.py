"""Debian's Cyrus as a part of a lab: a mail store that speaks JMAP, and takes mail by LMTP.

It runs from its programs alone, as no package of it can be installed beside Dovecot's. Any password is right: what a refused login
does is tested elsewhere. It tells of news by no stream of events (it answers 204), so that clients have to ask.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .lab import MailLab
from .layout import Layout
from .part import Command, Part, Recipe
from .readiness import greets

HOME = Path("/opt/mail-lab/cyrus")
PROGRAMS = HOME / "usr" / "lib" / "cyrus" / "bin"
LIBRARIES = HOME / "usr" / "lib" / "x86_64-linux-gnu"
USER = "mail"
"""Who runs it: a user that every Debian has."""
PORT, LMTP_PORT = 443, 24

CONFIGURATION = """\
configdirectory: {folder}/conf
defaultpartition: default
partition-default: {folder}/spool
servername: jmap.example.test
cyrus_user: {user}
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN
virtdomains: off
unixhierarchysep: yes
altnamespace: yes
httpmodules: jmap
conversations: yes
conversations_db: twoskip
tls_server_cert: {certificate}
tls_server_key: {certificate}
autocreate_post: yes
autocreate_quota: 0
autocreate_inbox_folders: Junk
xlist-Junk: Junk
sievedir: {folder}/conf/sieve
"""
SERVICES = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  https cmd="{programs}/httpd -s -C {folder}/imapd.conf" listen="{address}:{port}" prefork=2
  lmtp cmd="{programs}/lmtpd -a -C {folder}/imapd.conf" listen="{address}:{lmtp}" prefork=1
}}
"""


@dataclass(frozen=True)
class Cyrus:
    """A running Cyrus."""

    address: str
    port: int
    part: Part


def start_cyrus(lab: MailLab) -> Cyrus:
    """Start a Cyrus in a lab; it ends with the lab."""
    if not (PROGRAMS / "httpd").exists():
        raise LabError("Cyrus is missing; `sh tests/lab/install.sh` brings it")
    address, folder = lab.layout.address("jmap"), lab.layout.path("cyrus")
    _furnish(lab.layout, folder, address)
    pid_file = folder / "conf" / "master.pid"
    master: Command = [
        PROGRAMS / "master",
        "-D",
        "-C",
        folder / "imapd.conf",
        "-M",
        folder / "cyrus.conf",
        "-p",
        pid_file,
    ]
    recipe = Recipe(
        "cyrus",
        ["env", f"LD_LIBRARY_PATH={LIBRARIES}", f"CYRUS_USER={USER}", *master],
        [greets(address, LMTP_PORT, b"220 "), greets(address, PORT)],
        stale=[pid_file],
    )
    part = lab.parts["cyrus"] = Part(recipe, lab._enclosure, lab.layout.root)
    part.start()
    return Cyrus(address, PORT, part)


def _furnish(layout: Layout, folder: Path, address: str) -> None:
    for name in ("proc", "db", "log", "socket", "user", "quota", "lock", "sieve"):
        (folder / "conf" / name).mkdir(parents=True)
    (folder / "spool").mkdir()
    facts = {
        "folder": folder, "address": address, "port": PORT, "lmtp": LMTP_PORT, "programs": PROGRAMS, "user": USER,
        "certificate": folder / "tls.pem",
    }  # fmt: skip
    shutil.copy(layout.path("tls", "good.pem"), folder / "tls.pem")
    (folder / "imapd.conf").write_text(CONFIGURATION.format(**facts))
    (folder / "cyrus.conf").write_text(SERVICES.format(**facts))
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, USER, USER)

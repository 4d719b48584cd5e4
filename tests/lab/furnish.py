"""Fills a lab's directory: every folder, configuration file, key and zone, before any server runs."""

import os
import re
import shutil
import socket
import time
from collections.abc import Mapping

from .certificates import make_certificates, make_dkim_key, private_file
from .layout import DOMAIN, HOSTS, NUMBERS, TEMPLATES, USERS, Layout

FOLDERS = (
    "etc", "run", "log", "pids", "tls", "dkim", "dns", "control", "secrets", "mail", "postgrey",
)  # fmt: skip
INSTANCES = ("submit", "relay", "mx")
MAIL_UID = 5000
"""Owner of the mailboxes: only a number, no such user need exist."""

QUEUE_FOLDERS = {
    "active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700, "deferred": 0o700,
    "flush": 0o700, "hold": 0o700, "incoming": 0o700, "private": 0o700, "saved": 0o700,
    "trace": 0o700, "maildrop": 0o1730, "public": 0o2710, "pid": 0o755,
}  # fmt: skip
"""What `postfix check` would make, with its modes, in a hundredth of the time."""

ZONE_PREAMBLE = """$ORIGIN {origin}
$TTL 60
@ IN SOA ns1.test. hostmaster.example.test. {serial} 300 60 3600 5
@ IN NS  ns1.test.
"""

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
Facts = Mapping[str, str]


def render(template: str, facts: Facts) -> str:
    """Fill each `@NAME@` of a template; an unknown name is a KeyError."""
    text = (TEMPLATES / template).read_text()
    return _PLACEHOLDER.sub(lambda match: facts[match[1]], text)


def password(user: str) -> str:
    """Return a user's password."""
    return f"{user}-secret"


def certificate_owners() -> tuple[str, ...]:
    """Name the parts that present a certificate."""
    return (*INSTANCES, "dovecot", "sts")


def furnish(layout: Layout) -> None:
    """Write everything that the enclosure and the parts read."""
    for name in FOLDERS:
        layout.path(name).mkdir()
    layout.path("run").chmod(0o1777)  # servers that run as users of their own make sockets here
    os.chown(layout.path("mail"), MAIL_UID, MAIL_UID)
    shutil.chown(layout.path("postgrey"), "postgrey")
    facts = _facts(layout)
    for name in ("resolv.conf", "hosts", "nsswitch.conf", "mta-sts.txt", "autoconfig.xml"):
        layout.path("etc", name).write_text(render(f"etc/{name}.in", facts))
    shutil.copy(TEMPLATES / "postfix" / "responder.pl", layout.path("etc"))
    for name, value in NUMBERS.items():
        layout.path("control", name).write_text(f"{value:g}\n")
    for owner in certificate_owners():
        shutil.copy(layout.path("tls", "good.pem"), layout.path("tls", f"{owner}.pem"))
    _furnish_zones(layout, facts)
    for instance in INSTANCES:
        _furnish_postfix(layout, instance, {**facts, "INSTANCE": instance})
    _furnish_dovecot(layout, facts)
    _furnish_opendkim(layout, facts)
    _furnish_prober(layout, facts)


def _facts(layout: Layout) -> dict[str, str]:
    """Collect what the templates may name. Makes the keys, since some of it is about them."""
    addresses = {host.upper().replace("-", "_"): layout.address(host) for host in HOSTS}
    return addresses | {
        "RELAY_REVERSED": ".".join(reversed(layout.address("relay").split("."))),
        "HOSTNAME": socket.gethostname(),
        "ROOT": str(layout.root),
        "NUMBER": layout.block.rpartition(".")[2],
        "SERIAL": str(time.time_ns() // 10**9),
        "MAIL_UID": str(MAIL_UID),
        "TLSA": make_certificates(layout),
        "DKIM_RECORD": make_dkim_key(layout.path("dkim", "lab1.private")),
    }


def _furnish_zones(layout: Layout, facts: Facts) -> None:
    """Write each zone and the name server's configuration."""
    suffix = ".zone.in"
    zones = [path.name.removesuffix(suffix) for path in (TEMPLATES / "zones").iterdir()]
    delegations = [f"{zone}. IN NS ns1.test." for zone in zones if zone.endswith(".test")]
    record = facts["DKIM_RECORD"]
    strings = [record[start : start + 255] for start in range(0, len(record), 255)]
    more = {
        "DELEGATIONS": "\n".join(delegations),
        "DKIM": " ".join(f'"{string}"' for string in strings),
    }
    configuration = [render("nsd.conf.in", facts)]
    for zone in zones:
        origin = "." if zone == "root" else f"{zone}."
        preamble = ZONE_PREAMBLE.format(origin=origin, serial=facts["SERIAL"])
        body = render(f"zones/{zone}{suffix}", {**facts, **more})
        layout.path("dns", f"{zone}.zone").write_text(preamble + body)
        configuration.append(f'zone:\n    name: "{origin}"\n    zonefile: "{zone}.zone"\n')
    layout.path("dns", "nsd.conf").write_text("".join(configuration))
    shutil.chown(layout.path("dns"), "nsd")


def _furnish_postfix(layout: Layout, instance: str, facts: Facts) -> None:
    """Write one instance's configuration and make its queue."""
    conf, queue = layout.path(instance, "conf"), layout.path(instance, "queue")
    for folder in (conf, queue, layout.path(instance, "data")):
        folder.mkdir(parents=True)
    for kind in ("cf", "master"):
        parts = [render(f"postfix/{whose}.{kind}.in", facts) for whose in ("common", instance)]
        name = {"cf": "main.cf", "master": "master.cf"}[kind]
        (conf / name).write_text("".join(parts))
    for template in (TEMPLATES / "postfix").glob(f"{instance}.*.in"):
        name = template.name.removeprefix(f"{instance}.").removesuffix(".in")
        if name not in ("cf", "master"):
            (conf / name).write_text(render(f"postfix/{template.name}", facts))
    for path in conf.iterdir():  # Postfix waits until a file it reads is two seconds old
        os.utime(path, (0, 0))
    shutil.chown(layout.path(instance, "data"), "postfix")
    for name, mode in QUEUE_FOLDERS.items():
        folder = queue / name
        folder.mkdir()
        if name != "pid":
            shutil.chown(folder, "postfix", "postdrop" if mode & 0o070 else None)
        folder.chmod(mode)


def _furnish_dovecot(layout: Layout, facts: Facts) -> None:
    """Write Dovecot's configuration, users and filter."""
    layout.path("dovecot").mkdir()
    for name in ("dovecot.conf", "oauth2.conf", "before.sieve"):
        layout.path("dovecot", name).write_text(render(f"dovecot/{name}.in", facts))
    extra = {
        "full": "userdb_quota_rule=*:bytes=200",
        "crowded": "userdb_mail=mbox:~/mbox:INBOX=~/inbox",  # one file: thousands of mails are soon laid down
    }
    lines = [f"{user}:{password(user)}::::::{extra.get(user, '')}\n" for user in USERS]
    layout.path("dovecot", "users").write_text("".join(lines))


def _furnish_opendkim(layout: Layout, facts: Facts) -> None:
    """Write the signer's and the verifier's configuration."""
    for name in ("sign", "verify"):
        layout.path("dkim", f"{name}.conf").write_text(render(f"opendkim/{name}.conf.in", facts))
    public = f"lab1._domainkey.{DOMAIN} {facts['DKIM_RECORD']}\n"
    layout.path("dkim", "public_keys").write_text(public)


def _furnish_prober(layout: Layout, facts: Facts) -> None:
    """Write password files and a configuration of smtp-probe, for whoever called sudo."""
    owner = int(os.environ.get("SUDO_UID", "0"))
    for user in USERS:
        secret = layout.path("secrets", user)
        private_file(secret, password(user).encode())
        os.chown(secret, owner, -1)
    layout.path("smtp-probe.yaml").write_text(render("smtp-probe.yaml.in", facts))

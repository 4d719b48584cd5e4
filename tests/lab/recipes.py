"""Every part of a lab: its command, and how to know that it serves. One table, made by `recipes`."""

import signal
import socket

from .enclosure import python_program
from .layout import Layout
from .machine import POSTFIX_MASTER
from .part import Command, Recipe
from .readiness import Check, greets, is_bound, listens

SMTP_GREETING = b"220 "
IMAP_GREETING = b"* OK"
GREETINGS = {25: SMTP_GREETING, 587: SMTP_GREETING, 143: IMAP_GREETING, 24: SMTP_GREETING}
"""Port -> what its server says first; the other servers wait for the client."""


def _ready(layout: Layout, part: str) -> list[Check]:
    """Ask each TCP listener of a part."""
    return [greets(*where, GREETINGS.get(where[1], b"")) for where in layout.listeners(part)]


def _log(layout: Layout) -> Recipe:
    log_socket = layout.path("run", "log.sock")
    argv = python_program("log_receiver.py", log_socket, layout.path("log", "mail.log"))
    return Recipe("log", argv, [listens(log_socket, socket.SOCK_DGRAM)], stop_signal=signal.SIGKILL)


def _dns(layout: Layout) -> Recipe:
    return Recipe("dns", ["nsd", "-d", "-c", layout.path("dns", "nsd.conf")], _ready(layout, "dns"))


def _postfix(layout: Layout, instance: str) -> Recipe:
    # -i: master runs as the first process of its process name space
    argv: Command = [POSTFIX_MASTER, "-i", "-c", layout.path(instance, "conf")]
    return Recipe(instance, argv, _ready(layout, instance))


def _dovecot(layout: Layout) -> Recipe:
    configuration = layout.path("dovecot", "dovecot.conf")
    compile_filter: Command = ["sievec", "-c", configuration, layout.path("dovecot", "before.sieve")]
    return Recipe(
        "dovecot",
        ["dovecot", "-F", "-c", configuration],
        [
            *_ready(layout, "dovecot"),
            listens(layout.path("dovecot", "run", "lmtp")),
            listens(layout.path("dovecot", "run", "auth-postfix")),
        ],
        before=[compile_filter],
        stale=[layout.path("dovecot", "run", "master.pid")],
    )


def _opendkim(layout: Layout, mode: str) -> Recipe:
    milter = layout.path("run", f"dkim-{mode}.sock")
    argv: Command = ["opendkim", "-f", "-x", layout.path("dkim", f"{mode}.conf")]
    return Recipe(f"dkim-{mode}", argv, [listens(milter)], stale=[milter], stop_signal=signal.SIGKILL)


def _policy(layout: Layout) -> Recipe:
    ((host, port),) = layout.listeners("policy")
    argv = python_program("policy_service.py", host, port, layout.path("control"))
    return Recipe("policy", argv, _ready(layout, "policy"), stop_signal=signal.SIGKILL)


def _delay(layout: Layout) -> Recipe:
    # asked without a connection, which it would hold and then pass on
    ((host, port),) = layout.listeners("delay")
    seconds = layout.path("control", "delay_seconds")
    target = (layout.address("mx1"), 25)
    argv = python_program("delay_proxy.py", host, port, *target, layout.address("relay"), seconds)
    return Recipe("delay", argv, [is_bound(host, port)], stop_signal=signal.SIGKILL)


def _sts(layout: Layout) -> Recipe:
    ((host, port),) = layout.listeners("sts")
    etc = (layout.path("etc", name) for name in ("mta-sts.txt", "autoconfig.xml"))
    files = layout.path("tls", "sts.pem"), *etc
    argv = python_program("sts_web.py", host, port, *files)
    return Recipe("sts", argv, _ready(layout, "sts"), stop_signal=signal.SIGKILL)


def _tokens(layout: Layout) -> Recipe:
    ((host, port),) = layout.listeners("tokens")
    argv = python_program("token_service.py", host, port, layout.path("control"))
    return Recipe("tokens", argv, _ready(layout, "tokens"), stop_signal=signal.SIGKILL)


def _postgrey(layout: Layout) -> Recipe:
    ((host, port),) = layout.listeners("postgrey")
    options = {
        "inet": f"{host}:{port}",
        "dbdir": layout.path("postgrey"),
        "user": "postgrey",
        "delay": 2,  # it counts whole seconds: by one, the try at the second MX host would pass now and then
        "auto-whitelist-clients": 0,
        "whitelist-clients": "/dev/null",
        "whitelist-recipients": "/dev/null",
    }
    argv = ["postgrey", *(f"--{name}={value}" for name, value in options.items())]
    return Recipe("postgrey", argv, _ready(layout, "postgrey"))


def recipes(layout: Layout) -> list[Recipe]:
    """Return the parts of a lab. The first must serve before the others start."""
    return [
        _log(layout),
        _dns(layout),
        _postfix(layout, "submit"),
        _postfix(layout, "relay"),
        _postfix(layout, "mx"),
        _dovecot(layout),
        _opendkim(layout, "sign"),
        _opendkim(layout, "verify"),
        _policy(layout),
        _delay(layout),
        _sts(layout),
        _tokens(layout),
        _postgrey(layout),
    ]

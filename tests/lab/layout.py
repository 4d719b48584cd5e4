"""The facts of one lab: its addresses, ports, users, recipients and files. Nothing here acts.

Every lab lives in a /24 block of its own inside 127.0.0.0/8, so ports are the standard ones and
two labs never meet.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

DOMAIN = "example.test"
USERS = ("probe1", "probe2", "probe3", "probe4", "spam", "away", "full", "crowded")
TEMPLATES = Path(__file__).parent / "templates"

HOSTS = {
    "submit": 1,
    "relay": 2,
    "mx1": 3,
    "imap": 4,
    "mx2": 5,
    "mta-sts": 6,
    "exim": 7,
    "tokens": 8,
    "jmap": 9,
    "drill1": 21,
    "drill2": 22,
    "dns": 53,
}
"""Host name -> last number of its address."""

PORTS = {
    "dns": (("dns", 53),),
    "submit": (("submit", 25), ("submit", 587), ("submit", 465)),
    "relay": (("relay", 25),),
    "delay": (("relay", 2526),),
    "mx": (("mx1", 25), ("mx2", 25)),
    "policy": (("mx1", 10040),),
    "postgrey": (("mx1", 10023),),
    "dovecot": (("imap", 143), ("imap", 993), ("imap", 110), ("imap", 995), ("imap", 24)),
    "sts": (("mta-sts", 443),),
    "tokens": (("tokens", 8081),),
}
"""Part -> the TCP ports that it listens on."""

NUMBERS = {
    "delay_seconds": 5.0,
    "grey_seconds": 3.0,
    "grey_attempts": 2.0,
    "slowrcpt_seconds": 3.0,
}
"""Control number -> its value at the start."""

BEHAVIOURS = {
    "probe1 to probe4": "delivered; a +tag is allowed",
    "alias": "ends in probe2's mailbox",
    "maildir": "delivered by Postfix itself (virtual), into a maildir that no server shows",
    "echo": "answered by a program of Postfix's pipe, which quotes the header",
    "away": "answered by Sieve's vacation, each time",
    "jmap": "delivered into Cyrus, where a test has started it",
    "dup": "two copies in probe1's mailbox",
    "spam, or [spam-test] in the Subject": "filed in Junk",
    "nobody, or any unknown name": "550 at the MX; the relay sends a bounce",
    "full": "over quota: accepted by the MX, refused by LMTP; the MX sends a bounce",
    "crowded": "delivered, into one file for all mails",
    "blackhole": "accepted, then silently gone",
    "delayed": "waits delay_seconds in the relay; ends in probe1's mailbox",
    "greylisted": "451 until grey_seconds have passed; ends in probe1's mailbox",
    "greyattempts": "451 for the first grey_attempts attempts (one try asks both MX hosts); ends in probe1's mailbox",
    "postgrey+ANYTHING": "greylisted by postgrey, once for each new tag; ends in probe1's mailbox",
    "slowrcpt": "the MX answers RCPT after slowrcpt_seconds; ends in probe1's mailbox",
    "tempfail": "451 for ever; a bounce after ten minutes",
}
"""Recipient's local part -> what happens to its mail."""


class Submission(NamedTuple):
    """Where mail is submitted."""

    host: str
    starttls_port: int
    implicit_tls_port: int
    plain_port: int
    server_name: str


class Imap(NamedTuple):
    """Where mail is read."""

    host: str
    starttls_port: int
    tls_port: int
    server_name: str


class Dns(NamedTuple):
    """Where names are asked for."""

    host: str
    port: int


@dataclass(frozen=True)
class Layout:
    """One lab's directory and block, and what follows from them."""

    root: Path
    block: str
    """The first three numbers of every address, as `127.77.1`."""

    def address(self, host: str) -> str:
        """Return the address of a host."""
        return f"{self.block}.{HOSTS[host]}"

    def listeners(self, part: str) -> tuple[tuple[str, int], ...]:
        """Return address and port of each TCP listener of a part."""
        return tuple((self.address(host), port) for host, port in PORTS.get(part, ()))

    @property
    def submission(self) -> Submission:
        """The submission server."""
        return Submission(self.address("submit"), 587, 465, 25, f"submit.{DOMAIN}")

    @property
    def imap(self) -> Imap:
        """The mailbox server."""
        return Imap(self.address("imap"), 143, 993, f"imap.{DOMAIN}")

    @property
    def dns(self) -> Dns:
        """The name server."""
        return Dns(self.address("dns"), 53)

    def path(self, *names: str) -> Path:
        """Return a path inside the lab's directory."""
        return self.root.joinpath(*names)

"""A real mail path on this machine, started and ended by a test or a user.

Submission (Postfix, Dovecot SASL, OpenDKIM) -> relay (Postfix) -> MX (Postfix, OpenDKIM) ->
Dovecot (LMTP, Sieve, IMAP), with an authoritative name server. See README.md.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from .alertmanager import alertmanager_recipe
from .block import Claim, claim_block
from .certificates import KINDS
from .directory import make_directory
from .enclosure import Enclosure
from .errors import LabError
from .furnish import certificate_owners, furnish, password
from .layout import DOMAIN, NUMBERS, USERS, Layout
from .machine import check_machine
from .mail_log import MailLog
from .part import Part
from .prometheus import Prometheus, prometheus_recipe
from .recipes import recipes

LOGS_BY_SYSLOG = ("mail", "submit", "relay", "mx", "dkim-sign", "dkim-verify", "postgrey")


class MailLab:
    """A running lab. Use it as `with MailLab.start() as lab:`."""

    domain = DOMAIN
    users = USERS

    def __init__(self, layout: Layout, claim: Claim, enclosure: Enclosure) -> None:
        """Put together what `start` has made; no part runs yet."""
        self.layout = layout
        self.submission = layout.submission
        self.imap = layout.imap
        self.dns = layout.dns
        self.ca_file = layout.path("tls", "ca.pem")
        self.config_file = layout.path("smtp-probe.yaml")
        self._claim = claim
        self._enclosure = enclosure
        made = [Part(recipe, self._enclosure, layout.root) for recipe in recipes(layout)]
        self.parts = {part.recipe.name: part for part in made}

    @classmethod
    def start(cls, root: Path | None = None) -> Self:
        """Start a lab in `root`, which must not exist yet (default: a new temporary directory)."""
        check_machine()
        with ExitStack() as undo:
            claim = claim_block()
            undo.callback(claim.holder.close)
            layout = Layout(make_directory(root), claim.block)
            enclosure = Enclosure(layout.root, claim.holder.fileno())
            undo.callback(enclosure.close)
            furnish(layout)
            enclosure.open()
            lab = cls(layout, claim, enclosure)
            undo.callback(lab.stop)
            lab._start_parts()
            undo.pop_all()
        return lab

    def _start_parts(self) -> None:
        """Start every part: first the log, so that nothing is said in vain, then the others."""
        first, *others = self.parts.values()
        first.start()
        with ThreadPoolExecutor(len(others)) as pool:
            list(pool.map(Part.start, others))

    def stop(self) -> None:
        """End every process and remove the directory. A second call does nothing."""
        if self._claim.holder.fileno() < 0:
            return
        self._enclosure.close()
        for part in self.parts.values():
            part.reap()
        self._claim.holder.close()

    def __enter__(self) -> Self:
        """Return the lab."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the lab."""
        self.stop()

    # What a client needs to know

    def password(self, user: str) -> str:
        """Return a user's password."""
        return password(user)

    def password_file(self, user: str) -> Path:
        """Return a file that holds a user's password and nothing else."""
        return self.layout.path("secrets", user)

    def mail_address(self, local_part: str) -> str:
        """Return the mail address of a user, or of a recipient with a behaviour."""
        return f"{local_part}@{self.domain}"

    def maildir(self, user: str) -> Path:
        """Return a user's mail store; there is none before the first mail or login."""
        return self.layout.path("mail", user, "Maildir")

    def log_file(self, name: str) -> Path:
        """Return a part's log; `mail` is what all said by syslog, with stamps in microseconds."""
        if name in LOGS_BY_SYSLOG:
            return self.layout.path("log", "mail.log")
        if name == "dovecot":
            return self.layout.path("log", "dovecot.log")
        return self._part(name).output_file

    def mail_log(self) -> MailLog:
        """Return what the servers have logged of each mail until now."""
        return MailLog(self.log_file("mail"), self.log_file("dovecot"))

    # What a test can turn

    def set_number(self, name: str, value: float) -> None:
        """Set a control number. It counts from the next connection or request on."""
        if name not in NUMBERS:
            raise LabError(f"no number {name}; there are {', '.join(NUMBERS)}")
        path = self.layout.path("control", name)
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{value:g}\n")
        fresh.replace(path)

    def set_delay(self, seconds: float) -> None:
        """Set how long mail to `delayed` waits in the relay."""
        self.set_number("delay_seconds", seconds)

    def start_part(self, name: str) -> None:
        """Start a part that was stopped or killed; return when it serves."""
        self._part(name).start()

    def stop_part(self, name: str) -> None:
        """Stop a part in an orderly way."""
        self._part(name).stop()

    def kill_part(self, name: str) -> None:
        """Kill every process of a part at once."""
        self._part(name).kill()
        # A lock holds the number of its process. Elsewhere that is nobody's when the process is dead; here numbers begin
        # anew with each start, and Dovecot would wait for good for a namesake.
        for lock in self.layout.path("mail").rglob("dovecot-uidlist.lock"):
            lock.unlink(missing_ok=True)

    def _part(self, name: str) -> Part:
        if name not in self.parts:
            raise LabError(f"no part {name}; there are {', '.join(self.parts)}")
        return self.parts[name]

    def certificate(self, kind: str) -> Path:
        """Return a file with key, certificate and chain of a kind: see `certificates.KINDS`."""
        if kind not in KINDS:
            raise LabError(f"no certificate {kind}; there are {', '.join(KINDS)}")
        return self.layout.path("tls", f"{kind}.pem")

    def use_certificate(self, name: str, kind: str) -> None:
        """Make a part present a certificate of this kind, by a restart."""
        if name not in certificate_owners():
            raise LabError(f"{name} presents no certificate; {certificate_owners()} do")
        shutil.copy(self.certificate(kind), self.layout.path("tls", f"{name}.pem"))
        self.kill_part(name)
        self.start_part(name)

    def start_prometheus(
        self,
        scrape_targets: Sequence[str],
        rule_files: Sequence[Path] = (),
        flags: Sequence[str] = (),
        alertmanagers: Sequence[str] = (),
    ) -> Prometheus:
        """Start a Prometheus that scrapes `host:port` targets each second, while the lab runs."""
        number = 1 + sum(name.startswith("prometheus-") for name in self.parts)
        recipe, url = prometheus_recipe(self.layout, number, scrape_targets, rule_files, flags, alertmanagers)
        part = self.parts[recipe.name] = Part(recipe, self._enclosure, self.layout.root)
        part.start()
        return Prometheus(url, part)

    def start_alertmanager(self, configuration: str) -> str:
        """Start Alertmanager with this configuration, while the lab runs; return its `host:port`."""
        recipe, where = alertmanager_recipe(self.layout, configuration)
        part = self.parts[recipe.name] = Part(recipe, self._enclosure, self.layout.root)
        part.start()
        return where

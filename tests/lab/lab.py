"""A real mail path on this machine, started and ended by a test or a user.

Submission (Postfix, Dovecot SASL, OpenDKIM) -> relay (Postfix) -> MX (Postfix, OpenDKIM) ->
Dovecot (LMTP, Sieve, IMAP), with an authoritative name server. See README.md.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from .block import Claim, claim_block
from .certificates import KINDS
from .enclosure import Enclosure
from .errors import LabError
from .furnish import certificate_owners, furnish, password
from .layout import DOMAIN, NUMBERS, Dns, Imap, Layout, Submission
from .mail_log import MailLog
from .part import Part
from .prometheus import Prometheus, prometheus_recipe
from .recipes import recipes

PATH_LIMIT = 60
"""Longest directory: a unix socket's path has room for 108 characters."""

POSTFIX_LOGS = ("submit", "relay", "mx", "dkim-sign", "dkim-verify", "postgrey")


def make_root(root: Path | None) -> Path:
    """Make the lab's directory. Servers run as users of their own, so all must be able to read."""
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="mail-lab-", dir="/tmp"))  # noqa: S108
    else:
        root.mkdir(parents=True)
    root = root.resolve()
    root.chmod(0o755)
    closed = [folder for folder in root.parents if not folder.stat().st_mode & 0o001]
    if closed or len(str(root)) > PATH_LIMIT:
        root.rmdir()
        why = f"not all users may enter {closed[0]}" if closed else "its path is too long"
        message = f"cannot use {root}: {why}"
        raise LabError(message)
    return root


class MailLab:
    """A running lab. Use it as `with MailLab.start() as lab:`."""

    domain = DOMAIN

    def __init__(self, layout: Layout, claim: Claim) -> None:
        """Open the enclosure of a furnished directory; no part runs yet."""
        self.layout = layout
        self._claim = claim
        self._enclosure = Enclosure(layout.root, claim.holder.fileno())
        made = [Part(recipe, self._enclosure, layout.root) for recipe in recipes(layout)]
        self.parts = {part.recipe.name: part for part in made}

    @classmethod
    def start(cls, root: Path | None = None) -> Self:
        """Start a lab in `root`, which must not exist yet (default: a new temporary directory)."""
        claim = claim_block()
        try:
            layout = Layout(make_root(root), claim.block)
            try:
                furnish(layout)
                lab = cls(layout, claim)
            except BaseException:
                shutil.rmtree(layout.root)
                raise
        except BaseException:
            claim.holder.close()
            raise
        try:
            lab._start_all()
        except BaseException:
            lab.stop()
            raise
        return lab

    def _start_all(self) -> None:
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

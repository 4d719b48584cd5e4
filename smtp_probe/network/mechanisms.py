"""What to say where a server does not offer the mechanism that the configuration names, in SMTP as in IMAP.

In: the one that was wanted, and the names of those that are offered. Out: a sentence, which ends with what to change where
another one would do with the same secret.
"""

from __future__ import annotations

from collections.abc import Collection

from smtp_probe.config.settings import Mechanism
from smtp_probe.mail.syntax.text import sanitise

_BY_PASSWORD = frozenset({Mechanism.PLAIN, Mechanism.LOGIN})
_BY_TOKEN = frozenset({Mechanism.XOAUTH2, Mechanism.OAUTHBEARER})
_MOST_NAMES, _MOST_CHARACTERS = 10, 120


def say_not_offered(wanted: Mechanism, offered: Collection[str], *, none: str = "none") -> str:
    """Say that, and what there is instead. `none`: the words for an empty offer."""
    names = [name.upper() for name in offered]
    choice = sanitise(", ".join(names[:_MOST_NAMES]), limit=_MOST_CHARACTERS) or none
    said = f"the server does not offer {wanted.upper()}; it offers: {choice}"
    alike = _BY_PASSWORD if wanted in _BY_PASSWORD else _BY_TOKEN
    would_do = [mechanism for mechanism in alike - {wanted} if mechanism.upper() in names]
    return f"{said}; set auth.mechanism: {would_do[0]}" if would_do else said

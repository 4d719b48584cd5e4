"""The secrets of this process, kept only to be struck out of what is written.

In: each secret when it is read. Out: texts without it. Also strikes the forms in which a secret travels: base64 and
Python's own quoting. The last line of defence: nobody is to log a secret in the first place.
"""

from __future__ import annotations

import base64

MARK = "[redacted]"
_SHORTEST = 4
"""A shorter secret protects nothing, and striking it would make every line unreadable."""


class Redactor:
    """A set of secrets."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def register(self, secret: str) -> None:
        """Learn a secret. Those below four characters are not struck."""
        if len(secret) < _SHORTEST:
            return
        forms = {*self._forms, *_forms_of(secret)}
        # The longest first: a form that contains another must go as a whole.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def forget(self, secret: str) -> None:
        """Strike a secret no more, and what else is written in the same form."""
        gone = _forms_of(secret)
        self._forms = tuple(form for form in self._forms if form not in gone)

    def redact(self, text: str) -> str:
        """Give the text with every known secret replaced."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MARK)
        return text


def _forms_of(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode()
    return {secret, repr(secret)[1:-1], encoded}


SECRETS = Redactor()
"""The secrets of this process."""


def register_secret(secret: str) -> None:
    """Have a secret struck out of everything that is logged from now on."""
    SECRETS.register(secret)

"""Our credentials, struck out of what a server says: it may quote what it was sent, now or on an earlier connection.

In: a login, its secret, and a server's words as they came. Out: the words without the secret, in whichever form it is sent.
What would be dropped later, because it cannot be seen, is dropped first: else the secret would come together behind us.
"""

from __future__ import annotations

import re
from base64 import b64encode

from smtp_probe.config.settings import Auth
from smtp_probe.mail.syntax.text import drop_invisible, show_strange_bytes
from smtp_probe.network.imap_login import forms_in_base64
from smtp_probe.network.oauth_bearer import initial_response

_MARK = "***"


class Concealment:
    """The forms of one secret, kept out of its own `repr`."""

    def __init__(self, auth: Auth, secret: str) -> None:
        user, token = auth.username, secret
        messages = (
            f"\0{user}\0{token}",
            token,
            f"user={user}\1auth=Bearer {token}\1\1",
            initial_response(user, token),
        )
        whole = [b64encode(text.encode("utf-8", "surrogateescape")).decode() for text in messages]
        # As it is sent, and as it comes back where its bytes are not UTF-8.
        plain = {token, drop_invisible(show_strange_bytes(token)) or token}
        forms = sorted({*whole, *plain, *forms_in_base64(token)}, key=len, reverse=True)
        # The longest first: a form that contains another must go as a whole.
        self._expression = "|".join(map(re.escape, forms))
        self._pattern: re.Pattern[str] | None = None

    def mask(self, words: str) -> str:
        """Give the words without the secret."""
        # Not before: most servers say nothing that is shown, and it takes a millisecond.
        if self._pattern is None:
            self._pattern = re.compile(self._expression, re.IGNORECASE)
        return self._pattern.sub(_MARK, drop_invisible(words))

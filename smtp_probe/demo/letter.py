"""A message on its way through the demo, and what its sender asked to be told about it (RFC 3461).

In: the parameters of MAIL and RCPT as they were sent. Out: `DsnRequest`, and the words to pass on to the next host.
Pure; the SMTP server and client of the demo keep the letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})"
_ALLOWED = {
    "ENVID": re.compile(_XTEXT + r"{1,100}"),
    "RET": re.compile(r"FULL|HDRS", re.IGNORECASE),
    "NOTIFY": re.compile(r"NEVER|(?:(?:SUCCESS|FAILURE|DELAY)(?:,(?!$)|$)){1,3}", re.IGNORECASE),
    "ORCPT": re.compile(r"[A-Za-z0-9-]{1,20};" + _XTEXT + r"{1,300}"),
}
MAIL_KEYWORDS = ("ENVID", "RET")
RCPT_KEYWORDS = ("NOTIFY", "ORCPT")
"""Which parameter belongs to which command (RFC 3461 section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnRequest:
    """What the sender asked for, each value as it stood on the wire (ENVID and ORCPT in xtext), or None."""

    envid: str | None = None
    ret: str | None = None
    notify: str | None = None
    orcpt: str | None = None

    @property
    def wants_failures(self) -> bool:
        """Whether a failure is to be told. It is, unless the sender said otherwise (RFC 3461 section 4.1)."""
        return self.notify is None or "FAILURE" in self.notify.upper()

    def mail_parameters(self) -> str:
        """The words to add to MAIL, each with a space before it."""
        return self._words(MAIL_KEYWORDS)

    def rcpt_parameters(self) -> str:
        """The words to add to RCPT, each with a space before it."""
        return self._words(RCPT_KEYWORDS)

    def _words(self, keywords: tuple[str, ...]) -> str:
        values = ((keyword, getattr(self, keyword.lower())) for keyword in keywords)
        return "".join(f" {keyword}={value}" for keyword, value in values if value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message for one recipient in the keeping of one host. `arrived_ns` is on that host's clock."""

    sender: str
    """Empty for a notification, whose reverse path is `<>`."""
    recipient: str
    content: bytes = field(repr=False)
    queue_id: str = ""
    arrived_ns: int = 0
    dsn: DsnRequest = field(default_factory=DsnRequest)


def decode_xtext(text: str) -> str:
    """Turn `+3D` and its like back into characters (RFC 3461 section 4); unprintable ones become `?`."""
    decoded = re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"[^ -~]", "?", decoded)


def take_dsn_parameters(
    argument: str, keywords: tuple[str, ...], request: DsnRequest
) -> tuple[str, DsnRequest]:
    """Split the argument of MAIL or RCPT into what is left of it and the request with what was found in it.

    Only the given keywords are looked for. Raises ValueError for one that is malformed or given twice.
    """
    rest: list[str] = []
    for word in argument.split(" "):
        keyword, equals, value = word.partition("=")
        if keyword.upper() not in keywords or not equals:
            rest.append(word)
            continue
        allowed = _ALLOWED[keyword.upper()]
        if getattr(request, keyword.lower()) is not None or not allowed.fullmatch(value):
            message = f"malformed or repeated {keyword.upper()}"
            raise ValueError(message)
        request = replace(request, **{keyword.lower(): value})
    return " ".join(rest), request

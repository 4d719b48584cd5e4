"""Reading who handed a message over: the `from` clause of a Received header and the comments behind it.

In: the words and comments of the clause. Out: the name that the client gave, the name that the reverse look-up of its
address gave, and the address. Each software puts the three elsewhere:

- Postfix, Sendmail, OpenSMTPD, Gmail, Stalwart, Courier, ...: `from HELO (REVERSE [ADDRESS])`, the reverse name
  left out or called `unknown` where there is none;
- Exim: `from REVERSE ([ADDRESS] helo=HELO)`, `from REVERSE ([ADDRESS])` where both names are the same, and
  `from [ADDRESS] (helo=HELO)` without a reverse name;
- qmail, Haraka and qpsmtpd: `from REVERSE (HELO NAME) (IDENT@ADDRESS)`, without the middle where the names are the same;
- ZMailer: `from REVERSE ([ADDRESS]:PORT "EHLO NAME" ...)`; CommuniGate: `from [ADDRESS] (account WHO HELO NAME)`;
- Exchange and PowerMTA: `from HELO (ADDRESS)`; fetchmail and old Exims: `from NAME [ADDRESS]`.

What a line does not say stays None. A local user (`from root by ... with local`) is no host.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from smtp_probe.mail.hostnames import read_address

NO_NAMES = frozenset(
    {
        "unknown",
        "<unknown>",
        "unverified",
        "softdnserr",
        "unavailable",
        "no.name.available",
        "client.hidden.invalid",
        "not verified",
        "unknown_domain",
        "?",
        "-",
    }
)
"""What stands in the place of a name that is not known. Lower case."""

_HELO = re.compile(r"(?:^|[ \"])(?:helo=|(?:HELO|EHLO)(?![^ \"])[ ]?+)([^ \"]++)?")
_BRACKETED = re.compile(r"([^\[]*+)(\[[^\[\]]++\](?::\d++)?)")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_SESSION = re.compile(
    r"[Uu]sing (?!\[)|version=|(?:TLS|SSL)[^ ]*:|Cipher (?:TLS|SSL)|AUTH: |IDENT: |envelope-(?:from|sender) "
    r"|(?:smtp-)?[Aa]uth(?:enticated)?(?:$|=|: | (?!\[))|Client (?:CN|did) |No client "
)
"""Comments of the session, and of no name: a host's name is followed by nothing but its address."""


class Client(NamedTuple):
    """The three things that can be known of a client."""

    name: str | None = None
    host: str | None = None
    address: str | None = None


class _Detail(NamedTuple):
    """What one comment adds. `follows_host`: the word before it is the reverse name then, and not the HELO name."""

    name: str | None = None
    host: str | None = None
    address: str | None = None
    follows_host: bool = False


_NO_DETAIL = _Detail()


def read_client(words: tuple[str, ...], comments: list[str], *, names_agree: bool) -> Client:
    """Read a `from` clause. `names_agree`: the software writes the HELO name only where the reverse name differs."""
    first, address = _read_words(words)
    name = host = told = None
    follows_host = False
    for text in comments:
        detail = _read_comment(text)
        name, host, told = name or detail.name, host or detail.host, told or detail.address
        follows_host = follows_host or detail.follows_host
    if follows_host:
        # Exim writes `helo=` only where it differs from the reverse name; ASSP writes the HELO name twice.
        is_helo = not names_agree and first == name and any("helo=" in text for text in comments)
        return Client(_give_name(name), None if is_helo else _give_host(first), told or address)
    if host or told:
        # The client is described behind its name: an address that stands as the name was given as one.
        name, address = name or first or (words[0] if address else None), told
    if names_agree and host is None:
        host = first
    return Client(_give_name(name or first), _give_host(host), address)


def _read_words(words: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Give the name and the address among the words of the clause, outside of its comments."""
    if not words or len(words) > 2 or (len(words) == 2 and read_address(words[1]) is None):
        # No name is `mail pickup service`, nor `1234567890 named unknown`, nor `userid 500`.
        return None, None
    address = read_address(words[0])
    if address is not None:
        return None, address
    match = _BRACKETED.fullmatch(words[0])
    if match is not None:
        return match[1] or None, read_address(match[2])
    return words[0], read_address(words[1]) if len(words) == 2 else None


@lru_cache(maxsize=512)  # the mails of one route bear the same comments every time
def _read_comment(text: str) -> _Detail:
    """Read one comment behind `from`."""
    if _SESSION.match(text):
        return _NO_DETAIL
    helo = _HELO.search(text)
    bracketed = _BRACKETED.match(text[: helo.start()] if helo else text)
    address = read_address(bracketed[2]) if bracketed else None
    if text.startswith("account ") and not text.startswith("account ["):
        return _Detail(helo[1] if helo else None, address=address)
    if helo is not None:
        return _Detail(helo[1], None, address or read_address(text.partition(",")[0]), follows_host=True)
    if bracketed is not None:
        return _Detail(host=_last_word(bracketed[1]), address=address)
    return _read_plain_comment(text)


def _read_plain_comment(text: str) -> _Detail:
    """Read `ADDRESS`, `/ADDRESS`, `IDENT@ADDRESS`, `IDENT@ADDRESS with login`, `NAME ADDRESS` or `NAME`."""
    text = text.partition(" with ")[0]
    before, _, last = text.rpartition(" ")
    address = read_address(last.rpartition("@")[2].removeprefix("/"))
    if address is not None:
        return _Detail(host=_last_word(before), address=address)
    is_name = text.lower() in NO_NAMES or ("." in text and _HOST.fullmatch(text) is not None)
    return _Detail(host=text) if is_name else _NO_DETAIL


def _last_word(text: str) -> str | None:
    """Give the name at the end of the text before an address, without an `IDENT:user@` in front of it."""
    words = text.rstrip(" ")
    if words.lower() in NO_NAMES:
        return words
    start = max(words.rfind(" "), words.rfind("@"), words.rfind(":")) + 1
    return words[start:] or None


def _give_name(name: str | None) -> str | None:
    if name is None or name.lower() in NO_NAMES or "@" in name:
        return None
    return name


def _give_host(host: str | None) -> str | None:
    """Give the name, if it is one that a reverse look-up can give. Gmail leaves the dot of the root at its end."""
    if host is None or host.lower() in NO_NAMES or not _HOST.fullmatch(host) or read_address(host):
        return None
    return host.rstrip(".") or None

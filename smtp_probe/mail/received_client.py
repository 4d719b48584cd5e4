"""Reading who handed a message over: the `from` clause of a Received header and the comments behind it.

In: the words and comments of the clause. Out: the name that the client gave, the name that the reverse look-up of its
address gave, and the address. Each software puts the three elsewhere:

- Postfix, Sendmail, OpenSMTPD, Gmail, Stalwart, Courier, ...: `from HELO (REVERSE [ADDRESS])`, the reverse name
  left out or called `unknown` where there is none;
- Exim: `from REVERSE ([ADDRESS] helo=HELO)`, `from REVERSE ([ADDRESS])` where both names are the same, and
  `from [ADDRESS] (helo=HELO)` without a reverse name;
- qmail, Haraka and qpsmtpd: `from REVERSE (HELO NAME) (IDENT@ADDRESS)`, without the middle where the names are the same;
- ZMailer: `from REVERSE ([ADDRESS]:PORT "EHLO NAME" ...)`; CommuniGate: `from [ADDRESS] (account WHO HELO NAME)`;
- Exchange and PowerMTA: `from HELO (ADDRESS)`; fetchmail and MDaemon: `from NAME [ADDRESS]`.

What a line does not say stays None. A local user (`from root by ... with local`) is no host.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from smtp_probe.mail.hostnames import read_address

_NO_NAMES = frozenset({"unknown", "<unknown>", "unverified", "softdnserr", "unavailable", "?", "-", "local"})
"""What stands in the place of a reverse name that is not known. Lower case."""

_HELO = re.compile(r"(?:^|[ \"])(?:HELO|EHLO)(?:[ ]([^ \"]++))?", re.IGNORECASE)
_EXIM_HELO = re.compile(r"(?:^|[ ])helo=([^ ]++)")
_BRACKETED = re.compile(r"([^\[]*+)(\[[^\[\]]++\](?::\d++)?)")
_LAST_WORDS = re.compile(r"(?:^|.*[ @:])([^ @:]++)[ ]?$")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_SESSION = re.compile(r"(?:using|version=|TLS|SSL|Cipher|authenticated|auth|envelope-|IDENT:|No client|Client)\b", re.IGNORECASE)


class Client(NamedTuple):
    """The three things that can be known of a client."""

    name: str | None = None
    host: str | None = None
    address: str | None = None


class _Detail(NamedTuple):
    """What one comment adds. `is_reverse_first`: the word before the comment is the reverse name, not the HELO."""

    name: str | None = None
    host: str | None = None
    address: str | None = None
    is_reverse_first: bool = False


def read_client(words: tuple[str, ...], comments: list[str], *, names_agree: bool) -> Client:
    """Read a `from` clause. `names_agree`: the software writes the HELO name only where the reverse name differs."""
    first, address = _read_words(words)
    details = [detail for text in comments if (detail := _read_comment(text)) is not None]
    name = next((detail.name for detail in details if detail.name), None)
    host = next((detail.host for detail in details if detail.host), None)
    told = next((detail.address for detail in details if detail.address), None)
    if any(detail.is_reverse_first for detail in details):
        return Client(_give_name(name), _give_host(first), told or address)
    if name is None and not (address and not told and first is None):
        name = first
    if first is None and told and words:
        name = words[0]
    if host is None and names_agree and first is not None:
        host = first
    return Client(_give_name(name), _give_host(host), told or address)


def _read_words(words: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Give the name and the address among the words of the clause, outside of its comments."""
    if not words or len(words) > 2:
        # `mail pickup service`, `1234567890 named unknown`: no names.
        return None, None
    address = read_address(words[0])
    if address is not None:
        return None, address
    match = _BRACKETED.fullmatch(words[0])
    if match is not None:
        return match[1] or None, read_address(match[2])
    return words[0], read_address(words[1]) if len(words) == 2 else None


def _read_comment(text: str) -> _Detail | None:
    """Read one comment behind `from`. None where it is of something else."""
    helo = _EXIM_HELO.search(text) or _HELO.search(text)
    bracketed = _BRACKETED.match(text)
    address = read_address(bracketed[2]) if bracketed else None
    if helo is not None:
        return _Detail(helo[1], None, address, is_reverse_first=not text.startswith("account "))
    if text.startswith("account ") or _SESSION.match(text):
        return _Detail(address=address) if address else None
    if bracketed is not None:
        return _Detail(host=_last_word(bracketed[1]), address=address)
    return _read_plain_comment(text)


def _read_plain_comment(text: str) -> _Detail | None:
    """Read `ADDRESS`, `IDENT@ADDRESS`, `NAME ADDRESS` or `NAME`."""
    before, _, last = text.rpartition(" ")
    address = read_address(last.rpartition("@")[2])
    if address is not None:
        return _Detail(host=_last_word(before) if before else None, address=address)
    if before or not _HOST.fullmatch(text):
        return None
    return _Detail(host=text)


def _last_word(text: str) -> str | None:
    """Give the name at the end of the text before an address, without the `IDENT:user@` in front of it."""
    match = _LAST_WORDS.match(text)
    return match[1] if match else None


def _give_name(name: str | None) -> str | None:
    if name is None or name.lower() in _NO_NAMES or "@" in name:
        return None
    return name.rstrip(".") or None


def _give_host(host: str | None) -> str | None:
    """Give the name, if it is one that a reverse look-up can give. Gmail and Stalwart may leave the root's dot."""
    if host is None or host.lower() in _NO_NAMES or not _HOST.fullmatch(host):
        return None
    return None if read_address(host) else host.rstrip(".")

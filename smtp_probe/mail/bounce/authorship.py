"""Who wrote a message, by its header: a mail server, some other program, or a person.

In: the first value of each field. Out: claims. A bounce is a server's word, and nothing that a text says can make a
person's letter one: people quote, forward and retell bounces, word for word. So where neither the author nor the empty
return path is a server's, a field has to stand there that only programs set.
"""

from __future__ import annotations

import re

from smtp_probe.mail.bounce.phrases import ANSWER, SENDER, fold
from smtp_probe.mail.syntax.encoded_words import decode_words

ADDRESS = r"[^\s<>()\[\]\";:,'|*@=\\\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}[A-Za-z0-9]"
ANY_ADDRESS = re.compile(ADDRESS)
Values = dict[str, bytes]

_OF_PROGRAMS = re.compile(
    r"(?:^|[<\s\"])(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|bounces?|nobody|ndr|smtp|mail[-_.]?(?:er|server|system)|gateway|system)\b[^\s@]{0,64}@"
)
"""Addresses from which nobody writes by hand."""
_OF_PEOPLE = re.compile(
    r"apple mail|iphone mail|ipad mail|microsoft (?:office )?outlook|outlook express|thunderbird|mozilla|the bat|mutt|roundcube"
    r"|evolution|kmail|claws|sylpheed|squirrelmail|horde|becky|eudora|pegasus|yahoomail|zimbra|sogo|mailmate|airmail|spark\b"
)
"""Programs with which people write."""

_WITH_A_READER = re.compile(r"post_?master|(?:system |mail )?administrator")
"""Names of servers which are also those of the people who look after them."""


def decode_value(value: bytes) -> str:
    """Give a value of a header as text."""
    return decode_words(value[:998]).decode("utf-8", "replace")


def collect_addresses(text: str) -> set[str]:
    """Give the addresses of a text, in lower case."""
    return {address.lower() for address in ANY_ADDRESS.findall(text)}


def _author(values: Values) -> str:
    return fold(decode_value(values.get("from", b"x"))).strip()


def has_no_path(values: Values) -> bool:
    """Whether it came over the empty return path, as bounces have to (RFC 5321 section 4.5.5)."""
    return values.get("return-path", b"").replace(b" ", b"").lower() in (b"<>", b"<mailer-daemon>")


def is_by_a_daemon(values: Values) -> bool:
    """Whether the author's name or address is one that only mail servers have."""
    author = _author(values)
    return author in ("<>", "") or author.endswith(" <>") or SENDER.search(author) is not None


def _is_by_a_mere_daemon(values: Values) -> bool:
    """Whether the author is a mail server, and certainly not the person who looks after it."""
    author = _author(values)
    return is_by_a_daemon(values) and (
        not _WITH_A_READER.search(author) or SENDER.search(_WITH_A_READER.sub("", author)) is not None
    )


def is_by_a_server(values: Values) -> bool:
    """Whether a mail server wrote it: by its author, or by its empty path."""
    return has_no_path(values) or is_by_a_daemon(values)


def is_by_a_program(values: Values) -> bool:
    """Whether any program wrote it, and says so: by a field (RFC 3834 section 5), or by an address without a reader."""
    submitted = fold(decode_value(values.get("auto-submitted", b"no"))).strip()
    author = _author(values)
    return (
        is_by_a_server(values)
        or not re.match(r"no\b", submitted)
        or values.get("precedence", b"").strip().lower() in (b"bulk", b"junk", b"auto_reply", b"auto-reply")
        or "x-failed-recipients" in values
        or "x-ms-exchange-message-is-ndr" in values
        or _OF_PROGRAMS.search(author) is not None
    )


def is_by_its_author(values: Values) -> bool:
    """Whether what bounces would go to an author who reads it: a bounce must not bounce, so this is somebody's mail."""
    if _is_by_a_mere_daemon(values):
        return False
    path = collect_addresses(decode_value(values.get("return-path", b"")))
    return bool(path & collect_addresses(decode_value(values.get("from", b""))))


def is_by_a_person(values: Values) -> bool:
    """Whether a person wrote it, though perhaps from a server's address: with a program for people, or as an answer."""
    if has_no_path(values) or _is_by_a_mere_daemon(values):
        return False
    return (
        "user-agent" in values
        or _OF_PEOPLE.search(fold(decode_value(values.get("x-mailer", b"")))) is not None
        or ANSWER.match(fold(decode_value(values.get("subject", b"")))) is not None
    )

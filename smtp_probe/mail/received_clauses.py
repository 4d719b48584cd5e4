"""Dividing a Received header's tokens into its clauses (RFC 5321 section 4.4, read as loosely as RFC 5322 3.6.7).

In: the tokens before the date, and those behind it. Out: the words that follow `from`, `by`, `via`, `with`, `id`,
`for`, `tls` and `envelope-from`, and every comment with the clause it stands in. What the words mean for one MTA or
another is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smtp_probe.mail.tokens import Kind, Token

KEYWORDS = frozenset({"from", "by", "via", "with", "id", "for", "tls", "envelope-from"})


class Clauses(NamedTuple):
    """The clauses of one header. A clause that is not there has no entry; one without a value has no words."""

    words: dict[str, tuple[str, ...]]
    """By keyword. Only the first clause of a kind counts: Mimecast adds `with STARTTLS`, XMail a second `from`."""
    comments: tuple[tuple[str, str], ...]
    """(keyword, text), in order. Comments before the first keyword have the keyword ``."""

    def word(self, keyword: str) -> str | None:
        """The first word of a clause."""
        words = self.words.get(keyword)
        return words[0] if words else None

    def comments_of(self, keyword: str) -> list[str]:
        """The comments within one clause, in order."""
        return [text for clause, text in self.comments if clause == keyword]


def divide(tokens: Sequence[Token]) -> Clauses:
    """Divide the tokens into clauses."""
    found: dict[str, list[str]] = {}
    comments: list[tuple[str, str]] = []
    keyword, words = "", list[str]()
    items = _join(tokens)
    for place, item in enumerate(items):
        if item.kind is Kind.COMMENT:
            comments.append((keyword, item.text))
        elif item.kind is Kind.WORD and _is_keyword(items, place, expects_value=keyword != "" and not words):
            keyword, words = item.text.lower(), []
            if not found.get(keyword):
                found[keyword] = words
        else:
            words.append(item.text)
    return Clauses({name: tuple(values) for name, values in found.items()}, tuple(comments))


def _join(tokens: Sequence[Token]) -> list[Token]:
    """Make one item of tokens that touch, as in `host[192.0.2.1]` or `"a b"@example.org`; drop the separators.

    An item that was joined is no plain word any more, and hence no keyword.
    """
    items: list[Token] = []
    for token in tokens:
        if token.kind in (Kind.SEMICOLON, Kind.COMMA):
            continue
        last = items[-1] if items else None
        if last and last.end == token.start and Kind.COMMENT not in (last.kind, token.kind):
            items[-1] = Token(Kind.QUOTED, last.text + token.text, last.start, token.end)
        else:
            items.append(token)
    return items


def _is_keyword(items: Sequence[Token], place: int, *, expects_value: bool) -> bool:
    """Tell whether a word begins a clause. A host may be called `by`: so it is where a value is missing otherwise.

    That is: the clause before has no value yet, and the next word begins a clause itself, or there is none.
    """
    if items[place].text.lower() not in KEYWORDS:
        return False
    if not expects_value:
        return True
    for item in items[place + 1 : place + 9]:
        if item.kind is not Kind.COMMENT:
            return item.text.lower() not in KEYWORDS
    return False

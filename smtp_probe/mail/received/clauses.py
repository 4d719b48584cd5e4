"""Dividing a Received header's tokens into its clauses (RFC 5321 section 4.4, read as loosely as RFC 5322 3.6.7).

In: the tokens before the date, and those behind it. Out: the words that follow `from`, `by`, `via`, `with`, `id`,
`for`, `tls` and `envelope-from`, and every comment with the clause it stands in. What the words mean for one MTA or
another is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smtp_probe.mail.syntax.tokens import Kind, Token

MAX_WORD_CHARACTERS = 512
"""A word that was joined from touching tokens is cut there: joining thousands of them would not be linear."""
KEYWORDS = ("from", "by", "via", "with", "id", "for", "tls", "envelope-from")
_SPELLINGS = {
    spelling: keyword for keyword in KEYWORDS for spelling in (keyword, keyword.upper(), keyword.capitalize())
}
_COMMENT, _SEMICOLON, _COMMA = Kind.COMMENT, Kind.SEMICOLON, Kind.COMMA
_SEPARATORS = (_SEMICOLON, _COMMA)


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
    """Divide the tokens into clauses. Tokens that touch are one word, as in `host[192.0.2.1]` or `"a b"@host`."""
    found: dict[str, list[str]] = {}
    comments: list[tuple[str, str]] = []
    keyword, words = "", list[str]()
    last_end = -1
    for place, (kind, text, start, end) in enumerate(tokens):
        if kind is _COMMENT:
            comments.append((keyword, text))
            last_end = -1
            continue
        if kind is _SEMICOLON or kind is _COMMA:
            continue
        if start == last_end and words:
            words[-1] = (words[-1] + text)[:MAX_WORD_CHARACTERS]
        elif text in _SPELLINGS and _begins_clause(tokens, place, keyword, words):
            keyword, words = _SPELLINGS[text], []
            if not found.get(keyword):
                found[keyword] = words
        else:
            words.append(text)
        last_end = end
    return Clauses({name: tuple(values) for name, values in found.items()}, tuple(comments))


def _begins_clause(tokens: Sequence[Token], place: int, keyword: str, words: Sequence[str]) -> bool:
    """Tell whether a word that is a keyword begins a clause, given the clause that stands before it.

    It may be the name of a host instead: where tokens touch it (`by[192.0.2.1]`), and where the clause before has no
    value yet and the next word begins a clause itself, or there is none. Microsoft writes `over TLS secured channel`.
    """
    if words and words[-1] == "over":
        return False
    lacks_value = keyword != "" and not words
    following = place + 1
    while following < len(tokens) and tokens[following].kind is Kind.COMMENT:
        following += 1
    if following == len(tokens):
        return not lacks_value
    kind, text, start, _ = tokens[following]
    if start == tokens[place].end and kind not in _SEPARATORS:
        return False
    return not lacks_value or text not in _SPELLINGS

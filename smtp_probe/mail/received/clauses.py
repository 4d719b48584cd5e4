"""Dividing a Received header's tokens into its clauses (RFC 5321 section 4.4, read as loosely as RFC 5322 3.6.7).

In: the tokens before the date, and those behind it. Out: the words that follow `from`, `by`, `via`, `with`, `id`,
`for`, `tls` and `envelope-from`, and every comment with the clause it stands in. What the words mean for one MTA or
another is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smtp_probe.mail.syntax.tokens import Row

MAX_WORD_CHARACTERS = 512
"""A word that was joined from touching tokens is cut there: joining thousands of them would not be linear."""
KEYWORDS = ("from", "by", "via", "with", "id", "for", "tls", "envelope-from")
_SPELLINGS = {
    spelling: keyword for keyword in KEYWORDS for spelling in (keyword, keyword.upper(), keyword.capitalize())
}
_LOOK_AHEAD = 16
"""So many tokens are looked at behind a keyword, for one that is no comment."""


class Clauses(NamedTuple):
    """The clauses of one header. A clause that is not there has no entry; one without a value has no words."""

    words: dict[str, tuple[str, ...]]
    """By keyword. Only the first clause of a kind counts: XMail adds a second `from`."""
    comments: tuple[tuple[str, str], ...]
    """(keyword, text), in order. Comments before the first keyword have the keyword ``."""
    repeated: tuple[tuple[str, str], ...] = ()
    """(keyword, first word) of every further clause of a kind: Mimecast adds `with STARTTLS`."""

    def word(self, keyword: str) -> str | None:
        """The first word of a clause."""
        words = self.words.get(keyword)
        return words[0] if words else None

    def comments_of(self, keyword: str) -> list[str]:
        """The comments within one clause, in order."""
        return [text for clause, text in self.comments if clause == keyword]


def divide(rows: Sequence[Row]) -> Clauses:
    """Divide the tokens into clauses. Tokens that touch are one word, as in `host[192.0.2.1]` or `"a b"@host`."""
    found: dict[str, list[str]] = {}
    comments: list[tuple[str, str]] = []
    repeated: list[tuple[str, list[str]]] = []
    keyword, words = "", list[str]()
    may_touch = False
    for place, (blank, word, comment, angle, literal, quoted, semicolon, comma, _, other) in enumerate(rows):
        if word:
            if may_touch and not blank and words:
                words[-1] = (words[-1] + word)[:MAX_WORD_CHARACTERS]
            elif word in _SPELLINGS and _begins_clause(rows, place, keyword, words):
                keyword, words = _SPELLINGS[word], []
                if found.get(keyword):
                    repeated.append((keyword, words))
                else:
                    found[keyword] = words
            else:
                words.append(word)
            may_touch = True
        elif text := angle or literal or quoted or other:
            if may_touch and not blank and words:
                words[-1] = (words[-1] + text)[:MAX_WORD_CHARACTERS]
            else:
                words.append(text)
            may_touch = True
        else:
            may_touch = False
            if not semicolon and not comma:
                comments.append((keyword, comment))
    return Clauses(
        {name: tuple(values) for name, values in found.items()},
        tuple(comments),
        tuple((name, values[0]) for name, values in repeated if values),
    )


def _begins_clause(rows: Sequence[Row], place: int, keyword: str, words: Sequence[str]) -> bool:
    """Tell whether a word that is a keyword begins a clause, given the clause that stands before it.

    It may be the name of a host instead: where tokens touch it (`by[192.0.2.1]`), and where the clause before has no
    value yet and the next word begins a clause itself, or there is none. Microsoft writes `over TLS secured channel`.
    """
    if words and words[-1] == "over":
        return False
    lacks_value = keyword != "" and not words
    for following in range(place + 1, min(place + 1 + _LOOK_AHEAD, len(rows))):
        blank, word, _, angle, literal, quoted, semicolon, comma, _, other = rows[following]
        if word or angle or literal or quoted or other:
            touches = following == place + 1 and not blank
            return not touches and (not lacks_value or word not in _SPELLINGS)
        if semicolon or comma:
            return True
    return not lacks_value

"""Cutting a structured header value into its lexical tokens (RFC 5322 section 3.2).

In: the raw bytes of one value. Out: readable text, and the words, quoted strings, domain literals, addresses in angle
brackets, comments and separators in it, each with its place. What they mean is for the callers.

What is malformed is kept as plain words and flagged: nothing raises. Time is linear, whatever the bytes: every
repetition in the patterns is possessive, and the partners of nested parentheses are looked for once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from itertools import islice
from typing import NamedTuple, cast

from smtp_probe.mail.syntax.text import sanitise

MAX_VALUE_BYTES = 8192
MAX_TOKENS = 1000
"""Further ones are left out, with the flag `truncated`. No honest header has a tenth of them."""
MAX_DEPTH = 16
"""A comment that nests deeper is passed over as one empty comment."""

_TOKEN = re.compile(
    r"""
    (?P<blank> [ ]*+ )
    (?: (?P<word> [^ ()<>\[\]";,]++ )
      | \( (?P<comment> [^()\\]*+ (?: \( [^()\\]*+ \) [^()\\]*+ )* ) \)
      | (?P<angle> < [^<>"]*+ > )
      | (?P<literal> \[ [^\[\];]*+ \] )
      | (?P<quoted> "[^"\\]*+" )
      | (?P<semicolon> ; )
      | (?P<comma> , )
      | (?P<hard> [()"<] )
      | (?P<other> . )
    )""",
    re.VERBOSE | re.DOTALL,
)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*"', re.DOTALL)
_ANGLE = re.compile(r'<(?:[^<>"]++|"(?:[^"\\]++|\\.)*")*>', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Kind(IntEnum):
    """What a token is."""

    WORD = 1
    QUOTED = 2
    LITERAL = 3
    ANGLE = 4
    COMMENT = 5
    SEMICOLON = 6
    COMMA = 7


_KINDS = {
    index: Kind.WORD if group == "other" else Kind[group.upper()]
    for group, index in _TOKEN.groupindex.items()
    if group not in ("blank", "hard")
}
"""The kind of a token by the number of its group in the pattern: numbers are quicker than names."""
_COMMENT, _HARD = _TOKEN.groupindex["comment"], _TOKEN.groupindex["hard"]


class Token(NamedTuple):
    """One token. A comment's `text` is what it says, without its parentheses; all others are as written."""

    kind: Kind
    text: str
    start: int
    end: int


Row = tuple[str, str, str, str, str, str, str, str, str, str]
"""One token as the pattern cuts it: the blanks before it, and then its text at the place of its kind, else nothing.

`(blank, word, comment, angle, literal, quoted, semicolon, comma, hard, other)`
"""
_HARD_PLACE = _HARD - 1
_PLACES = {kind: index - 1 for index, kind in _KINDS.items() if index != _TOKEN.groupindex["other"]}


class Tokens(NamedTuple):
    """The tokens of one value, in order, and what was odd: `unbalanced`, `deep_comment`, `truncated`."""

    tokens: list[Token]
    flags: tuple[str, ...]


def read_text(value: bytes) -> tuple[str, tuple[str, ...]]:
    """Make readable text of a raw value: at most 8 KiB, white space as single blanks, no unsafe character.

    Decodes UTF-8 (RFC 6532). The flags say what was changed: `truncated`, `not_utf8`, `unsafe_characters`.
    """
    flags: list[str] = []
    if len(value) > MAX_VALUE_BYTES:
        flags.append("truncated")
    squeezed = b" ".join(value[:MAX_VALUE_BYTES].split())
    try:
        text = squeezed.decode("utf-8")
    except UnicodeDecodeError:
        flags.append("not_utf8")
        text = squeezed.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text, tuple(flags)
    clean = sanitise(text, MAX_VALUE_BYTES)
    if clean != text:
        flags.append("unsafe_characters")
    return clean, tuple(flags)


def tokenize(text: str) -> Tokens:
    """Cut text, as `read_text` gives it, into tokens."""
    tokens: list[Token] = []
    position = _read_easy(text, 0, tokens)
    if position is None and len(tokens) < MAX_TOKENS:
        return Tokens(tokens, ())
    hard = _HardCases(text)
    while position is not None and len(tokens) < MAX_TOKENS:
        token = hard.read(position)
        tokens.append(token)
        position = _read_easy(text, token.end, tokens)
    if len(tokens) < MAX_TOKENS:
        return Tokens(tokens, hard.flags)
    return Tokens(tokens, (*hard.flags, "truncated"))


def cut_rows(text: str) -> list[Row] | None:
    """Cut text into tokens without their places, which takes a third of the time. None where that cannot be done."""
    rows: list[Row] = _TOKEN.findall(text)
    if len(rows) > MAX_TOKENS:
        return None
    for row in rows:
        if row[_HARD_PLACE]:
            return None
    return rows


def rows_of(tokens: Sequence[Token]) -> list[Row]:
    """Give tokens in the form of `cut_rows`."""
    rows = []
    last_end = -1
    for kind, text, start, end in tokens:
        row = ["" if start == last_end else " ", "", "", "", "", "", "", "", "", ""]
        row[_PLACES[kind]] = text
        rows.append(tuple(row))
        last_end = end
    return cast("list[Row]", rows)


def _read_easy(text: str, position: int, tokens: list[Token]) -> int | None:
    """Add the tokens from here on, up to one that the pattern cannot read: give its place, or None at the end."""
    make, add = tuple.__new__, tokens.append  # most of the time of reading a header is spent here
    for match in islice(_TOKEN.finditer(text, position), MAX_TOKENS - len(tokens)):
        group = match.lastindex or 0
        start, end = match.span(group)
        if group == _HARD:
            return start
        if group == _COMMENT:
            start, end = start - 1, end + 1
        add(make(Token, (_KINDS[group], match[group], start, end)))
    return None


def mask(text: str, cut: Tokens, *kinds: Kind) -> str:
    """Give the text with its tokens of these kinds blanked out, so that all else keeps its place."""
    parts: list[str] = []
    end = 0
    for token in cut.tokens:
        if token.kind in kinds:
            parts += [text[end : token.start], " " * (token.end - token.start)]
            end = token.end
    last = cut.tokens[-1].end if "truncated" in cut.flags else len(text)
    return "".join([*parts, text[end:last]])


class _HardCases:
    """Reads what one pattern cannot: deep or escaped comments, escapes in quotes, quotes in angle brackets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._partners: dict[int, tuple[int, int]] | None = None
        self._quotes_end = False
        self._unbalanced = False
        self._deep = False

    @property
    def flags(self) -> tuple[str, ...]:
        """What was odd so far."""
        named = (("unbalanced", self._unbalanced), ("deep_comment", self._deep))
        return tuple(name for name, seen in named if seen)

    def read(self, start: int) -> Token:
        """Give the token that begins here; the bare character as a word where nothing closes it."""
        character = self._text[start]
        if character == "(":
            token = self._comment(start)
        elif character == '"':
            token = self._quoted(start)
        elif character == "<":
            match = _ANGLE.match(self._text, start)
            token = Token(Kind.ANGLE, match[0], start, match.end()) if match else None
        else:
            token = None
        if token is None:
            self._unbalanced = True
            return Token(Kind.WORD, character, start, start + 1)
        return token

    def _comment(self, start: int) -> Token | None:
        if self._partners is None:
            self._partners = _pair_parentheses(self._text, start)
        partner = self._partners.get(start)
        if partner is None:
            return None
        close, depth = partner
        content = _ESCAPED.sub(r"\1", self._text[start + 1 : close])
        if depth > MAX_DEPTH:
            self._deep = True
            content = ""
        return Token(Kind.COMMENT, content, start, close + 1)

    def _quoted(self, start: int) -> Token | None:
        # One quote without an end means that no later one can have a better one: do not look again, in linear time.
        match = None if self._quotes_end else _QUOTED.match(self._text, start)
        if match is None:
            self._quotes_end = True
            return None
        return Token(Kind.QUOTED, match[0], start, match.end())


def _pair_parentheses(text: str, start: int) -> dict[int, tuple[int, int]]:
    """Find, for each `(` from here on that is closed, the place of its `)` and how deep it nests.

    Looks at as many parentheses as there can be tokens to need them; what is farther off counts as not closed.
    """
    partners: dict[int, tuple[int, int]] = {}
    waiting: list[tuple[int, int]] = []
    for match in islice(_PARENTHESIS.finditer(text, start), 2 * MAX_TOKENS):
        if match[0] == "(":
            waiting.append((match.start(), 1))
        elif match[0] == ")" and waiting:
            opened, depth = waiting.pop()
            partners[opened] = (match.start(), depth)
            if waiting:
                outer, known = waiting[-1]
                waiting[-1] = (outer, max(known, depth + 1))
    return partners

"""Authentication-Results (RFC 8601): what a receiver says that it has found.

In: the value of one header. Out: whose word it is, and each method's result with its reason, comment and properties.
Reads what receivers write, which is more than the grammar allows: no authserv-id (Microsoft), properties behind commas,
blanks around equals signs. Judges nothing: whose word counts is told in `trust`. Never raises; linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from smtp_probe.mail.syntax.tokens import Kind, Token, read_text, tokenize

MAX_RESULTS = 50
RESULTS = frozenset(
    [
        "pass",
        "fail",
        "softfail",
        "hardfail",
        "neutral",
        "none",
        "policy",
        "temperror",
        "permerror",
        "unknown",
        "discard",
        "nxdomain",
        "signed",
        "skipped",
        "bestguesspass",
        "declined",
        "error",
        "invalid",
    ]
)
"""The registered words (RFC 8601 section 2.7), and those that receivers write all the same."""
_METHOD = re.compile(r"([a-z0-9][a-z0-9_-]{0,31})(?:/([0-9]{1,9}))?")
_PROPERTY = re.compile(r"([a-z0-9][a-z0-9-]{0,31})\.([a-z0-9][a-z0-9_-]{0,31})", re.IGNORECASE)
_PAIR = re.compile(r"[A-Za-z0-9-]{1,32}(?:\.[A-Za-z0-9_-]{1,32})?=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """What one method came to. Texts are sanitised; `result` is as written, in lower case."""

    method: str
    """`spf`, `dkim`, `dmarc`, `arc`, `iprev`, `auth`, ..., in lower case."""
    result: str
    version: int | None = None
    reason: str = ""
    comment: str = ""
    """The first comment behind the result."""
    properties: tuple[tuple[str, str], ...] = ()
    """`header.d`, `smtp.mailfrom`, ..., in lower case, with their values."""

    def property(self, *names: str) -> str:
        """Give the value of the first of these properties that is there; empty for none."""
        return next((value for wanted in names for name, value in self.properties if name == wanted), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationResults:
    """One header. `authserv_id` is None where the writer gave none."""

    authserv_id: str | None
    results: tuple[MethodResult, ...]
    version: int | None = None
    is_none: bool = False
    """Whether it says that no method was tried."""
    flags: tuple[str, ...] = ()
    """What was odd: `truncated`, `not_utf8`, `unsafe_characters`, `unbalanced`, `deep_comment`, `malformed`."""


def read_results(value: bytes) -> AuthenticationResults:
    """Read one Authentication-Results header, or the part of an ARC-Authentication-Results behind its instance."""
    text, flags = read_text(value)
    cut = tokenize(text)
    segments = [list(_join(segment)) for segment in _split(cut.tokens)]
    first = segments[0] if segments else []
    authserv_id, version = _read_id(first)
    said = segments[1:] if authserv_id is not None else segments
    results: list[MethodResult] = []
    is_malformed = is_none = False
    for segment in said[:MAX_RESULTS]:
        words = [atom for atom in segment if not atom.is_comment]
        found = _read_result(segment)
        if found is not None and found.result in RESULTS:
            results.append(found)
        elif found is not None and results:  # Amazon puts semicolons between properties
            extra = (found.method, found.result)
            results[-1] = replace(results[-1], properties=(*results[-1].properties, extra))
        elif [atom.text.lower() for atom in words] == ["none"]:
            is_none = True
        else:
            is_malformed = is_malformed or bool(words)
    return AuthenticationResults(
        authserv_id=authserv_id,
        version=version,
        results=tuple(results),
        is_none=is_none and not results,
        flags=(*flags, *cut.flags, *(("malformed",) if is_malformed else ())),
    )


@dataclass(slots=True)
class _Atom:
    """A word, or a name with a value; a comment where `is_comment`."""

    text: str
    key: str | None = None
    is_comment: bool = False


def _split(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Cut at the semicolons."""
    segment: list[Token] = []
    for token in tokens:
        if token.kind is Kind.SEMICOLON:
            yield segment
            segment = []
        elif token.kind is not Kind.COMMA:
            segment.append(token)
    yield segment


def _join(tokens: Sequence[Token]) -> Iterator[_Atom]:
    """Make words, comments and `name=value` of tokens; what touches belongs together. A comment comes behind its word."""
    atom: _Atom | None = None
    comments: list[_Atom] = []
    end = -1
    for token in tokens:
        if token.kind is Kind.COMMENT:
            comments.append(_Atom(token.text, is_comment=True))
            continue
        grown = _grow(atom, token, touches=token.start == end)
        end = token.end
        if grown is not None:
            atom = grown
            continue
        if atom is not None:
            yield atom
        yield from comments
        comments = []
        name, equals, value = _content(token).partition("=" if token.kind is Kind.WORD else "\0")
        atom = _Atom(value, key=name) if equals else _Atom(name)
    if atom is not None:
        yield atom
    yield from comments


def _grow(atom: _Atom | None, token: Token, *, touches: bool) -> _Atom | None:
    """The atom with one more token in it; None where the token begins another one."""
    if atom is None:
        return None
    text, is_word = _content(token), token.kind is Kind.WORD
    if atom.key is None:
        if is_word and text.startswith("="):
            return _Atom(text[1:], key=atom.text)
        joins = text in ("/", ".") or atom.text.endswith(("/", "."))
        return _Atom(atom.text + text) if (touches and "=" not in text) or (is_word and joins) else None
    starts_anew = is_word and not touches and _PAIR.match(text) is not None
    return _Atom(atom.text + text, key=atom.key) if touches or not (atom.text or starts_anew) else None


def _content(token: Token) -> str:
    if token.kind is Kind.QUOTED:
        return _ESCAPED.sub(r"\1", token.text[1:-1])
    return token.text[1:-1] if token.kind is Kind.ANGLE else token.text


def _read_id(atoms: Sequence[_Atom]) -> tuple[str | None, int | None]:
    """The authserv-id and its version, where the first segment is that and no result."""
    words = [atom for atom in atoms if not atom.is_comment]
    if not words or any(atom.key is not None for atom in words):
        return None, None
    version = words[1].text if len(words) > 1 else ""
    return words[0].text.lower(), int(version) if version.isdecimal() and len(version) < 10 else None


def _read_result(atoms: Sequence[_Atom]) -> MethodResult | None:
    """One method's result: `dkim=pass (why) reason="..." header.d=example.org`."""
    named = [(index, atom) for index, atom in enumerate(atoms) if atom.key is not None]
    if not named:
        return None
    start, head = named[0]
    method = _METHOD.fullmatch((head.key or "").lower())
    if method is None or not head.text:
        return None
    properties, reason = [], ""
    for _, atom in named[1:]:
        key = (atom.key or "").lower()
        if key == "reason":
            reason = reason or atom.text
        elif _PROPERTY.fullmatch(key) or key == "action":
            properties.append((key, atom.text))
    return MethodResult(
        method=method[1],
        result=head.text.lower(),
        version=int(method[2]) if method[2] else None,
        reason=reason,
        comment=next((atom.text for atom in atoms[start + 1 :] if atom.is_comment), ""),
        properties=tuple(properties),
    )

"""Foreign text, made fit to be shown: in a log, on a terminal, on a page.

In: text or bytes that a stranger wrote (a server's reply, a bounce's diagnostic). Out: one bounded line of
characters that can be seen. Does not escape for HTML or for Prometheus labels: whoever renders does that.
"""

from __future__ import annotations

_READ_CHARACTERS = 65536
"""More than this is not looked at, whatever the limit: the rest of a text is never its news."""

_ASCII_CONTROLS = dict.fromkeys(
    code for code in range(128) if not (chr(code).isprintable() or chr(code).isspace())
)
"""What `str.translate` drops of a text that is all ASCII."""

_INVISIBLE = frozenset(
    code
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xFFFC, 0xFFFC),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""Characters that Unicode counts as letters, marks or symbols but that draw nothing: fillers, joiners, variation
selectors (the printable ones of Default_Ignorable_Code_Point). Hidden text could be built from them.
"""


def sanitise(text: str | bytes, limit: int = 300) -> str:
    """Give `text` as one printable line of at most `limit` characters, cut with an ellipsis.

    Runs of white space become one space. Control, bidirectional, zero-width, private, unassigned and lone
    surrogate characters are dropped; bytes that are not UTF-8 show as U+FFFD. Linear in the length of the text.
    """
    if isinstance(text, bytes):
        text = text[:_READ_CHARACTERS].decode("utf-8", "replace")
    text = text[:_READ_CHARACTERS]
    if text.isascii():  # nearly every reply of every server
        line = " ".join(text.split())
        if not line.isprintable():
            line = " ".join(line.translate(_ASCII_CONTROLS).split())
    else:
        line = _read_line(text, limit)
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"[:limit]


def _read_line(text: str, limit: int) -> str:
    """Give at least so many of the characters that are kept, or all."""
    kept: list[str] = []
    for character in text:
        if len(kept) > limit + 1:
            break
        if character.isspace():
            if kept and kept[-1] != " ":
                kept.append(" ")
        elif _is_visible(character):
            kept.append(character)
    return "".join(kept).strip()


def drop_invisible(text: str) -> str:
    """Give a text of any length without the characters that `sanitise` drops. White space and line ends stay."""
    if text.isascii():
        return text if text.isprintable() else text.translate(_ASCII_CONTROLS)
    return "".join(character for character in text if character.isspace() or _is_visible(character))


def show_strange_bytes(text: str) -> str:
    """Give a text that was decoded with `surrogateescape` with U+FFFD for each byte that is not UTF-8: it is seen then."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_visible(character: str) -> bool:
    """Whether it draws something: `isprintable` leaves out the categories Cc, Cf, Cs, Co, Cn, Zl and Zp."""
    return character.isprintable() and ord(character) not in _INVISIBLE

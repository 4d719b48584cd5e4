"""Line ends and blanks of raw mail.

In: bytes as a server handed them out. Out: whether their lines end as they should, and the same bytes with single blanks.
Pure; linear.
"""

from __future__ import annotations

import re

_BLANKS = re.compile(rb"[ \t]+")


def has_only_crlf(text: bytes) -> bool:
    """Whether CR and LF come only together. The last line need not have an end."""
    return text.count(b"\r\n") == text.count(b"\n") == text.count(b"\r")


def has_whole_lines(text: bytes) -> bool:
    """Whether every line ends with CRLF, the last one too."""
    return has_only_crlf(text) and (not text or text.endswith(b"\r\n"))


def squeeze_blanks(text: bytes) -> bytes:
    """One blank for each run of blanks and tabs. Text without a run is not gone through for them: our own has none."""
    return _BLANKS.sub(b" ", text) if b"\t" in text or b"  " in text else text

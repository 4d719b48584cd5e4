"""The marks of a bounce that are the same in every language.

In: what a message says to people. Out: whether it is built as a bounce is: an address set apart on a line of its own with
what is wrong beside or below it, a status code, the reply of a server, or the message that it returns. Words are for
`phrases`; no list of them knows every language in which a server may be set up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smtp_probe.mail.syntax.mime_parts import Part

_STATUS = re.compile(r"(?<![0-9.])[45]\.[0-9]{1,2}\.[0-9]{1,3}(?![0-9.])")
_REPLY = re.compile(r"(?m)(?:^|[:;,\"'(>«„#] ?|said:? ?)[45][0-5][0-9][ -](?=\S)")
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"})
_HEADER_LINES = re.compile(r"(?mi)^(?:received|message-id|return-path|dkim-signature): \S")


def is_built_as_bounce(
    words: str, parts: Sequence[Part], recipient: str, *, with_reason: bool = False
) -> bool:
    """Whether it is about this recipient as bounces are. It still has to be by a program, over the empty path.

    A mere address on a line of its own may be one to write to: where no word tells of a failure, a reason has to stand
    beside or below it (`with_reason`).
    """
    return (
        _STATUS.search(words) is not None
        or _REPLY.search(words) is not None
        or _stands_apart(words, recipient, with_reason=with_reason)
        or any(part.media_type in _RETURNED for part in parts)
        or len(_HEADER_LINES.findall("\n".join(part.body.decode("utf-8", "replace") for part in parts[:3])))
        > 1
    )


def _stands_apart(words: str, recipient: str, *, with_reason: bool) -> bool:
    """Whether the address begins a line, alone or with a reason behind it, or ends one in brackets: no part of a sentence."""
    exact = re.escape(recipient)
    begins = rf"^[ \t|>*-]{{0,16}}(?:<{exact}>|{exact})[ \t]*(?:$|[:\uff1a;-]|\.\.\.)"
    if with_reason:
        return re.search(rf"(?m){begins}[ \t]*\n?[^\n]*[^\W\d_]{{2}}", words) is not None
    return re.search(rf"(?m){begins}|:[ \t]*<{exact}>[ \t]*$", words) is not None

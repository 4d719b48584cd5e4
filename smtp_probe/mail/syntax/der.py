"""One element of DER (X.690): its content, and what stands behind it. No more than keys and certificates need.

In: octets, as a stranger may have made them. Out: pieces of them. Raises ValueError for what is not in this form.
"""

from __future__ import annotations

INTEGER, BIT_STRING, SEQUENCE = 0x02, 0x03, 0x30
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18


def read_element(data: bytes, *tags: int) -> tuple[bytes, bytes]:
    """Give the content of the element at the front, which has one of these tags, and what follows it."""
    if len(data) < 2 or data[0] not in tags:
        raise ValueError("an element of another type stands here")
    length, start = data[1], 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or len(data) < 2 + size:
            raise ValueError("a length cannot be read")
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < start + length:
        raise ValueError("an element is cut off")
    return data[start : start + length], data[start + length :]

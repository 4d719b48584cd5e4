"""How many bits an RSA public key has: a walk through its DER, which reads nothing else of it.

In: the octets of a SubjectPublicKeyInfo, as RFC 6376 section 3.6.1 has it, or of a bare RSAPublicKey (RFC 8017 appendix
A.1.1), which verifiers take, too. Out: the length of the modulus in bits. Raises ValueError for anything else.
"""

from __future__ import annotations

_INTEGER, _BIT_STRING, _SEQUENCE = 0x02, 0x03, 0x30
_RSA = bytes.fromhex("06092a864886f70d010101")
"""The object identifier rsaEncryption with its tag and length."""


def rsa_bits(data: bytes) -> int:
    """Give the size of the modulus."""
    content, rest = _read(data, _SEQUENCE)
    if rest:
        raise ValueError("something stands behind the key")
    if content[:1] == bytes([_SEQUENCE]):
        algorithm, content = _read(content, _SEQUENCE)
        if not algorithm.startswith(_RSA):
            raise ValueError("the key is not an RSA key")
        bits, _ = _read(content, _BIT_STRING)
        if bits[:1] != b"\0":
            raise ValueError("the key has unused bits")
        content, _ = _read(bits[1:], _SEQUENCE)
    modulus, rest = _read(content, _INTEGER)
    exponent, _ = _read(rest, _INTEGER)
    size = int.from_bytes(modulus, "big").bit_length()
    if not size or not int.from_bytes(exponent, "big"):
        raise ValueError("the modulus or the exponent is zero")
    return size


def _read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Give the content of the element at the front, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("the key is not in the form that RSA keys have")
    length, start = data[1], 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or len(data) < 2 + size:
            raise ValueError("a length in the key cannot be read")
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < start + length:
        raise ValueError("the key is cut off")
    return data[start : start + length], data[start + length :]

"""An RSA public key of a DKIM record, and whether it made a signature.

In: the octets of a SubjectPublicKeyInfo, as RFC 6376 section 3.6.1 has it, or of a bare RSAPublicKey (RFC 8017 appendix
A.1.1), which verifiers take, too. Out: a key. Raises ValueError for anything else. With 2048 bits Python's own arithmetic
takes 0.12 ms; a library of cryptography, which takes 9 MB of memory, 0.014 ms. There is no secret here that time could betray. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.mail.syntax.der import BIT_STRING, INTEGER, SEQUENCE, read_element

MOST_MODULUS_BITS, MOST_EXPONENT_BITS = 16_384, 64
"""OpenSSL's bounds: a larger key would cost seconds."""
_RSA = bytes.fromhex("06092a864886f70d010101")
"""The object identifier rsaEncryption with its tag and length."""
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest that is signed (RFC 8017 section 9.2, note 1)."""
_LEAST_PADDING = 8


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The two numbers of a key."""

    modulus: int
    exponent: int

    @property
    def bits(self) -> int:
        """The size of the modulus."""
        return self.modulus.bit_length()

    def has_signed(self, digest: bytes, proof: bytes) -> bool:
        """Whether the proof is this key's signature of a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2)."""
        size = (self.bits + 7) // 8
        number = int.from_bytes(proof, "big")
        info = _DIGEST_INFO + digest
        padding = size - 3 - len(info)
        if len(proof) != size or number >= self.modulus or padding < _LEAST_PADDING:
            return False
        signed = pow(number, self.exponent, self.modulus).to_bytes(size, "big")
        return signed == b"\0\1" + b"\xff" * padding + b"\0" + info


def read_rsa_key(data: bytes) -> RsaKey:
    """Read one key."""
    try:
        numbers = _open(data)
        modulus, rest = read_element(numbers, INTEGER)
        exponent, _ = read_element(rest, INTEGER)
    except ValueError as error:
        message = f"the key is not in the form that RSA keys have: {error}"
        raise ValueError(message) from error
    key = RsaKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))
    if not key.modulus or not key.exponent:
        raise ValueError("the modulus or the exponent of the key is zero")
    if key.bits > MOST_MODULUS_BITS or key.exponent.bit_length() > MOST_EXPONENT_BITS:
        message = (
            f"the key has {key.bits} bits and an exponent of {key.exponent.bit_length()} bits: "
            f"verifiers take no more than {MOST_MODULUS_BITS} and {MOST_EXPONENT_BITS}"
        )
        raise ValueError(message)
    return key


def _open(data: bytes) -> bytes:
    """Give what holds the two numbers."""
    content, rest = read_element(data, SEQUENCE)
    if rest:
        raise ValueError("something stands behind it")
    if content[:1] != bytes([SEQUENCE]):
        return content
    algorithm, content = read_element(content, SEQUENCE)
    if not algorithm.startswith(_RSA):
        raise ValueError("it is for another algorithm")
    bits, _ = read_element(content, BIT_STRING)
    if bits[:1] != b"\0":
        raise ValueError("it has unused bits")
    return read_element(bits[1:], SEQUENCE)[0]

"""RSA keys of DKIM records: their sizes, and what they have signed, which is what OpenSSL says."""

from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.policy.dkim.rsa_key import RsaKey, read_rsa_key
from tests.policy.dkim.keys import ed25519_public, rsa_key, rsa_public, tiny_rsa_public


@pytest.mark.parametrize("bits", [1024, 2048])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_the_size_of_real_keys(bits: int, form: PublicFormat) -> None:
    assert read_rsa_key(base64.b64decode(rsa_public(bits, form))).bits == bits


@pytest.mark.parametrize("bits", [384, 512, 768, 4096, 8192])
def test_odd_sizes(bits: int) -> None:
    assert read_rsa_key(base64.b64decode(tiny_rsa_public(bits))).bits == bits


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 100])
def test_what_is_cut_off_is_no_key(cut: int) -> None:
    with pytest.raises(ValueError, match="key"):
        read_rsa_key(base64.b64decode(rsa_public())[:cut])


def test_other_octets_are_no_key() -> None:
    key = base64.b64decode(rsa_public())
    for data in (
        base64.b64decode(ed25519_public()),
        key + b"x",
        b"\x30\x80\0\0",
        key.replace(b"\x2a\x86", b"\x2a\x87"),
    ):
        with pytest.raises(ValueError, match="key"):
            read_rsa_key(data)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert read_rsa_key(data).bits > 0


DIGEST = hashlib.sha256(b"what is signed").digest()


def read(bits: int = 1024) -> RsaKey:
    return read_rsa_key(base64.b64decode(rsa_public(bits)))


def sign(digest: bytes = DIGEST, bits: int = 1024) -> bytes:
    return rsa_key(bits).sign(digest, PKCS1v15(), Prehashed(hashes.SHA256()))


def encrypt(text: bytes, bits: int = 1024) -> bytes:
    """What the key turns into this text: the private operation, without a form."""
    numbers = rsa_key(bits).private_numbers()
    value = pow(int.from_bytes(text, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(bits // 8, "big")


def openssl_takes(digest: bytes, proof: bytes, bits: int = 1024) -> bool:
    try:
        rsa_key(bits).public_key().verify(proof, digest, PKCS1v15(), Prehashed(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("bits", [1024, 1031, 2048])
def test_a_genuine_signature(bits: int) -> None:
    proof = sign(bits=bits)
    assert read(bits).has_signed(DIGEST, proof)
    assert not read(bits).has_signed(hashlib.sha256(b"another").digest(), proof)


@given(st.integers(0, 1023))
def test_no_bit_may_differ(position: int) -> None:
    proof = bytearray(sign())
    proof[position // 8] ^= 1 << position % 8
    assert not read().has_signed(DIGEST, bytes(proof))


def test_only_the_one_encoding_is_taken() -> None:
    """Whoever reads the padding loosely takes signatures that the key has not made (Bleichenbacher, 2006)."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
    without_null = bytes.fromhex("302f300b0609608648016503040201") + b"\4\x20" + DIGEST
    good = b"\0\1" + b"\xff" * (125 - len(info)) + b"\0" + info
    texts = {
        "good": good,
        "short padding, and something behind": b"\0\1" + b"\xff" * 8 + b"\0" + info + bytes(117 - len(info)),
        "another block type": b"\0\2" + good[2:],
        "padding of other octets": good[:9] + b"\xfe" + good[10:],
        "no parameters": b"\0\1" + b"\xff" * (125 - len(without_null)) + b"\0" + without_null,
        "a digest alone": b"\0\1" + b"\xff" * (125 - len(DIGEST)) + b"\0" + DIGEST,
    }
    taken = {what for what, text in texts.items() if read().has_signed(DIGEST, encrypt(text))}
    assert taken == {"good"}
    assert taken == {what for what, text in texts.items() if openssl_takes(DIGEST, encrypt(text))}


def test_a_signature_has_the_length_of_its_key_and_is_smaller() -> None:
    key, proof = read(), sign()
    larger = (int.from_bytes(proof, "big") + key.modulus).to_bytes(129, "big")
    for other in (b"", proof[:-1], b"\0" + proof, larger, larger[1:], b"\xff" * 128):
        assert not key.has_signed(DIGEST, other)


def test_a_key_too_small_for_its_digest_has_signed_nothing() -> None:
    assert not RsaKey((1 << 400) + 1, 3).has_signed(DIGEST, bytes(51))


def test_numbers_that_would_cost_seconds_are_refused() -> None:
    def integer(number: int) -> bytes:
        content = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\2\x82" + len(content).to_bytes(2, "big") + content

    for modulus, exponent in ((1 << 20_000, 3), ((1 << 2047) + 1, (1 << 80) + 1)):
        numbers = integer(modulus) + integer(exponent)
        with pytest.raises(ValueError, match="no more than 16384 and 64"):
            read_rsa_key(b"\x30\x82" + len(numbers).to_bytes(2, "big") + numbers)

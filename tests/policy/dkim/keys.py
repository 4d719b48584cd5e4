"""Keys made for tests, as records publish them."""

from __future__ import annotations

import base64
import functools

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@functools.cache
def rsa_key(bits: int = 1024) -> rsa.RSAPrivateKey:
    """A private key; made once for each size."""
    return rsa.generate_private_key(65537, bits)


def rsa_pem(bits: int = 1024) -> bytes:
    """The private key as dkimpy and OpenDKIM take it."""
    return rsa_key(bits).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def rsa_public(bits: int = 1024, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """The value of p=."""
    data = rsa_key(bits).public_key().public_bytes(Encoding.DER, form)
    return base64.b64encode(data).decode()


@functools.cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """A private key."""
    return ed25519.Ed25519PrivateKey.generate()


def ed25519_seed() -> bytes:
    """The private key as dkimpy takes it."""
    raw = ed25519_key().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw)


def ed25519_public() -> str:
    """The value of p=."""
    data = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(data).decode()


def tiny_rsa_public(bits: int) -> str:
    """The value of p= for a modulus of any size: a number that is no key, in the form of one."""

    def element(tag: int, content: bytes) -> bytes:
        size = len(content)
        length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
        return bytes([tag]) + length + content

    def integer(number: int) -> bytes:
        return element(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    key = element(0x30, integer((1 << (bits - 1)) + 1) + integer(65537))
    algorithm = element(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return base64.b64encode(element(0x30, algorithm + element(3, b"\0" + key))).decode()


def fill(record: str) -> str:
    """Put keys into a text, so that names of tests do not change with the keys."""
    for name, value in {
        "{rsa1024}": rsa_public(1024),
        "{rsa2048}": rsa_public(2048),
        "{rsa_cut}": rsa_public()[:-20],
        "{ed25519}": ed25519_public(),
        **{f"{{tiny{bits}}}": tiny_rsa_public(bits) for bits in (512, 768, 8192)},
    }.items():
        record = record.replace(name, value)
    return record

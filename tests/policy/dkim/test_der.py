"""Sizes of RSA keys."""

from __future__ import annotations

import base64
import contextlib

import pytest
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.policy.dkim.der import rsa_bits
from tests.policy.dkim.keys import ed25519_public, rsa_public, tiny_rsa_public


@pytest.mark.parametrize("bits", [1024, 2048])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_the_size_of_real_keys(bits: int, form: PublicFormat) -> None:
    assert rsa_bits(base64.b64decode(rsa_public(bits, form))) == bits


@pytest.mark.parametrize("bits", [384, 512, 768, 4096, 8192])
def test_odd_sizes(bits: int) -> None:
    assert rsa_bits(base64.b64decode(tiny_rsa_public(bits))) == bits


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 100])
def test_what_is_cut_off_is_no_key(cut: int) -> None:
    with pytest.raises(ValueError, match="key"):
        rsa_bits(base64.b64decode(rsa_public())[:cut])


def test_other_octets_are_no_key() -> None:
    key = base64.b64decode(rsa_public())
    for data in (
        base64.b64decode(ed25519_public()),
        key + b"x",
        b"\x30\x80\0\0",
        key.replace(b"\x2a\x86", b"\x2a\x87"),
    ):
        with pytest.raises(ValueError, match="key"):
            rsa_bits(data)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert rsa_bits(data) > 0

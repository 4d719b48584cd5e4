"""Assertions: signed so that another party's library would verify them, and no key told in an error."""

import datetime as dt
import hashlib
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.jwt_assertion import read_key
from tests.network.authorization_server import AuthorizationServer, decode

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "probe")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=999))
    return built.sign(key, SHA256())


def claims():
    now = ReferenceClock().now_ns() // 10**9
    return {"aud": "https://x/token", "iat": now, "exp": now + 60}


@pytest.mark.parametrize(
    ("key", "with_certificate", "algorithm"),
    [(RSA, False, "RS256"), (RSA, True, "PS256"), (P256, False, "ES256")],
)
def test_it_verifies(key, with_certificate, algorithm):
    shown = certificate(key) if with_certificate else None
    content = None if shown is None else shown.public_bytes(Encoding.PEM)
    signing = read_key(pem(key), content, "key-1")
    assertion = signing.sign(claims())
    header = json.loads(decode(assertion.split(".")[0]))

    assert AuthorizationServer(public_key=key.public_key())._verify(assertion)
    assert (header["alg"], header["kid"]) == (algorithm, "key-1")
    if shown is not None:
        digest = hashlib.sha256(shown.public_bytes(Encoding.DER)).digest()
        assert decode(header["x5t#S256"]) == digest
    assert "PRIVATE" not in repr(signing)


def test_the_key_file_of_a_service_account_names_its_key():
    content = json.dumps({"private_key": pem(RSA).decode(), "private_key_id": "abc"}).encode()

    assert read_key(content).key_id == "abc"
    assert read_key(content, key_id="other").key_id == "other"


@pytest.mark.parametrize(
    ("content", "shown", "words"),
    [
        (b"hello", None, "no private key"),
        (b"{}", None, "no private_key"),
        (b"{broken", None, "no private_key"),
        (pem(RSA, BestAvailableEncryption(b"word")), None, "without a passphrase"),
        (pem(ec.generate_private_key(ec.SECP384R1())), None, "P-256"),
        (pem(RSA), b"hello", "no certificate"),
        (pem(RSA), certificate(P256).public_bytes(Encoding.PEM), "another key"),
    ],
)
def test_what_is_no_usable_key_is_said(content, shown, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_key(content, shown)

    assert caught.value.__cause__ is None
    assert "BEGIN" not in str(caught.value)

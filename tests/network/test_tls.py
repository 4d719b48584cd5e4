"""TLS contexts, and what a handshake shows, well or badly ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from pathlib import Path

import pytest

from smtp_probe.config.settings import TlsOptions
from smtp_probe.model import TlsFacts, TlsFailure
from smtp_probe.network.tls import (
    ContextSource,
    certificate_end_ns,
    classify_tls_failure,
    client_context,
    failed_tls_facts,
    say_tls_error,
    server_name,
    shared_context,
    tls_facts,
)
from tests.network.certificates import EXPIRED_AT, GOOD_UNTIL, NAME, Certificates


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str = NAME) -> ssl.SSLObject:
    """Do a handshake in memory; raises what the client's side raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        try:
            ours.do_handshake()
        except ssl.SSLWantReadError:
            pass
        else:
            return ours
        with contextlib.suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
    raise AssertionError("the handshake does not end")


def _options(certificates: Certificates, **changes: object) -> TlsOptions:
    return TlsOptions.model_validate({"ca_file": certificates.ca_file, **changes})


def test_own_authorities_are_trusted_instead_of_the_systems(certificates: Certificates) -> None:
    facts = tls_facts(_shake_hands(client_context(_options(certificates)), certificates.good))
    assert facts.version == "TLSv1.3"
    assert facts.not_after_ns == int(GOOD_UNTIL.timestamp()) * 10**9
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(client_context(TlsOptions()), certificates.good)
    assert client_context(_options(certificates)).cert_store_stats()["x509_ca"] == 1
    assert client_context(TlsOptions()).cert_store_stats()["x509_ca"] > 10


def test_a_revocation_list_beside_the_authorities_is_heeded(certificates: Certificates) -> None:
    without, with_list = (
        _options(certificates),
        _options(certificates, ca_file=certificates.ca_file_with_list),
    )
    assert tls_facts(_shake_hands(client_context(without), certificates.revoked)).failure is None
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        _shake_hands(client_context(with_list), certificates.revoked)
    assert failed_tls_facts(caught.value).failure is TlsFailure.REVOKED
    assert tls_facts(_shake_hands(client_context(with_list), certificates.good)).failure is None


@pytest.mark.parametrize(
    ("flaw", "failure", "end"),
    [
        ("expired", TlsFailure.EXPIRED, EXPIRED_AT),
        ("not_yet_valid", TlsFailure.NOT_YET_VALID, GOOD_UNTIL),
        ("wrong_name", TlsFailure.NAME_MISMATCH, GOOD_UNTIL),
        ("unknown_issuer", TlsFailure.UNKNOWN_ISSUER, GOOD_UNTIL),
        ("self_signed", TlsFailure.SELF_SIGNED, GOOD_UNTIL),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_failed_verification_tells_cause_and_end(
    certificates: Certificates, flaw: str, failure: TlsFailure, end: object, version: ssl.TLSVersion
) -> None:
    context = client_context(_options(certificates))
    context.maximum_version = version
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        _shake_hands(context, getattr(certificates, flaw))
    expected = int(end.timestamp()) * 10**9  # type: ignore[attr-defined]
    assert failed_tls_facts(caught.value) == TlsFacts(failure=failure, not_after_ns=expected)
    wrapped = ConnectionError("wrapped")
    wrapped.__cause__ = caught.value
    assert failed_tls_facts(wrapped).failure is failure


def test_verification_off_accepts_anything_and_still_reads_the_end(certificates: Certificates) -> None:
    context = client_context(_options(certificates, verify=False))
    facts = tls_facts(_shake_hands(context, certificates.expired, "any.name.test"))
    assert facts.failure is None
    assert facts.not_after_ns == int(EXPIRED_AT.timestamp()) * 10**9


def test_minimum_version_is_held(certificates: Certificates) -> None:
    assert client_context(TlsOptions()).minimum_version is ssl.TLSVersion.TLSv1_2
    context = client_context(_options(certificates, minimum_version="1.3"))
    certificates.good.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        with pytest.raises(ssl.SSLError):
            _shake_hands(context, certificates.good)
    finally:
        certificates.good.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (9, TlsFailure.NOT_YET_VALID),
        (10, TlsFailure.EXPIRED),
        (18, TlsFailure.SELF_SIGNED),
        (19, TlsFailure.SELF_SIGNED),
        (20, TlsFailure.UNKNOWN_ISSUER),
        (21, TlsFailure.UNKNOWN_ISSUER),
        (23, TlsFailure.REVOKED),
        (62, TlsFailure.NAME_MISMATCH),
        (64, TlsFailure.NAME_MISMATCH),
        (26, TlsFailure.OTHER),
    ],
)
def test_verification_codes(code: int, failure: TlsFailure) -> None:
    error = ssl.SSLCertVerificationError(1, "verification failed")
    error.verify_code = code
    assert classify_tls_failure(error) is failure


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", TlsFailure.PROTOCOL_VERSION),
        ("UNSUPPORTED_PROTOCOL", TlsFailure.PROTOCOL_VERSION),
        ("WRONG_VERSION_NUMBER", TlsFailure.HANDSHAKE),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", TlsFailure.HANDSHAKE),
    ],
)
def test_handshake_reasons(reason: str, failure: TlsFailure) -> None:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    assert classify_tls_failure(error) is failure


def test_what_is_no_tls_error_is_other() -> None:
    assert failed_tls_facts(ConnectionResetError()) == TlsFacts(failure=TlsFailure.OTHER)


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x01", b"\xff" * 500])
def test_certificate_that_is_none_has_no_end(der: bytes) -> None:
    assert certificate_end_ns(der) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [("mail.test", "mail.test"), ("mail.test.", "mail.test"), ("[::1]", "::1"), ("192.0.2.1", "192.0.2.1")],
)
def test_server_name(host: str, expected: str) -> None:
    assert server_name(TlsOptions(), host) == expected
    assert server_name(TlsOptions(server_name="other.test"), host) == "other.test"


async def test_context_is_made_once_and_again_when_its_file_has_changed(
    certificates: Certificates, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(certificates.ca_file.read_bytes())
    source = ContextSource(TlsOptions(ca_file=path))
    first = await source.context()
    assert await source.context() is first
    os.utime(path, ns=(1, 1))
    second = await source.context()
    assert second is not first
    path.write_text("no certificate")
    assert await source.context() is second
    path.unlink()
    assert await source.context() is second


async def test_context_whose_file_cannot_be_read_is_an_error_at_first(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await ContextSource(TlsOptions(ca_file=tmp_path / "missing.pem")).context()
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(OSError):
        await ContextSource(TlsOptions(ca_file=tmp_path / "empty.pem")).context()


async def test_endpoints_with_the_same_options_share_one_context() -> None:
    options = TlsOptions(verify=False)
    first, second = shared_context(options), shared_context(TlsOptions(verify=False))
    other = shared_context(TlsOptions(verify=False, minimum_version="1.3"))
    made = await asyncio.gather(*(each.context() for each in (first, second, first)))

    assert len(set(map(id, made))) == 1
    assert await other.context() is not made[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1006)",
            "tlsv1 alert internal error",
        ),
        ("[X509] no certificate or crl found (_ssl.c:4149)", "no certificate or crl found"),
        ("unknown error (_ssl.c:1006)", "unknown error"),
        ("Application data [after] close notify", "Application data [after] close notify"),
    ],
)
def test_an_error_is_said_without_the_names_of_sources(error: str, words: str) -> None:
    assert say_tls_error(ssl.SSLError(1, error)) == words


def test_a_server_without_tls_is_called_that(certificates: Certificates) -> None:
    incoming = ssl.MemoryBIO()
    incoming.write(b"220 mail.test ESMTP\r\n")
    handshake = client_context(TlsOptions()).wrap_bio(incoming, ssl.MemoryBIO(), server_hostname="mail.test")
    with pytest.raises(ssl.SSLError) as caught:
        handshake.do_handshake()

    assert say_tls_error(caught.value).startswith("what the server says here is not TLS: ")

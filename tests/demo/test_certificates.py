from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_probe.demo.certificates import CertificateFiles, make_certificates, write_private
from smtp_probe.network.clock import ReferenceClock

NOW = datetime.fromtimestamp(ReferenceClock().now_ns() // 10**9, UTC)


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return make_certificates(tmp_path, ["a.example.test", "b.example.test"], NOW)


def _shake_hands(files: CertificateFiles, name: str) -> str | None:
    """A handshake in memory, with the strictest verification that OpenSSL has."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(files.certificate_file, files.key_file)
    client = ssl.create_default_context(cafile=files.ca_file)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (near, far, near, far):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return near.version()


@pytest.mark.parametrize("name", ["a.example.test", "b.example.test", "127.0.0.1"])
def test_every_name_verifies_against_the_authority(files: CertificateFiles, name: str) -> None:
    assert _shake_hands(files, name) == "TLSv1.3"


def test_another_name_does_not(files: CertificateFiles) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(files, "c.example.test")


def test_the_key_is_private(files: CertificateFiles) -> None:
    assert stat.S_IMODE(files.key_file.stat().st_mode) == 0o600


def test_an_open_file_is_closed_to_others_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old and longer", encoding="ascii")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

"""TLS of the HTTP server."""

import ssl

import pytest
import trustme

from smtp_probe.config.web_file import TlsServer
from smtp_probe.errors import ConfigError
from smtp_probe.report.doors.certificates import is_allowed, make_context, renewed


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    return {"cert_file": tmp_path / "cert", "key_file": tmp_path / "key"}


def test_files_and_inline_texts(files, tmp_path):
    make_context(TlsServer(**files))
    make_context(TlsServer(cert=files["cert_file"].read_text(), key=files["key_file"].read_text()))
    make_context(TlsServer(cert=files["cert_file"].read_text(), key_file=files["key_file"]))


def test_versions_suites_and_clients(files, tmp_path):
    context = make_context(
        TlsServer(
            **files,
            min_version="TLS13",
            cipher_suites=("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",),
            curve_preferences=("CurveP256",),
            client_auth_type="RequireAndVerifyClientCert",
            client_ca_file=tmp_path / "ca",
        )
    )

    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert "ECDHE-RSA-AES256-GCM-SHA384" in {cipher["name"] for cipher in context.get_ciphers()}
    assert context.get_ca_certs()


def test_a_curve_that_this_python_cannot_choose_is_told_as_such(files, monkeypatch):
    """Debian's Python 3.11.2 cannot choose X25519; others can."""

    def refuse(self, name):
        raise ssl.SSLError(129, "[EC: UNKNOWN_GROUP] unknown group")

    monkeypatch.setattr(ssl.SSLContext, "set_ecdh_curve", refuse)
    with pytest.raises(
        ConfigError, match="curve_preferences: this Python cannot have X25519 as the only curve"
    ):
        make_context(TlsServer(**files, curve_preferences=("X25519",)))


@pytest.mark.parametrize("key", ["cert_file", "key_file"])
def test_what_cannot_be_used_is_told_without_its_content(files, key):
    files[key].write_text("hunter2")
    with pytest.raises(
        ConfigError, match="tls_server_config.cert_file: certificate and key cannot be used"
    ) as caught:
        make_context(TlsServer(**files))

    assert "hunter2" not in str(caught.value)


def test_a_key_of_another_certificate(files, authority):
    authority.issue_cert("other").private_key_pem.write_to_path(files["key_file"])
    with pytest.raises(ConfigError, match="cannot be used"):
        make_context(TlsServer(**files))


def test_authorities_that_cannot_be_read(files, tmp_path):
    with pytest.raises(ConfigError, match="client_ca_file"):
        make_context(
            TlsServer(**files, client_auth_type="VerifyClientCertIfGiven", client_ca_file=tmp_path / "none")
        )


def test_each_connection_has_the_context_in_use_then(files):
    contexts = iter([make_context(TlsServer(**files)), make_context(TlsServer(**files))])
    outer = renewed(lambda: next(contexts))
    given = [outer.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True).context for _ in range(2)]

    assert given[0] is not given[1]


@pytest.mark.parametrize(
    ("names", "is_in"),
    [
        ((("DNS", "a.example"),), True),
        ((("DNS", "b.example"), ("IP Address", "2001:DB8:0:0:0:0:0:1")), True),
        ((("URI", "spiffe://x"),), True),
        ((("DNS", "A.example.evil"),), False),
        ((("IP Address", "nonsense"),), False),
        ((), False),
    ],
)
def test_names_of_clients(names, is_in):
    assert is_allowed({"subjectAltName": names}, ("a.example", "2001:db8::1", "spiffe://x")) is is_in
    assert not is_allowed(None, ("a.example",))

"""The file of --web.config.file."""

import pytest

from smtp_probe.config.web_file import CIPHERS, CURVES, load_web_config
from smtp_probe.errors import ConfigError

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"


def load(tmp_path, text):
    path = tmp_path / "web.yml"
    path.write_text(text)
    return load_web_config(path)


def test_a_whole_file_as_exporter_toolkit_has_it(tmp_path):
    config = load(
        tmp_path,
        f"""
tls_server_config:
  cert_file: server.crt
  key_file: /etc/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example.org]
  min_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [X25519]
http_server_config:
  http2: true
  headers:
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: {HASH}
rate_limit:
  interval: 1s
  burst: 10
""",
    )

    assert config.tls_server_config.cert_file == tmp_path / "server.crt"
    assert str(config.tls_server_config.key_file) == "/etc/server.key"
    assert config.basic_auth_users["alice"].get_secret_value() == HASH
    assert (config.rate_limit.interval, config.rate_limit.burst) == (1.0, 10)
    assert HASH not in repr(config)


@pytest.mark.parametrize("text", ["", "tls_server_config: {}", "rate_limit: {interval: 0}"])
def test_nothing_is_open_doors(tmp_path, text):
    config = load(tmp_path, text)

    assert not config.tls_server_config.is_enabled
    assert config.basic_auth_users == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tls_server_config: {cert_file: a}", "key_file is missing"),
        ("tls_server_config: {key_file: a}", "cert_file is missing"),
        ("tls_server_config: {cert_file: a, key_file: b, cert: x}", "not both"),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAnyClientCert}",
            "proves nothing",
        ),
        ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: Maybe}", "expected one of"),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
            "belong together",
        ),
        ("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}", "belong together"),
        (
            "tls_server_config: {client_auth_type: RequireAndVerifyClientCert, client_ca_file: c}",
            "need cert_file",
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [x]}",
            "RequireAndVerifyClientCert",
        ),
        ("tls_server_config: {cert_file: a, key_file: b, min_version: TLS10}", "TLS12"),
        ("tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}", "above"),
        (
            "tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
            "expected some of",
        ),
        ("http_server_config: {headers: {Set-Cookie: x}}", "only these headers"),
        ('http_server_config: {headers: {X-Frame-Options: "a\\r\\nb: c"}}', "cannot have"),
        ("basic_auth_users: {alice: plaintext}", "not a bcrypt hash"),
        (f"basic_auth_users: {{alice: '{HASH.replace('$10$', '$31$')}'}}", "cost"),
        ("rate_limit: {interval: -1}", "0"),
        ("rate_limits: {}", "rate_limits"),
        ("[]", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert said in str(caught.value)
    assert "web.yml:1" in str(caught.value)


def test_no_error_repeats_a_secret(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(
            tmp_path,
            "basic_auth_users: {alice: hunter2-in-the-clear}\ntls_server_config: {key: [hunter2-key]}",
        )

    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="none.yml"):
        load_web_config(tmp_path / "none.yml")


def test_every_name_is_known_to_openssl():
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(":".join(CIPHERS.values()))
    for curve in CURVES.values():
        if (
            curve != "X25519"
        ):  # which Debian's Python 3.11.2 cannot choose: see tests/report/doors/test_certificates.py
            context.set_ecdh_curve(curve)

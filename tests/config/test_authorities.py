import pytest
import trustme

from smtp_probe.config.authorities import check_authorities
from smtp_probe.config.settings import Config


def check(path):
    endpoint = {"host": "a", "tls": "implicit", "tls_options": {"ca_file": str(path)}}
    config = Config.model_validate(
        {
            "senders": {"relay": endpoint | {"ehlo_name": "b", "envelope_from": "a@b"}},
            "mailboxes": {"inbox": endpoint},
            "routes": {"daily": {"sender": "relay", "recipient": "a@b", "mailbox": "inbox"}},
        }
    )
    return list(check_authorities(config))


def test_certificates_are_accepted_with_a_comment_before_them(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(
        "# Wurzel für uns\n".encode() + trustme.CA().cert_pem.bytes() + trustme.CA().cert_pem.bytes()
    )
    assert check(path) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\x00" * 100],
)
def test_what_holds_no_certificate_is_refused_for_each_that_names_it(tmp_path, content):
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    message = f"{path} holds no certificate in PEM form"
    assert check(path) == [
        (("senders", "relay", "tls_options", "ca_file"), message),
        (("mailboxes", "inbox", "tls_options", "ca_file"), message),
    ]


def test_a_key_alone_is_no_certificate(tmp_path):
    path = tmp_path / "key.pem"
    trustme.CA().private_key_pem.write_to_path(str(path))
    assert len(check(path)) == 2


def test_a_file_that_is_not_there(tmp_path):
    assert {message for _, message in check(tmp_path / "x")} == {
        f"{tmp_path}/x cannot be read: no such file or directory"
    }

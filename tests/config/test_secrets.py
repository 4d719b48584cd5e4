import os

import pytest

from smtp_probe.config.load import load
from smtp_probe.config.secrets import check_secrets, exposed_secret_files, read_secret
from smtp_probe.config.settings import SecretSource
from smtp_probe.errors import ConfigError
from tests.config.samples import ENVIRONMENT, write_sound


def refusal(environ=None, **source):
    with pytest.raises(ConfigError) as caught:
        read_secret(SecretSource(**source), path="senders.relay.auth", environ=environ or {})
    assert "hunter2" not in repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2", "hunter2"),
        (b" a b \n", " a b "),
        ("pä\n".encode(), "pä"),
    ],
)
def test_a_file_is_read_without_its_last_line_end(tmp_path, content, secret):
    (tmp_path / "f").write_bytes(content)
    assert read_secret(SecretSource(password_file=tmp_path / "f")) == secret


def test_a_changed_file_is_picked_up(tmp_path):
    source = SecretSource(password_file=tmp_path / "f")
    for secret in ("first", "second"):
        (tmp_path / "f").write_text(secret)
        assert read_secret(source) == secret


def test_a_variable_is_read_as_it_is(monkeypatch):
    source = SecretSource(password_env="RELAY_PASSWORD")
    assert read_secret(source, environ={"RELAY_PASSWORD": "hunter2"}) == "hunter2"
    monkeypatch.setenv("RELAY_PASSWORD", "from the process")
    assert read_secret(source) == "from the process"


def test_a_credential_is_read_from_the_folder_of_systemd(tmp_path):
    (tmp_path / "relay").write_text("hunter2\n")
    source = SecretSource(password_credential="relay")
    assert read_secret(source, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"  \n", "is empty"),
        (b"hunter2\nhunter2\n", "has a line break or a control character in it: one line is expected"),
        (b"hunter2\x01", "has a line break or a control character in it: one line is expected"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (b"hunter2" * 10_000, "is larger than 65536 bytes"),
    ],
)
def test_what_cannot_be_a_secret_is_refused(tmp_path, content, reason):
    (tmp_path / "f").write_bytes(content)
    expected = f"{tmp_path}/f {reason}"
    assert refusal(password_file=tmp_path / "f") == f"senders.relay.auth.password_file: {expected}"
    credential = refusal({"CREDENTIALS_DIRECTORY": str(tmp_path)}, password_credential="f")
    assert credential == f"senders.relay.auth.password_credential: {expected}"


def test_a_file_that_is_not_there(tmp_path):
    assert refusal(password_file=tmp_path / "hunter2") == (
        f"senders.relay.auth.password_file: there is no file of this name in {tmp_path}"
    )
    assert refusal(password_file=tmp_path / "none" / "f").endswith(
        "/f cannot be read: no such file or directory"
    )


def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read: too many levels of symbolic links" in refusal(password_file=tmp_path / "loop")


def test_a_variable_that_is_not_set():
    assert refusal(password_env="RELAY") == (
        "senders.relay.auth.password_env: the environment variable RELAY is not set"
    )
    assert refusal({"RELAY": ""}, password_env="RELAY").endswith("the environment variable RELAY is empty")
    assert "not UTF-8" in refusal({"RELAY": os.fsdecode(b"hunter2\xff")}, password_env="RELAY")


def test_a_variable_whose_name_may_be_the_secret_is_not_repeated():
    assert refusal(password_env="hunter2").endswith("the environment variable named here is not set")


def test_a_credential_without_systemd():
    assert "CREDENTIALS_DIRECTORY is not set" in refusal(password_credential="hunter2")


def test_no_source_at_all():
    assert refusal() == "senders.relay.auth.password_file: no source of the secret is given"


def test_every_secret_of_a_configuration_is_tried(tmp_path):
    config = load(write_sound(tmp_path), ENVIRONMENT)
    assert list(check_secrets(config, ENVIRONMENT)) == []
    (tmp_path / "relay.password").unlink()
    assert [path for path, _ in check_secrets(config, {})] == [
        ("senders", "relay", "auth", "password_file"),
        ("mailboxes", "inbox", "auth", "password_env"),
    ]


def test_files_that_everybody_may_read_are_found(tmp_path):
    config = load(write_sound(tmp_path), ENVIRONMENT)
    secret = tmp_path / "relay.password"
    secret.chmod(0o644)
    assert exposed_secret_files(config) == [secret]
    secret.chmod(0o640)
    assert exposed_secret_files(config) == []
    secret.unlink()
    assert exposed_secret_files(config) == []

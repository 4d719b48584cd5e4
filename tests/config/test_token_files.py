"""Files of tokens: private, whole, for one process at a time, and silent about what is in them."""

import json
import os
import stat

import pytest

from smtp_probe.config.files import UnreadableFile
from smtp_probe.config.token_files import KeptTokens, TokenFile

TOKENS = KeptTokens(refresh_token="refresh-1", origin="abc", access_token="access-1", expires_ns=17)


@pytest.fixture
def file(tmp_path):
    return TokenFile(tmp_path / "credentials" / "mail.json")


def test_what_is_written_is_read(file):
    assert file.read() is None
    file.write(TOKENS)

    assert file.read() == TOKENS
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert "refresh-1" not in repr(TOKENS)
    assert "access-1" not in repr(TOKENS)


def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(file):
    file.write(TOKENS)
    file.path.chmod(0o644)

    with pytest.raises(UnreadableFile, match="chmod 600"):
        file.read()


@pytest.mark.parametrize(
    "content",
    ["", "refresh-1", "[]", "{}", '{"refresh_token": 7}', json.dumps({"refresh_token": "a", "b": 1})],
)
def test_what_was_not_written_by_us_is_refused_without_its_content(file, content):
    file.write(TOKENS)
    file.path.write_text(content)

    with pytest.raises(UnreadableFile, match="log in again") as caught:
        file.read()
    assert "refresh-1" not in str(caught.value)


def test_a_write_that_fails_leaves_the_file_as_it_was(file, monkeypatch):
    file.write(TOKENS)

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UnreadableFile, match="no space left"):
        file.write(KeptTokens(refresh_token="other"))

    assert file.read() == TOKENS
    assert [path.name for path in file.path.parent.iterdir()] == ["mail.json"]


def test_one_process_at_a_time(file):
    with file.try_lock() as is_ours, TokenFile(file.path).try_lock() as other:
        assert (is_ours, other) == (True, False)
    with file.try_lock() as is_ours:
        assert is_ours

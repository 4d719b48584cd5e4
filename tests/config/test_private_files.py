"""What nobody else may read."""

import os

import pytest

from smtp_probe.config.files import UnreadableFile
from smtp_probe.config.private_files import make_private_directory, make_private_file, refuse_others


def mode(path):
    return path.stat().st_mode & 0o777


def test_they_are_made_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private_directory(tmp_path / "a" / "state")
        make_private_file(tmp_path / "a" / "state" / "journal.db")
    finally:
        os.umask(before)

    assert mode(tmp_path / "a") == 0o700
    assert mode(tmp_path / "a" / "state") == 0o700
    assert mode(tmp_path / "a" / "state" / "journal.db") == 0o600


@pytest.mark.parametrize("bits", [0o604, 0o602, 0o644, 0o666])
def test_a_file_that_is_open_to_others_is_refused_with_what_to_do(tmp_path, bits):
    path = tmp_path / "journal.db"
    path.touch()
    path.chmod(bits)
    with pytest.raises(UnreadableFile, match=f"chmod 600 {path}"):
        make_private_file(path)


@pytest.mark.parametrize("bits", [0o701, 0o705, 0o777])
def test_so_is_a_directory(tmp_path, bits):
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(bits)
    with pytest.raises(UnreadableFile, match=f"chmod 700 {path}"):
        make_private_directory(path)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(UnreadableFile, match="cannot be looked at"):
        refuse_others(tmp_path / "none", "600")
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        make_private_file(tmp_path / "none" / "file")
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableFile, match="cannot be made"):
        make_private_directory(tmp_path / "file" / "x")

import os
import socket

import pytest

from smtp_probe.config.files import UnreadableFile, drop_newline, explain, read_bounded


def refusal(path, limit=100, **options):
    with pytest.raises(UnreadableFile) as caught:
        read_bounded(path, limit, **options)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_small_file_is_read_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert read_bounded(path, 100) == b"x" * 100
    assert refusal(path, 99) == f"{path} is larger than 99 bytes"


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path):
    assert refusal(tmp_path / "none") == f"{tmp_path}/none cannot be read: no such file or directory"
    assert refusal(tmp_path) == f"{tmp_path} is a folder"
    assert (
        refusal(tmp_path / "none" / "below")
        == f"{tmp_path}/none/below cannot be read: no such file or directory"
    )
    assert refusal(tmp_path / ("n" * 300)).endswith("file name too long")
    assert refusal(tmp_path / "a\0b") == "the name of the file has a NUL character in it"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == f"{tmp_path}/pipe is no regular file"


def test_a_socket_is_no_file(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert refusal(tmp_path / "s") == f"{tmp_path}/s is no regular file"


def test_a_device_is_read_with_its_bound_where_that_is_allowed():
    from pathlib import Path

    assert refusal(Path("/dev/zero"), 1000, regular_only=False) == "/dev/zero is larger than 1000 bytes"
    assert read_bounded(Path("/dev/null"), 10, regular_only=False) == b""


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"x\n", b"x"),
        (b"x\r\n", b"x"),
        (b"x", b"x"),
        (b"x\n\n", b"x\n"),
        (b" x ", b" x "),
        (b"\n", b""),
        (b"", b""),
    ],
)
def test_one_line_end_is_dropped(content, rest):
    assert drop_newline(content) == rest


def test_an_error_without_a_text_is_named_by_its_kind():
    assert explain(PermissionError()) == "permissionerror"

"""Sockets that systemd opened."""

import os
import socket
import subprocess
import sys

import pytest

from smtp_probe.errors import ConfigError
from smtp_probe.report.doors.activation import take_sockets

pytestmark = pytest.mark.slow


@pytest.fixture
def listening():
    """A listening socket, under a descriptor of its own that is ours to give away."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield os.dup(made.fileno()), made.getsockname()


def test_it_listens_where_systemd_does(listening):
    descriptor, name = listening
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": "42", "LISTEN_FDNAMES": "x", "PATH": "/bin"}
    (taken,) = take_sockets(environ, 42, descriptor)

    assert taken.getsockname() == name
    assert environ == {"PATH": "/bin"}
    taken.close()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no socket"),
        ({"LISTEN_FDS": "0", "LISTEN_PID": "42"}, "no socket"),
        ({"LISTEN_FDS": "x", "LISTEN_PID": "42"}, "no socket"),
        ({"LISTEN_FDS": "9999999", "LISTEN_PID": "42"}, "no socket"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "41"}, "another process"),
    ],
)
def test_what_is_not_for_us(environ, said):
    with pytest.raises(ConfigError, match=said):
        take_sockets(environ, 42)


def test_what_is_no_listening_socket(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(ConfigError, match="no socket"):
        take_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "42"}, 42, os.dup(file.fileno()))
    left, right = socket.socketpair()
    with left, right, pytest.raises(ConfigError, match="no listening"):
        take_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "42"}, 42, os.dup(left.fileno()))


def test_the_daemon_serves_on_it(tmp_path):
    """As systemd does it: the socket is descriptor 3 of a process whose id is in the environment."""
    import json
    import time
    import urllib.request

    from tests.report.samples import make_config

    tmp_path.chmod(0o700)
    config = make_config(state_directory=tmp_path / "state").model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    config["senders"]["relay"] |= {"auth": None, "host": "127.0.0.1", "port": 1}
    config["mailboxes"]["inbox"] |= {"host": "127.0.0.1", "port": 1}
    (tmp_path / "probe.yml").write_text(json.dumps(config))
    start = (
        "import os, sys; os.dup2(int(sys.argv.pop(1)), 3); os.environ['LISTEN_PID'] = str(os.getpid()); os.environ['LISTEN_FDS'] = '1';"
        "os.execv(sys.executable, [sys.executable, '-m', 'smtp_probe', 'run', '--web.systemd-socket', *sys.argv[1:]])"
    )
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", start, str(made.fileno()), f"--config.file={tmp_path / 'probe.yml'}"],
            pass_fds=(made.fileno(),),
            stderr=subprocess.PIPE,
        )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy", timeout=20) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                assert time.monotonic() < deadline, process.stderr.read()
                time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()

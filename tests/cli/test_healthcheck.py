"""The command `healthcheck` against servers that are well, that are not, and that are not there."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from smtp_probe.cli import app

ANSWERS = {
    "/well/-/healthy": (200, "smtp-probe is healthy."),
    "/well/-/ready": (503, "smtp-probe is not ready:\nmailbox inbox is not watched"),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = ANSWERS.get(self.path, (404, "nothing here"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(*arguments, **environment):
    return CliRunner().invoke(app, ["healthcheck", *arguments], env=environment)


def test_one_that_is_well(url):
    result = run("--url", f"{url}/well/")

    assert (result.exit_code, result.stdout) == (0, "smtp-probe is healthy.\n")


def test_the_address_comes_from_the_environment_and_no_proxy_is_asked(url):
    result = run(SMTP_PROBE_HEALTHCHECK_URL=f"{url}/well", http_proxy="http://127.0.0.1:1")

    assert result.exit_code == 0


def test_one_that_is_not_ready_says_why(url):
    result = run("--url", f"{url}/well", "--ready")

    assert result.exit_code == 1
    assert "mailbox inbox is not watched" in result.stderr


def test_an_answer_of_something_else(url):
    assert run("--url", url).exit_code == 1


def test_one_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 1
    assert result.stderr == (
        f"http://127.0.0.1:{port}: connection refused: no daemon listens there (--url says where it does)\n"
    )


def test_one_that_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.2")

    assert result.exit_code == 1
    assert "no answer in time (--timeout)" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:10925", "http://"])
def test_what_is_no_address(url):
    result = run("--url", url)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr

"""The command `healthcheck` against servers that are well, that are not, and that are not there."""

import asyncio
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import bcrypt
import pytest
import trustme
from typer.testing import CliRunner

from smtp_probe.cli import app
from tests.report.web.stage import Stage

ANSWERS = {
    "/well/-/healthy": (200, "smtp-probe is healthy."),
    "/well/-/ready": (503, "smtp-probe is not ready:\nmailbox inbox is not watched"),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = ANSWERS.get(self.path, (404, "nothing here"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", text)
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


@pytest.mark.slow
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


@pytest.fixture
async def shut(tmp_path):
    """The real server behind a door that wants a certificate of ours, and a user."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca")
    for name, issued in (
        ("server", authority.issue_cert("localhost")),
        ("client", authority.issue_cert("us")),
    ):
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.crt")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    (tmp_path / "right").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    door = {
        "tls_server_config": {
            "cert_file": "server.crt", "key_file": "server.key",
            "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "ca",
        },
        "basic_auth_users": {"us": bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()},
    }  # fmt: skip
    (tmp_path / "web.yml").write_text(json.dumps(door))
    stage = await Stage.build("empty", tmp_path)
    async with stage.serve(web_config_file=tmp_path / "web.yml") as address:
        yield f"https://localhost:{address.rpartition(':')[2]}"


async def test_one_behind_a_door_of_certificates_and_users(shut, tmp_path):
    keys = {
        f"SMTP_PROBE_HEALTHCHECK_{name}": str(tmp_path / file)
        for name, file in {"CA_FILE": "ca", "CERT_FILE": "client.crt", "KEY_FILE": "client.key"}.items()
    }

    async def ask(*arguments, **environment):
        return await asyncio.to_thread(run, "--url", shut, *arguments, **environment)

    let_in = await ask("--username", "us", "--password-file", str(tmp_path / "right"), **keys)
    assert (let_in.exit_code, let_in.stdout) == (0, "smtp-probe is healthy.\n")
    for known in ([], ["--username", "us", "--password-file", str(tmp_path / "wrong")]):
        refused = await ask(*known, **keys)
        assert refused.exit_code == 1
        assert refused.stderr == (
            f"{shut}: it wants a user and a password that it knows (--username, --password-file)\n"
        )
    assert (await ask(SMTP_PROBE_HEALTHCHECK_CA_FILE=keys["SMTP_PROBE_HEALTHCHECK_CA_FILE"])).exit_code == 1


@pytest.mark.parametrize(
    ("flag", "other"),
    [("--username", "--password-file"), ("--password-file", "--username"), ("--key-file", "--cert-file")],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_half_a_login_or_certificate_is_a_mistake(flag, other, by_environment, url):
    variable = "SMTP_PROBE_HEALTHCHECK_" + flag[2:].replace("-", "_").upper()
    given = {variable: "us"} if by_environment else {}
    result = run("--url", f"{url}/well", *([] if by_environment else [flag, "us"]), **given)

    assert (result.exit_code, result.stdout) == (2, "")
    said = " ".join(result.stderr.replace("│", " ").split())  # without the frame
    assert f"{flag}: it needs {other} as well" in said


@pytest.mark.parametrize("flag", ["--ca-file", "--cert-file", "--password-file"])
@pytest.mark.parametrize(("content", "said"), [(None, "no such file"), ("\0", "no certificate in PEM form")])
def test_a_file_that_cannot_be_used_is_named(flag, content, said, tmp_path, url):
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    user = ["--username", "us"] if flag == "--password-file" else []
    result = run("--url", f"{url}/well", *user, flag, str(path))

    if content is not None and flag == "--password-file":
        assert result.exit_code == 0  # whatever is in it is the password
        return
    assert result.exit_code == 1
    assert str(path) in result.stderr
    assert said in result.stderr


def test_a_login_goes_to_no_other_server(url, tmp_path):
    (tmp_path / "password").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        ANSWERS["/led/-/healthy"] = (302, f"http://127.0.0.1:{elsewhere.getsockname()[1]}/")
        asked = []

        def answer():
            connection, _ = elsewhere.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        listening = threading.Thread(target=answer)
        listening.start()
        run("--url", f"{url}/led", "--username", "us", "--password-file", str(tmp_path / "password"))
        listening.join(5)

    assert asked
    assert b"authorization" not in asked[0].lower()

"""The command `login`, against a server that gives tokens and one that does not."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.config.samples import SOUND, write_sound
from tests.network.authorization_server import CLIENT_SECRET, AuthorizationServer
from tests.network.certificates import Certificates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(certificates):
    with AuthorizationServer().in_thread("127.0.0.1", 0, certificates.good) as running:
        yield running


def configure(folder: Path, certificates: Certificates, port: int, **changes: object) -> Path:
    (folder / "client.secret").write_text(CLIENT_SECRET)
    credential = {
        "grant": "device_code",
        "token_url": f"https://127.0.0.1:{port}/token",
        "device_authorization_url": f"https://127.0.0.1:{port}/device",
        "client_id": "smtp-probe",
        "client_secret": {"password_file": "client.secret"},
        "ca_file": str(certificates.ca_file),
        **changes,
    }
    credentials = {"mail": {key: value for key, value in credential.items() if value is not None}}
    text = f"{SOUND}state_directory: state\ncredentials: {json.dumps(credentials)}\n"
    return write_sound(folder, text)


def log_in(config: Path, name: str = "mail") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smtp_probe", "login", name, f"--config.file={config}"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_a_person_agrees_and_the_tokens_are_kept(server, certificates, tmp_path):
    server.device_answers = ["authorization_pending"]
    done = log_in(configure(tmp_path, certificates, server.port))
    file = tmp_path / "state" / "credentials" / "mail.json"
    kept = json.loads(file.read_text())

    assert (done.returncode, done.stderr) == (0, "")
    assert "Open https://login.test/device in a browser" in done.stdout
    assert "WDJB-MJHT" in done.stdout
    assert f"kept in {file}" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept["access_token"] in server.active
    assert server.refresh_tokens[kept["refresh_token"]]
    assert not any(token in done.stdout + done.stderr for token in (*server.issued, CLIENT_SECRET))


def test_a_grant_without_a_person_shows_that_it_works(server, certificates, tmp_path):
    done = log_in(configure(tmp_path, certificates, server.port, grant="client_credentials"))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "mail: access token had, good for 60 min; nothing has to be kept\n"


def browse(config, certificates):
    """Log in, and be the browser: follow the address to the server, and back to where it sends us."""
    command = [sys.executable, "-m", "smtp_probe", "login", "mail", f"--config.file={config}"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    context = ssl.create_default_context(cafile=certificates.ca_file)
    with urllib.request.urlopen(lines[2].strip(), context=context, timeout=20) as page:
        shown = page.read().decode()
    out, errors = process.communicate(timeout=30)
    return process.returncode, "".join(lines) + out, errors, shown


def by_browser(certificates, folder, port):
    url = f"https://127.0.0.1:{port}/authorize?tenant=x"
    changes = {"grant": "authorization_code", "device_authorization_url": None, "authorization_url": url}
    return configure(folder, certificates, port, **changes)


def test_a_person_agrees_in_a_browser_on_this_machine(server, certificates, tmp_path):
    code, out, errors, shown = browse(by_browser(certificates, tmp_path, server.port), certificates)
    kept = json.loads((tmp_path / "state" / "credentials" / "mail.json").read_text())

    assert (code, errors) == (0, "")
    assert "has the consent" in shown
    assert server.refresh_tokens[kept["refresh_token"]]
    assert not any(token in out for token in (*server.issued, CLIENT_SECRET))
    assert server.requests[-1].form["code_verifier"] not in out


def test_a_person_who_does_not_agree_is_believed(server, certificates, tmp_path):
    server.consents = False
    code, _, errors, shown = browse(by_browser(certificates, tmp_path, server.port), certificates)

    assert (code, errors) == (1, 'mail: there is no valid grant: the server says "access_denied"\n')
    assert "not given" in shown


def test_a_refusal_is_told_by_its_cause(server, certificates, tmp_path):
    server.device_answers = ["access_denied"]
    done = log_in(configure(tmp_path, certificates, server.port))

    assert (done.returncode, done.stderr) == (
        1,
        'mail: there is no valid grant: the server says "access_denied"\n',
    )


def test_what_is_not_reached_or_missing_or_unknown(server, certificates, tmp_path):
    nowhere = log_in(configure(tmp_path, certificates, 1))
    unknown = log_in(configure(tmp_path, certificates, server.port), "nobody")
    (tmp_path / "state" / "credentials").chmod(0o755)
    exposed = log_in(configure(tmp_path, certificates, server.port))

    assert nowhere.returncode == 3
    assert "mail: the authorization server was not reached: " in nowhere.stderr
    assert (unknown.returncode, exposed.returncode) == (2, 2)
    assert "there is no credential 'nobody': choose one of mail" in unknown.stderr
    assert "chmod 700" in exposed.stderr

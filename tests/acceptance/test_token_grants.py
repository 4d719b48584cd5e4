"""What each grant gives is good at real servers by both mechanisms: `login` is run as a person runs it, then probes are sent and found.

A person's tokens (device flow) are for probe1, a client's own (client credentials) for probe2.
"""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from tests.acceptance.commands import read_lines, run_command
from tests.acceptance.daemon import account, route, write_config
from tests.lab import MailLab
from tests.network.authorization_server import CLIENT_SECRET, DEVICE_GRANT, AuthorizationServer

pytestmark = pytest.mark.lab

USERS = {"person": "probe1", "client": "probe2"}


@pytest.fixture(scope="module")
def server(lab: MailLab):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(lab.certificate("good"))
    host = lab.imap.host
    with AuthorizationServer(client_user=USERS["client"]).in_thread(host, 0, tls) as running:
        lab.layout.path("control", "authorization_server").write_text(running.url("/introspect", host))
        yield running


def configure(lab: MailLab, server: AuthorizationServer, work: Path, submission: str, imap: str) -> Path:
    """One route for each grant, whose sender logs in by one mechanism and whose mailbox by another."""
    (work / "client.secret").write_text(CLIENT_SECRET)
    asked = {
        "token_url": server.url("/token", lab.imap.host),
        "client_id": "smtp-probe",
        "client_secret": {"password_file": "client.secret"},
        "ca_file": str(lab.ca_file),
    }
    device = server.url("/device", lab.imap.host)
    routes = {name: route(user, user, sender=name) for name, user in USERS.items()}
    data = json.loads(write_config(lab, work, routes).read_text())
    data["credentials"] = {
        "person": {"grant": "device_code", "device_authorization_url": device, **asked},
        "client": {"grant": "client_credentials", **asked},
    }
    submit = data["senders"].pop("submit")
    for name, user in USERS.items():
        login = {"username": user, "oauth": name}
        address = f"{user}@example.test"
        data["senders"][name] = {
            **submit,
            "envelope_from": address,
            "auth": {**login, "mechanism": submission},
        }
        data["mailboxes"][user] = {**account(lab, user), "auth": {**login, "mechanism": imap}}
    config = work / f"{submission}-{imap}.yaml"
    config.write_text(json.dumps(data))
    return config


def ends(config: Path, *names: str) -> dict[str, str]:
    """How a probe of each route ends."""
    shown = [read_lines(run_command(config, "probe", name, "--json"), "route")[name] for name in names]
    return {each["route"]: each["outcome"] for each in shown}


def grants(server: AuthorizationServer) -> list[str]:
    return [each.form["grant_type"] for each in server.requests if each.path == "/token"]


def test_a_person_s_and_a_client_s_tokens_open_submission_and_mailbox_by_either_mechanism(
    lab, server, tmp_path
):
    tmp_path.chmod(0o700)
    crossed = configure(lab, server, tmp_path, "oauthbearer", "xoauth2")
    straight = configure(lab, server, tmp_path, "xoauth2", "oauthbearer")
    missing = run_command(crossed, "login-test", "--json")
    assert missing.returncode == 1
    assert (
        "we have nothing to log in with: person: nobody has logged in yet: run smtp-probe login with its name"
        in missing.stdout
    )
    server.device_answers = ["authorization_pending"]
    logged_in = run_command(crossed, "login", "person")
    assert (logged_in.returncode, logged_in.stderr) == (0, "")
    assert "WDJB-MJHT" in logged_in.stdout
    assert grants(server).count(DEVICE_GRANT) == 2

    shown = read_lines(run_command(crossed, "login-test", "--json"), "name")
    assert {name for name, each in shown.items() if each["well"]} == {*USERS, *USERS.values()}
    for config in (crossed, straight):
        assert ends(config, *USERS) == dict.fromkeys(USERS, "delivered")

    submitted, read = lab.log_file("mail").read_text(), lab.log_file("dovecot").read_text()
    for user in USERS.values():
        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            assert f"sasl_method={mechanism}, sasl_username={user}" in submitted
            assert f"user=<{user}>, method={mechanism}," in read
    assert "client_credentials" in grants(server)


def test_a_person_s_token_that_has_ended_is_renewed_without_the_person(lab, server, tmp_path):
    tmp_path.chmod(0o700)
    config = configure(lab, server, tmp_path, "oauthbearer", "xoauth2")
    server.lifetime = 0.5
    assert run_command(config, "login", "person").returncode == 0
    kept = json.loads((tmp_path / "state" / "credentials" / "person.json").read_text())
    server.lifetime = 3600.0
    before = len(grants(server))

    assert ends(config, "person") == {"person": "delivered"}
    assert grants(server)[before:] == ["refresh_token"]
    assert server.refresh_tokens[kept["refresh_token"]] is False  # used, and another had in its place

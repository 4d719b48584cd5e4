"""Tokens from an authorization server, for submission (Postfix, by Dovecot's SASL) and for IMAP: through expiry and revocation."""

from __future__ import annotations

import json
import ssl
import stat

import pytest

from smtp_probe.network.clock import ReferenceClock
from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab import MailLab
from tests.network.authorization_server import CLIENT_SECRET, AuthorizationServer

pytestmark = pytest.mark.lab

LIFETIME = 8.0
REFRESHES = "smtp_probe_credential_refreshes_total"


@pytest.fixture(scope="module")
def server(lab: MailLab):
    """An authorization server that Dovecot asks about each token (RFC 7662), by way of the lab's own service."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(lab.certificate("good"))
    host = lab.imap.host
    with AuthorizationServer(lifetime=LIFETIME).in_thread(host, 0, tls) as running:
        lab.layout.path("control", "authorization_server").write_text(running.url("/introspect", host))
        yield running


@pytest.fixture(scope="module")
def first_token(server, tmp_path_factory):
    file = tmp_path_factory.mktemp("first") / "token"
    file.write_text(server.issue_refresh_token())
    return file


@pytest.fixture(scope="module")
def daemon(lab, server, first_token, tmp_path_factory):
    work = tmp_path_factory.mktemp("oauth")
    (work / "client.secret").write_text(CLIENT_SECRET)
    config = write_config(lab, work, {"tokens": route("probe1", "probe1", interval=1)})
    data = json.loads(config.read_text())
    data["credentials"] = {
        "account": {
            "grant": "refresh_token",
            "token_url": server.url("/token", lab.imap.host),
            "client_id": "smtp-probe",
            "client_secret": {"password_file": "client.secret"},
            "refresh_token": {"password_file": str(first_token)},
            "ca_file": str(lab.ca_file),
        }
    }
    login = {"username": "probe1", "oauth": "account"}
    data["senders"]["submit"]["auth"] = {**login, "mechanism": "xoauth2"}
    data["mailboxes"]["probe1"]["auth"] = {**login, "mechanism": "oauthbearer"}
    config.write_text(json.dumps(data))
    with Daemon(config) as running:
        yield running


def left_seconds(daemon):
    expiry = daemon.value("smtp_probe_credential_expiry_timestamp_seconds", credential="account")
    return expiry - ReferenceClock().now_ns() / 1e9


def restart_dovecot(lab):
    lab.stop_part("dovecot")
    lab.start_part("dovecot")


def renewed(daemon):
    return daemon.value(REFRESHES, credential="account", result="renewed")


def test_mail_goes_on_while_one_token_after_the_other_expires(daemon, lab, server):
    daemon.wait_until(lambda: renewed(daemon) >= 3, "two tokens to be replaced", 40)
    restart_dovecot(lab)
    daemon.wait_until(daemon.is_ready, "the mailbox to be opened with a later token")
    more = daemon.outcomes()["delivered"] + 2
    daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= more, "deliveries")
    expiry = daemon.value("smtp_probe_credential_expiry_timestamp_seconds", credential="account")

    assert daemon.value("smtp_probe_probe_failures_total", reason="overdue") == 0
    assert expiry > daemon.value("smtp_probe_last_success_timestamp_seconds")
    assert len({request.form["refresh_token"] for request in server.requests}) == len(server.requests)
    assert "sasl_method=XOAUTH2, sasl_username=probe1" in lab.log_file("mail").read_text()
    assert "user=<probe1>, method=OAUTHBEARER," in lab.log_file("dovecot").read_text()


def test_a_revoked_consent_is_told_and_no_mail_is_lost_by_it(daemon, server, first_token):
    server.refresh_tokens.clear()
    daemon.wait_until(
        lambda: daemon.value("smtp_probe_unobserved_total", reason="credential") >= 1,
        "a probe for which there is no token", 40,
    )  # fmt: skip

    assert daemon.value(REFRESHES, credential="account", result="invalid_grant") >= 1
    assert daemon.log.read_text().count(r"no access token: the server says \"invalid_grant\"") == 1
    assert daemon.value("smtp_probe_probe_failures_total") == 0
    before = renewed(daemon)
    first_token.write_text(server.issue_refresh_token())
    daemon.wait_until(lambda: renewed(daemon) > before, "the new consent to be found", 20)
    more = daemon.outcomes()["delivered"] + 1
    daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= more, "deliveries again")
    assert daemon.log.read_text().count("access tokens are had again") == 1
    assert set(daemon.outcomes()) <= {"delivered", "late"}


def test_a_token_that_is_revoked_is_had_anew_once_and_a_revoked_consent_is_not_asked_for_again_and_again(
    daemon, lab, server
):
    """Dovecot asks about each token, for submission and for IMAP, and refuses what an administrator has revoked."""
    server.lifetime = 60.0
    unobserved = lambda: daemon.value("smtp_probe_unobserved_total", reason="credential")  # noqa: E731
    daemon.wait_until(lambda: left_seconds(daemon) > 30, "a token that is good for a minute", 20)
    daemon.wait_until(lambda: left_seconds(daemon) < 53, "the token not to be new any more", 20)
    before, asked, seen = renewed(daemon), len(server.requests), unobserved()
    server.active.clear()
    daemon.wait_until(lambda: renewed(daemon) > before, "another token", 30)
    more = daemon.outcomes()["delivered"] + 2
    daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= more, "deliveries")
    assert daemon.value(REFRESHES, credential="account", result="revoked") == 1
    assert len(server.requests) == asked + 1
    assert unobserved() <= seen + 1  # the one whose login was refused
    assert daemon.value("smtp_probe_probe_failures_total") == 0
    assert "refused the access token before its end" in daemon.log.read_text()

    server.active.clear()
    restart_dovecot(lab)  # so that IMAP, too, is asked for a token, and is refused the one that is held
    daemon.wait_until(lambda: renewed(daemon) > before + 1, "another token", 30)
    daemon.wait_until(daemon.is_ready, "the mailbox to be opened with it")

    daemon.wait_until(lambda: left_seconds(daemon) < 53, "the token not to be new any more", 20)
    seen, asked = unobserved(), len(server.requests)
    server.revoke_all()
    daemon.wait_until(lambda: unobserved() >= seen + 4, "probes for which there is no token", 30)
    assert daemon.value(REFRESHES, credential="account", result="revoked") >= 3
    assert daemon.value(REFRESHES, credential="account", result="invalid_grant") >= 2
    assert len(server.requests) <= asked + 3  # after five seconds, ten, twenty: not for each probe
    assert daemon.value("smtp_probe_probe_failures_total", reason="refused") == 0
    restart_dovecot(lab)
    daemon.wait_until(lambda: not daemon.is_ready(), "the mailbox to be out of view", 20)


def test_the_tokens_are_nowhere_but_in_their_file(daemon, server):
    state = daemon.config.parent / "state"
    file = state / "credentials" / "account.json"
    shown = daemon.log.read_bytes()
    for path in ("/", "/metrics", "/config", "/routes/tokens", "/api/v1/routes"):
        shown += daemon.get(path)[1].encode()
    for journal in state.glob("journal.db*"):
        shown += journal.read_bytes()

    assert len(server.issued) > 8
    assert [token for token in (*server.issued, CLIENT_SECRET) if token.encode() in shown] == []
    assert json.loads(file.read_text())["refresh_token"] in server.issued
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

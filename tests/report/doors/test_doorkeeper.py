"""The doors, over real sockets."""

import base64
import json
import logging
import re
import ssl

import aiohttp
import bcrypt
import pytest
import trustme

from smtp_probe.errors import ConfigError
from smtp_probe.report.http import WebServer
from tests.report.web.stage import Stage

HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def stage(tmp_path):
    return await Stage.build("empty", tmp_path)


def write(tmp_path, **sections):
    path = tmp_path / "web.yml"
    path.write_text(json.dumps(sections))
    return path


def issue(authority, tmp_path, name="localhost"):
    issued = authority.issue_cert(name, "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    return issued


def trusting(authority, client=None):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    return aiohttp.TCPConnector(ssl=context)


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


async def ask(url, connector=None, auth=None, path="/-/healthy", method="GET"):
    headers = {"Authorization": auth} if auth is not None else {}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        session.request(method, url + path) as response,
    ):
        return response.status, response.headers, await response.text()


def everywhere(stage):
    """Every path that the server knows, by method, and one that it does not."""
    routes = WebServer(stage.application, ["127.0.0.1:0"])._routes().router.routes()
    known = {(each.method, each.resource.canonical) for each in routes if each.method != "HEAD"}
    assert len(known) > 20
    return [("GET", "/nothing"), *sorted((method, re.sub(r"\{\w+\}", "x", path)) for method, path in known)]


async def test_no_path_is_without_a_door(stage, tmp_path):
    path = write(tmp_path, basic_auth_users={"alice": HASH})
    async with stage.serve(web_config_file=path) as address:
        for method, each in everywhere(stage):
            status, headers, text = await ask(f"http://{address}", path=each, method=method)
            assert (status, text) == (401, "Unauthorized\n")
            assert headers["WWW-Authenticate"].startswith("Basic ")
        status, _, _ = await ask(f"http://{address}", auth=basic("alice", "right"))
        assert status == 200
        status, _, _ = await ask(f"http://{address}", auth=basic("alice", "wrong"))
        assert status == 401


async def test_users_are_changed_without_a_restart_and_a_mistake_changes_nothing(stage, tmp_path, caplog):
    path = write(tmp_path, basic_auth_users={"alice": HASH})
    right = basic("alice", "right")
    async with stage.serve(web_config_file=path) as address:
        path.write_text("basic_auth_users: {alice: plaintext-by-mistake}")
        assert (await ask(f"http://{address}", auth=right))[0] == 200
        assert (await ask(f"http://{address}"))[0] == 401
        assert "not taken over" in caplog.text
        assert "plaintext-by-mistake" not in caplog.text
        caplog.set_level(logging.INFO)
        write(tmp_path, basic_auth_users={"bob": HASH})
        assert (await ask(f"http://{address}", auth=right))[0] == 401
        assert (await ask(f"http://{address}", auth=basic("bob", "right")))[0] == 200


async def test_a_file_with_a_mistake_does_not_start(stage, tmp_path):
    with pytest.raises(ConfigError, match="not a bcrypt hash"):
        async with stage.serve(web_config_file=write(tmp_path, basic_auth_users={"alice": "x"})):
            pass


async def test_tls_with_a_certificate_that_is_renewed_under_way(stage, tmp_path, authority):
    issue(authority, tmp_path)
    path = write(tmp_path, tls_server_config={"cert_file": "cert", "key_file": "key"})
    async with stage.serve(web_config_file=path) as address:
        assert (await ask(f"https://{address}", trusting(authority)))[0] == 200
        other = trustme.CA()
        issue(other, tmp_path)
        assert (await ask(f"https://{address}", trusting(other)))[0] == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(f"https://{address}", trusting(authority))
        (tmp_path / "key").write_text("broken")
        assert (await ask(f"https://{address}", trusting(other)))[0] == 200
        with pytest.raises(aiohttp.ClientError):
            await ask(f"http://{address}")


@pytest.mark.parametrize("kind", ["RequireAndVerifyClientCert", "VerifyClientCertIfGiven"])
async def test_clients_with_certificates(stage, tmp_path, authority, kind):
    issue(authority, tmp_path)
    tls = {"cert_file": "cert", "key_file": "key", "client_ca_file": "ca", "client_auth_type": kind}
    async with stage.serve(web_config_file=write(tmp_path, tls_server_config=tls)) as address:
        url, client = f"https://{address}", authority.issue_cert("prometheus.example.org")
        assert (await ask(url, trusting(authority, client)))[0] == 200
        with pytest.raises((aiohttp.ClientError, ConnectionError, ssl.SSLError)):
            await ask(url, trusting(authority, trustme.CA().issue_cert("prometheus.example.org")))
        if kind == "RequireAndVerifyClientCert":
            with pytest.raises((aiohttp.ClientError, ConnectionError, ssl.SSLError)):
                await ask(url, trusting(authority))
        else:
            assert (await ask(url, trusting(authority)))[0] == 200


async def test_only_clients_of_these_names(stage, tmp_path, authority):
    issue(authority, tmp_path)
    tls = {
        "cert_file": "cert", "key_file": "key", "client_ca_file": "ca",
        "client_auth_type": "RequireAndVerifyClientCert", "client_allowed_sans": ["prometheus.example.org"],
    }  # fmt: skip
    async with stage.serve(web_config_file=write(tmp_path, tls_server_config=tls)) as address:
        for name, status in (("prometheus.example.org", 200), ("evil.example.org", 403)):
            connector = trusting(authority, authority.issue_cert(name))
            assert (await ask(f"https://{address}", connector))[0] == status


async def test_headers_of_the_file_come_instead_of_ours(stage, tmp_path):
    headers = {
        "Strict-Transport-Security": "max-age=60",
        "X-Frame-Options": "sameorigin",
        "Content-Security-Policy": "",
    }
    path = write(tmp_path, http_server_config={"headers": headers})
    async with stage.serve(web_config_file=path) as address:
        _, got, _ = await ask(f"http://{address}", path="/")

    assert got["Strict-Transport-Security"] == "max-age=60"
    assert got["X-Frame-Options"] == "sameorigin"
    assert got["Content-Security-Policy"].startswith("default-src 'none'")


async def test_so_many_requests_and_no_more(stage, tmp_path):
    path = write(tmp_path, rate_limit={"interval": "1h", "burst": 3})
    async with stage.serve(web_config_file=path) as address:
        answers = [await ask(f"http://{address}") for _ in range(5)]

    assert [status for status, _, _ in answers] == [200] * 3 + [429] * 2
    assert int(answers[-1][1]["Retry-After"]) > 3000


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(stage, tmp_path):
    path = write(tmp_path, client_rate_limit={"interval": "1h", "burst": 2})
    async with stage.serve(web_config_file=path) as address:
        answers = [await ask(f"http://{address}") for _ in range(3)]

    assert [status for status, *_ in answers] == [200, 200, 429]

"""No secret leaves the process: planted in every source, quoted back by hostile servers, looked for in every output."""

import asyncio
import base64
import json
import os
import sqlite3
import ssl
import sys

import aiohttp
import bcrypt
import pytest
import trustme
from aiohttp import web

from tests.acceptance.daemon import free_port
from tests.network.authorization_server import AuthorizationServer
from tests.network.hostile_smtp import HostileSmtp

pytestmark = pytest.mark.slow

SMTP_SECRET, IMAP_SECRET, WEB_SECRET = "planted-smtp-Zq7", "planted-imap-Wk3", "planted-web-Xv9"
TAG_SECRET = "planted-tag-key-0123456789abcdef0123"
PAGES = ("/", "/routes/example", "/config", "/domains", "/feed.atom", "/metrics", "/api/v1/overview", "/api/v1/config",
         "/api/v1/routes/example", "/api/v1/changes", "/-/ready", "/badge/example.svg", "/nothing")  # fmt: skip


def forms(secret):
    """The secret as it travels: plain, in base64 alone and as SASL PLAIN and Basic have it."""
    plain = secret.encode()
    wholes = (plain, b"\0probe\0" + plain, b"probe:" + plain, b"alice:" + plain)
    return [secret, *(base64.b64encode(each).decode() for each in wholes)]


class QuotingImap:
    """Says the password back in every way in which a server can, each time another one."""

    def __init__(self, secret=IMAP_SECRET, mechanism="PLAIN"):
        self.logins = 0
        self._secret = secret.encode()
        self._offer = f"[CAPABILITY IMAP4rev1 SASL-IR AUTH={mechanism}]".encode()

    async def serve(self, reader, writer):
        try:
            writer.write(b"* OK " + self._offer + b" hello " + self._secret + b"\r\n")
            while line := await reader.readline():
                tag, _, rest = line.rstrip(b"\r\n").partition(b" ")
                if rest.upper().startswith((b"LOGIN", b"AUTHENTICATE")):
                    self.logins += 1
                    await self._refuse(tag, rest, reader, writer)
                    break
                writer.write(b"* " + self._offer[1:-1] + b"\r\n" + tag + b" OK done\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _refuse(self, tag, rest, reader, writer):
        if rest.upper().startswith(b"AUTHENTICATE") and len(rest.split()) == 2:
            writer.write(b"+ \r\n")
            rest += b" " + await reader.readline()
        quoted = rest.strip() + b" " + self._secret
        answers = (
            tag + b" NO [AUTHENTICATIONFAILED] you said " + quoted + b"\r\n",
            tag + b" BAD " + quoted + b"\r\n",
            b"* BYE " + quoted + b"\r\n",
            b"* " + quoted + b" {99999999}\r\n",
            quoted + b"\r\n" * 3,
            b"* OK " + quoted * 20_000 + b"\r\n",
        )
        writer.write(answers[self.logins % len(answers)])
        await writer.drain()


def write_files(tmp_path, smtp_port, imap_port, authority):
    issued = authority.issue_cert("localhost", "127.0.0.1")
    key = issued.private_key_pem.bytes().decode()
    (tmp_path / "imap").write_text(IMAP_SECRET)
    (tmp_path / "tag").write_text(TAG_SECRET)
    (tmp_path / "tag").chmod(0o600)
    hashed = bcrypt.hashpw(WEB_SECRET.encode(), bcrypt.gensalt(4)).decode()
    tls = {"cert": issued.cert_chain_pems[0].bytes().decode(), "key": key}
    (tmp_path / "web.yml").write_text(
        json.dumps({"tls_server_config": tls, "basic_auth_users": {"alice": hashed}})
    )
    login = {"username": "probe", "mechanism": "plain"}
    clear = {"host": "127.0.0.1", "tls": "none", "allow_credentials_without_tls": True}
    config = {
        "state_directory": str(tmp_path / "state"),
        "tag_key_files": [str(tmp_path / "tag")],
        "schedule": {"minimum_interval": 0.3, "backoff_minimum": 0.3, "backoff_maximum": 0.3},
        "senders": {"relay": {**clear, "port": smtp_port, "ehlo_name": "probe.example.net", "max_per_minute": 600,
                              "envelope_from": "probe@example.net", "auth": {**login, "password_env": "PLANTED"}}},
        "mailboxes": {"inbox": {**clear, "port": imap_port, "auth": {**login, "password_file": str(tmp_path / "imap")},
                                "timeouts": {"reconnect_minimum": 0.1, "reconnect_maximum": 0.2}}},
        "routes": {"example": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox", "interval": 0.5,
                               "deadline": 2, "give_up_after": 3}},
    }  # fmt: skip
    (tmp_path / "probe.yml").write_text(json.dumps(config))
    return [hashed, *(line for line in key.splitlines() if not line.startswith("-") and len(line) > 20)]


async def read_everything(port, authority, state):
    """Ask for every page, and for every probe that the journal knows. Gives all that was answered."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    headers = {"Authorization": "Basic " + base64.b64encode(f"alice:{WEB_SECRET}".encode()).decode()}
    with sqlite3.connect(f"file:{state}/journal.db?mode=ro", uri=True) as database:
        probes = [name for (name,) in database.execute("SELECT probe_id FROM probes")]
    assert probes
    answers = []
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=context)) as session:
        probe_pages = [f"{base}/probes/{probe}" for probe in probes[:20] for base in ("", "/api/v1")]
        for path in (*PAGES, *probe_pages):
            async with session.get(f"https://localhost:{port}{path}") as response:
                answers.append(f"{path}: {dict(response.headers)} {await response.text()}")
        async with session.post(f"https://localhost:{port}/-/reload") as response:
            answers.append(await response.text())
            assert response.status == 500
    return answers


async def test_planted_secrets_are_in_no_output(tmp_path):
    tmp_path.chmod(0o700)
    authority, imap = trustme.CA(), QuotingImap()
    quote = " ".join(forms(SMTP_SECRET)).encode()
    smtp = HostileSmtp(
        {"AUTH": b"535 5.7.8 you said " + quote + b"\r\n"}, offers=(f"AUTH PLAIN {SMTP_SECRET}",)
    )
    server = await asyncio.start_server(imap.serve, "127.0.0.1", 0)
    async with smtp.running(), server:
        secrets = write_files(tmp_path, smtp.port, server.sockets[0].getsockname()[1], authority)
        port, log = free_port(), tmp_path / "daemon.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", "-m", "smtp_probe", "run",
                f"--config.file={tmp_path / 'probe.yml'}", f"--web.listen-address=127.0.0.1:{port}",
                f"--web.config.file={tmp_path / 'web.yml'}", "--web.enable-lifecycle", "--log.level=debug",
                stderr=out, stdout=out, env={**os.environ, "PLANTED": SMTP_SECRET, "PYTHONASYNCIODEBUG": "1"},
            )  # fmt: skip
        try:
            async with asyncio.timeout(60):
                while imap.logins < 8 or smtp.sessions < 3:
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            # A mistake that people make: the secret itself in the place of its name.
            broken = (tmp_path / "probe.yml").read_text().replace('"PLANTED"', f'"{SMTP_SECRET}"')
            (tmp_path / "probe.yml").write_text(broken)
            answers = await read_everything(port, authority, tmp_path / "state")
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 20)
    said = log.read_text()
    stored = "".join(path.read_bytes().decode("latin-1") for path in (tmp_path / "state").iterdir())

    secrets += [form for secret in (IMAP_SECRET, WEB_SECRET, TAG_SECRET) for form in forms(secret)]
    quoted = forms(
        SMTP_SECRET
    )  # a server that was told it may say it at any time, and the journal has what it said
    for name, output, wanted in (
        ("log", said, [*secrets, *quoted]),
        ("pages", "\n".join(answers), [*secrets, *quoted]),
        ("state", stored, secrets),
    ):
        for secret in wanted:
            at = output.find(secret)
            assert at < 0, f"in the {name}: {output[max(0, at - 300) : at + 100]}"
    assert "auth" in said.lower()


CLIENT, REFRESH, ACCESS = "planted-client-Jd5", "planted-refresh-Ty6", "planted-access-Lm2"
NEXT_REFRESH = "planted-refresh-next-Qp1"


def token_forms(token):
    """An access token as it travels: as it stands, and as XOAUTH2 and OAUTHBEARER (RFC 7628) have it."""
    wholes = (
        f"user=probe\1auth=Bearer {token}\1\1",
        f"n,a=probe,\1auth=Bearer {token}\1\1",
        token,
    )
    return [token, *(base64.b64encode(each.encode()).decode() for each in wholes)]


class QuotingServer(AuthorizationServer):
    """Gives tokens that end soon until `is_quoting`; then says all back that it was told, in each way that it has."""

    is_quoting = False
    quoted = 0

    def say(self):
        said = f"{CLIENT} {REFRESH} {NEXT_REFRESH} {ACCESS}"
        answers = (
            {"error": "invalid_grant", "error_description": said},
            {"error": said},
            {"error": "server_error", "error_description": said * 100},
            {"access_token": f"{ACCESS} {said}", "token_type": said},
        )
        if not self.is_quoting:
            good = {
                "access_token": ACCESS,
                "refresh_token": NEXT_REFRESH,
                "expires_in": 3,
                "token_type": "Bearer",
            }
            return web.json_response(good)
        self.quoted += 1
        kind = (self.quoted + 1) % 4
        return web.json_response(answers[kind], status=400 if kind < 3 else 200)


def write_token_files(tmp_path, smtp_port, imap_port, server):
    (tmp_path / "client").write_text(CLIENT)
    (tmp_path / "refresh").write_text(REFRESH)
    (tmp_path / "tag").write_text(TAG_SECRET)
    (tmp_path / "tag").chmod(0o600)
    clear = {"host": "127.0.0.1", "tls": "none", "allow_credentials_without_tls": True}
    login = {"username": "probe", "oauth": "account"}
    config = {
        "state_directory": str(tmp_path / "state"),
        "tag_key_files": [str(tmp_path / "tag")],
        "schedule": {"minimum_interval": 0.3, "backoff_minimum": 0.3, "backoff_maximum": 0.3},
        "credentials": {
            "account": {
                "grant": "refresh_token",
                "token_url": server.url("/token", "localhost"),
                "client_id": "smtp-probe",
                "client_secret": {"password_file": "client"},
                "client_authentication": "post",
                "refresh_token": {"password_file": "refresh"},
                "ca_file": str(tmp_path / "ca"),
            }
        },
        "senders": {"relay": {**clear, "port": smtp_port, "ehlo_name": "probe.example.net", "max_per_minute": 600,
                              "envelope_from": "probe@example.net", "auth": {**login, "mechanism": "xoauth2"}}},
        "mailboxes": {"inbox": {**clear, "port": imap_port, "auth": {**login, "mechanism": "oauthbearer"},
                                "timeouts": {"reconnect_minimum": 0.1, "reconnect_maximum": 0.2}}},
        "routes": {"example": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox", "interval": 0.5,
                               "deadline": 2, "give_up_after": 3}},
    }  # fmt: skip
    (tmp_path / "probe.yml").write_text(json.dumps(config))


async def test_tokens_are_in_no_output_but_the_file_that_is_made_for_them(tmp_path):
    tmp_path.chmod(0o700)
    authority, imap = trustme.CA(), QuotingImap(ACCESS, "OAUTHBEARER")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
    quote = " ".join(token_forms(ACCESS)).encode()
    smtp = HostileSmtp({"AUTH": b"535 5.7.8 you said " + quote + b"\r\n"}, offers=(f"AUTH XOAUTH2 {ACCESS}",))
    giver = QuotingServer()
    giver.answer = giver.say
    server = await asyncio.start_server(imap.serve, "127.0.0.1", 0)
    async with giver.running(tls), smtp.running(), server:
        write_token_files(tmp_path, smtp.port, server.sockets[0].getsockname()[1], giver)
        port, log = free_port(), tmp_path / "daemon.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", "-m", "smtp_probe", "run",
                f"--config.file={tmp_path / 'probe.yml'}", f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=debug", stderr=out, stdout=out, env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
            )  # fmt: skip
        try:
            async with asyncio.timeout(60):
                while (
                    imap.logins < 3 or smtp.sessions < 1
                ):  # by tokens: a busy machine takes its time until then
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
                giver.is_quoting = True
                while giver.quoted < 2:
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            pages = []
            async with aiohttp.ClientSession() as session:
                for path in PAGES:
                    async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                        pages.append(f"{path}: {dict(response.headers)} {await response.text()}")
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 20)
    kept = tmp_path / "state" / "credentials" / "account.json"
    assert json.loads(kept.read_text())["refresh_token"] == NEXT_REFRESH, "this is where it belongs"
    assert kept.stat().st_mode & 0o777 == 0o600
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and path != kept]
    stored = "".join(path.read_bytes().decode("latin-1") for path in files)
    own = [CLIENT, REFRESH, NEXT_REFRESH]
    for name, output in (("log", log.read_text()), ("pages", "\n".join(pages)), ("state", stored)):
        for secret in [*own, *(token_forms(ACCESS) if name != "state" else [])]:
            at = output.find(secret)
            assert at < 0, f"in the {name}: {output[max(0, at - 300) : at + 100]}"
    assert "server_error" in log.read_text(), "it was told of, without its secrets"

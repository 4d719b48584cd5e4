"""The command `init`, against nsd, Postfix and Dovecot: from an address to a configuration that sends."""

import os
import subprocess
import sys

import pytest

from smtp_probe.config.load import load
from tests.lab.lab import MailLab
from tests.pseudo_terminal import Terminal

pytestmark = [pytest.mark.lab, pytest.mark.slow]
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def lab():
    with MailLab.start() as running:
        yield running


@pytest.fixture
def secret(lab, tmp_path):
    path = tmp_path / "password"
    path.write_text(lab.password("probe1"))
    return path


def environment():
    return {name: text for name, text in os.environ.items() if not name.startswith("SMTP_PROBE")}


def command(lab, folder, *arguments):
    return [
        *(sys.executable, "-m", "smtp_probe", "init", "--output", str(folder / "probe.yaml")),
        *("--nameserver", lab.dns.host, "--ca-file", str(lab.ca_file)),
        *("--state-directory", str(folder / "state"), *map(str, arguments)),
    ]


def run(lab, folder, *arguments):
    return subprocess.run(
        command(lab, folder, *arguments),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


def test_records_lead_to_a_configuration_that_sends(lab, tmp_path, secret):
    done = run(lab, tmp_path, "probe1@example.test", "--password-file", secret)

    assert (done.returncode, done.stderr) == (0, "")
    assert "_submissions._tcp.example.test: submit.example.test:465" in done.stdout
    config = load(tmp_path / "probe.yaml", {})
    assert (config.senders["submission"].effective_port, config.mailboxes["inbox"].effective_port) == (
        465,
        993,
    )
    for arguments in (
        ["check-config", tmp_path / "probe.yaml"],
        ["probe", "own", "--config.file", tmp_path / "probe.yaml"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "smtp_probe", *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "delivered" in ran.stdout

    before = (tmp_path / "probe.yaml").read_bytes()
    again = run(lab, tmp_path, "probe1@example.test", "--password-file", secret)
    assert (again.returncode, again.stdout) == (2, "")
    assert "--force" in again.stderr
    assert (tmp_path / "probe.yaml").read_bytes() == before


def test_where_no_record_is_the_domain_s_own_file_leads_there(lab, tmp_path, secret):
    done = run(
        lab,
        tmp_path,
        "probe1@users.example.test",
        "--password-file",
        secret,
        "--recipient",
        "probe1@example.test",
    )

    assert (done.returncode, done.stderr) == (0, "")
    config = load(tmp_path / "probe.yaml", {})
    inbox = config.mailboxes["inbox"]
    assert (inbox.host, inbox.effective_port, inbox.auth.username) == ("imap.example.test", 143, "probe1")
    assert config.routes["own"].recipient == "probe1@example.test"


def test_a_server_of_another_domain_is_told_no_password_unless_that_is_allowed(lab, tmp_path, secret):
    arguments = ("probe1@branch.example.test", "--password-file", secret)
    done = run(lab, tmp_path, *arguments)
    assert done.returncode == 1
    assert "submit.example.test:465 is not tried" in done.stdout
    assert not (tmp_path / "probe.yaml").exists()

    assert run(lab, tmp_path, *arguments, "--accept-foreign").returncode == 0


def test_a_wrong_password_is_told_and_nothing_written(lab, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("hemlich-und-falsch")
    done = run(lab, tmp_path, "probe1@example.test", "--password-file", wrong, "--username", "probe1")

    assert done.returncode == 1
    assert "takes the login" in done.stderr
    assert "is the password right" in done.stderr
    assert "hemlich" not in done.stdout + done.stderr
    assert not (tmp_path / "probe.yaml").exists()


def test_named_servers_need_no_search(lab, tmp_path, secret):
    done = run(
        *(lab, tmp_path, "--address=probe1@nowhere.test", "--password-file", secret, "--username", "probe1"),
        *("--smtp-server", "submit.example.test:587", "--imap-server", "imap.example.test"),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "SRV" not in done.stdout


def test_a_provider_of_tokens_gets_a_credential_and_the_next_step(lab, tmp_path):
    named = ("--smtp-server", "smtp.office365.com:587", "--imap-server", "outlook.office365.com:993")
    done = run(lab, tmp_path, "probe@example.org", "--oauth-client-id", "1234", *named)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"smtp-probe login account --config.file={tmp_path / 'probe.yaml'}" in done.stdout
    config = load(tmp_path / "probe.yaml", {})
    assert config.credentials["account"].grant == "device_code"
    assert config.mailboxes["inbox"].auth.username == "probe@example.org"
    login = subprocess.run(
        [sys.executable, "-m", "smtp_probe", "check-config", str(tmp_path / "probe.yaml")],
        env=environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    assert login.returncode == 0, login.stderr

    done = run(lab, tmp_path, "probe1@example.test", "--oauth-client-id", "1234", "--force")
    assert done.returncode == 2
    assert "no smtp server of Google or Microsoft was found" in done.stderr


def test_a_domain_without_servers_is_told(lab, tmp_path, secret):
    done = run(lab, tmp_path, "probe1@null-mx.test", "--password-file", secret)

    assert done.returncode == 1
    assert "no smtp server was found" in done.stderr
    assert "--smtp-server" in done.stderr


def test_dns_that_does_not_answer_is_our_own_trouble(tmp_path, secret, lab):
    argv = command(lab, tmp_path, "probe1@example.test", "--password-file", secret)
    argv[argv.index("--nameserver") + 1] = "127.0.0.9"
    done = subprocess.run(
        argv,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert done.returncode == 3
    assert "not known: _submissions._tcp.example.test" in done.stdout


def test_on_a_terminal_it_asks_and_keeps_the_password_in_a_file(lab, tmp_path):
    with Terminal(command(lab, tmp_path), environment(), size=(300, 40)) as terminal:
        terminal.read_until("Address of the account", 20)
        terminal.type(b"probe1@example.test\n")
        terminal.read_until("File with the password", 20)
        terminal.type(b"\n")
        terminal.read_until(
            "alone): ", 20
        )  # what is typed before that is thrown away, as by every such prompt
        terminal.type(lab.password("probe1").encode() + b"\n")
        assert terminal.wait(TIMEOUT_SECONDS) == 0
        assert lab.password("probe1") not in terminal.written

    kept = tmp_path / "smtp-probe.password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() == lab.password("probe1") + "\n"
    assert load(tmp_path / "probe.yaml", {}).senders["submission"].auth.password_file == kept


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(tmp_path):
    output = tmp_path / "none" / "new.yaml"
    command = [sys.executable, "-m", "smtp_probe", "init", "probe@example.org", "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{output} cannot be written: there is no folder {output.parent}\n"


def test_an_address_that_is_given_twice_is_a_mistake(tmp_path):
    output = tmp_path / "new.yaml"
    twice = ["a@example.org", "--address", "b@example.org", "--output", str(output)]
    command = [sys.executable, "-m", "smtp_probe", "init", *twice]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (2, "the address is given twice: as ADDRESS and by --address\n")
    assert not output.exists()

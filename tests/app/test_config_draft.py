"""The first configuration: loads, whatever the names in it look like; and harms no file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_probe.app.account_setup import Chosen, SetupRequest
from smtp_probe.app.config_draft import Consent, Draft, render, write_draft
from smtp_probe.config.load import load
from smtp_probe.errors import ConfigError
from smtp_probe.model import AccountProtocol, FoundServer
from smtp_probe.policy.discovery.consent import find_recipe
from smtp_probe.policy.discovery.service_records import Person


def chosen(protocol, username="probe@example.test", **facts):
    known: dict[str, Any] = {
        "host": "mail.example.test",
        "port": 993,
        "is_implicit_tls": True,
        "source": "a test",
        "profile": None,
    }
    known |= facts
    server = FoundServer(protocol=protocol, usernames=(username,), is_vouched=True, **known)
    return Chosen(server=server, username=username)


def draft(folder, *, username="probe@example.test", more=None, **facts):
    secret = folder / "a secret: file"
    secret.write_text("word")
    return Draft(
        request=SetupRequest(
            **({"person": Person("probe", "example.test"), "password_file": secret} | (more or {}))
        ),
        submission=chosen(AccountProtocol.SMTP, username, **facts),
        inbox=chosen(AccountProtocol.IMAP, username, **facts),
        recipient="probe@example.test",
        state_directory=folder / "state",
    )


def test_it_is_accepted_and_says_what_it_is(tmp_path):
    path = tmp_path / "smtp-probe.yaml"
    write_draft(draft(tmp_path), path, may_replace=False)
    config = load(path, {})

    assert config.senders["submission"].auth.username == "probe@example.test"
    assert config.mailboxes["inbox"].host == "mail.example.test"
    assert config.routes["own"].bounce_mailbox == "inbox"
    assert config.state_directory == tmp_path / "state"
    text = path.read_text()
    assert "# Found by: a test." in text
    assert 'password_file: "a secret: file"' in text, "from the file's own folder"
    assert "word" not in text.replace("password", "")
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".new"] == []


@pytest.mark.parametrize(
    "username",
    ["no", "null", "1.5", "a: b", "#x", "{y}", "'", '"', "\\", "*z", "&z", "!t", "ü@b", "- a", "@x", " x "],
)
def test_a_name_of_any_look_stays_what_it_is(tmp_path, username):
    path = tmp_path / "c.yaml"
    write_draft(draft(tmp_path, username=username), path, may_replace=False)

    assert load(path, {}).mailboxes["inbox"].auth.username == username


def test_what_a_stranger_says_of_its_source_stays_a_comment(tmp_path):
    path = tmp_path / "c.yaml"
    write_draft(draft(tmp_path, source="x\nrelay_test: true\u2028y"), path, may_replace=False)

    assert load(path, {}).senders.keys() == {"submission"}


def test_profiles_name_servers_and_authorities_are_kept(tmp_path):
    ca_file = Path(__file__).parents[1] / "data" / "ca.pem"
    more = {"nameservers": ("192.0.2.1", "2001:db8::1"), "nameserver_port": 5353}
    text = render(draft(tmp_path, profile="gmail", more=more | {"ca_file": ca_file}), tmp_path / "c.yaml")

    assert f'tls_options: {{ca_file: "{ca_file}"}}' in text
    path = tmp_path / "c.yaml"
    write_draft(draft(tmp_path, profile="gmail", more=more), path, may_replace=False)
    config = load(path, {})
    assert config.resolver.nameservers == ("192.0.2.1", "2001:db8::1")
    assert config.mailboxes["inbox"].after_judgement == "trash", "as the profile says"


@pytest.mark.parametrize("host", ["smtp.gmail.com", "smtp.office365.com"])
def test_where_consent_takes_the_place_of_a_password_the_way_to_tokens_is_written(tmp_path, host):
    recipe = find_recipe(host)
    assert recipe is not None
    (tmp_path / "client: secret").write_text("word")
    consent = Consent(recipe=recipe, client_id="1: #2", client_secret_file=tmp_path / "client: secret")
    path = tmp_path / "smtp-probe.yaml"
    write_draft(
        replace(draft(tmp_path, more={"password_file": None}), consent=consent), path, may_replace=False
    )
    config = load(path, {})

    credential = config.credentials["account"]
    assert (credential.client_id, credential.scope) == ("1: #2", recipe.scope)
    assert credential.client_secret.password_file == tmp_path / "client: secret"
    for account in (config.senders["submission"], config.mailboxes["inbox"]):
        assert (account.auth.oauth, account.auth.mechanism) == ("account", "xoauth2")
    assert "smtp-probe login account" in path.read_text()


def test_a_file_that_is_there_is_replaced_only_on_request(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists"):
        write_draft(draft(tmp_path), path, may_replace=False)
    assert path.read_text() == "mine"

    write_draft(draft(tmp_path), path, may_replace=True)
    assert load(path, {}).routes


def test_one_that_could_not_be_loaded_is_not_written(tmp_path):
    path = tmp_path / "c.yaml"
    with pytest.raises(ConfigError, match="password_file"):
        write_draft(draft(tmp_path, more={"password_file": tmp_path / "none"}), path, may_replace=False)
    assert not path.exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        write_draft(draft(tmp_path), tmp_path / "none" / "c.yaml", may_replace=False)
